package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushFilters moves conditions towards the data: through projections, by putting in what the projection computes, and through
// sorts that keep all rows, until they meet a scan or a node that they cannot pass. Conditions move all together and keep their
// order, those nearer to the data first: none is computed for a row that it was not computed for before.
func pushFilters(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		switch n := n.(type) {
		case *plan.Filter:
			return pushInto(n.Input, factored(plan.Conjuncts(n.Predicate))), nil
		case *plan.Join:
			out := *n
			out.On = factored(n.On)
			return pushIntoJoin(&out, nil), nil
		default:
			return n, nil
		}
	})
}

// pushInto is n with conjuncts applied to its rows, as near to the data as they get.
func pushInto(n plan.Node, conjuncts []plan.Expr) plan.Node {
	if isolated(n, conjuncts) {
		return &plan.Filter{Input: n, Predicate: conjunction(conjuncts)}
	}
	switch n := n.(type) {
	case *plan.Scan:
		out := *n
		out.Filter = append(append([]plan.Expr(nil), n.Filter...), conjuncts...)
		return &out
	case *plan.Filter:
		return pushInto(n.Input, append(plan.Conjuncts(n.Predicate), conjuncts...))
	case *plan.Project:
		below, never := undecided(mapAll(conjuncts, func(e plan.Expr) plan.Expr {
			return foldExpr(replaceColumns(e, func(c *plan.ColumnRef) plan.Expr { return n.Exprs[c.Index] }))
		}))
		if never {
			return &plan.Values{Cols: n.Columns()}
		}
		return &plan.Project{Input: filtered(n.Input, below), Exprs: n.Exprs, Names: n.Names}
	case *plan.Join:
		return pushIntoJoin(n, conjuncts)
	case *plan.AsofJoin:
		return pushIntoAsof(n, conjuncts)
	case *plan.Apply:
		return pushIntoApply(n, conjuncts)
	case *plan.Union:
		return pushIntoUnion(n, conjuncts)
	case *plan.Window:
		return pushIntoWindow(n, conjuncts)
	case *plan.Aggregate:
		return pushIntoAggregate(n, conjuncts)
	case *plan.FirstRows:
		return pushIntoFirstRows(n, conjuncts)
	case *plan.Unnest:
		return pushIntoUnnest(n, conjuncts)
	case *plan.Assign:
		return pushIntoAssign(n, conjuncts)
	case *plan.Sort:
		if n.Limit < 0 {
			return &plan.Sort{Input: pushInto(n.Input, conjuncts), Keys: n.Keys, Limit: n.Limit}
		}
	}
	return &plan.Filter{Input: n, Predicate: conjunction(conjuncts)}
}

// isolated reports that conditions stay above a node, since they, or what it computes, are volatile: a value that is computed for the
// condition is not the one that comes out.
func isolated(n plan.Node, conjuncts []plan.Expr) bool {
	switch n := n.(type) {
	case *plan.Scan, *plan.Filter:
		return false
	case *plan.Project:
		if slices.ContainsFunc(n.Exprs, plan.Volatile) {
			return true
		}
	}
	return slices.ContainsFunc(conjuncts, plan.Volatile)
}

// undecided are conditions, split where they have become ANDs, without those that hold for every row, as a kind = 'sale' does below what
// calls all of its rows so. One that holds for none makes never true.
func undecided(conditions []plan.Expr) (left []plan.Expr, never bool) {
	for _, c := range splitAll(conditions) {
		holds, known := constantCondition(c)
		switch {
		case !known:
			left = append(left, c)
		case !holds:
			return nil, true
		}
	}
	return left, false
}

// splitAll splits conditions that have become ANDs.
func splitAll(conditions []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, c := range conditions {
		out = append(out, plan.Conjuncts(c)...)
	}
	return out
}
