package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// dropDependentGroups groups by fewer keys where some follow from others: what is computed from columns that are keys themselves, and
// what is computed from constants alone, is the same in all rows of a group. It is computed afterwards, once for each group.
func dropDependentGroups(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Aggregate)
		if !ok || len(a.Groups) < 2 || a.Sets != nil || usesMarks(a) {
			return n, nil
		}
		kept := independentGroups(a.Groups)
		if len(kept) == len(a.Groups) {
			return n, nil
		}
		return regrouped(a, kept), nil
	})
}

// independentGroups are indexes of keys that decide all the others. At least one remains, since without keys there is one group even
// over no rows.
func independentGroups(groups []plan.Expr) []int {
	decided := map[int]bool{} // columns of the input that are keys
	for _, e := range groups {
		if c, ok := e.(*plan.ColumnRef); ok && identified(c.Typ) {
			decided[c.Index] = true
		}
	}
	var kept []int
	for i, e := range groups {
		if !follows(e, decided) {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		kept = []int{0}
	}
	return kept
}

// identified holds for types whose equal values are the same in every respect: unlike 1.0 and 1.00, or 0 and -0.
func identified(t event.Type) bool {
	switch t.Kind {
	case event.Boolean, event.SmallInt, event.Integer, event.BigInt, event.Text, event.Bytea, event.TimestampTZ, event.Date, event.UUID,
		event.Time:
		return true
	default:
		return false
	}
}

// follows reports whether an expression, other than a column, is computed from decided columns and constants.
func follows(e plan.Expr, decided map[int]bool) bool {
	if _, ok := e.(*plan.ColumnRef); ok {
		return false
	}
	out := true
	plan.Walk(e, func(e plan.Expr) {
		switch e := e.(type) {
		case *plan.ColumnRef:
			out = out && decided[e.Index]
		case *plan.Call:
			out = out && !e.Fn.Volatile
		case *plan.Literal, *plan.Cast, *plan.Case:
		default:
			out = false
		}
	})
	return out
}

func usesMarks(a *plan.Aggregate) bool {
	return slices.ContainsFunc(a.Aggregates, func(c plan.Aggregation) bool { return c.Fn == plan.GroupingFunction })
}

// regrouped is the aggregate by the kept keys under a projection that gives the columns of the one before.
func regrouped(a *plan.Aggregate, kept []int) plan.Node {
	fewer := &plan.Aggregate{Input: a.Input, Aggregates: a.Aggregates}
	place := map[int]int{} // of a column of the input among the columns of fewer
	for i, g := range kept {
		fewer.Groups, fewer.Names = append(fewer.Groups, a.Groups[g]), append(fewer.Names, a.Names[g])
		if c, ok := a.Groups[g].(*plan.ColumnRef); ok {
			place[c.Index] = i
		}
	}
	fewer.Names = append(fewer.Names, a.Names[len(a.Groups):]...)

	columns := fewer.Columns()
	column := func(i int) plan.Expr { return &plan.ColumnRef{Index: i, Name: columns[i].Name, Typ: columns[i].Type} }
	out := &plan.Project{Input: fewer, Names: a.Names}
	for g, e := range a.Groups {
		if i := slices.Index(kept, g); i >= 0 {
			out.Exprs = append(out.Exprs, column(i))
			continue
		}
		out.Exprs = append(out.Exprs, rewriteExpr(e, func(e plan.Expr) plan.Expr {
			if c, ok := e.(*plan.ColumnRef); ok {
				return column(place[c.Index])
			}
			return e
		}))
	}
	for i := range a.Aggregates {
		out.Exprs = append(out.Exprs, column(len(kept)+i))
	}
	return out
}
