package optimize

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// decorrelate turns an Apply, which computes its right side anew for each row, into a join. Conditions that compare with the outer row
// become conditions of the join; an aggregate over what they leave becomes one for each value that they equate, computed for all
// values at once. Where conditions could fail, or stand deeper in the right side, the Apply stays.
func decorrelate(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Apply)
		if !ok {
			return n, nil
		}
		if !readsOuter(a.Right) {
			return &plan.Join{Left: a.Left, Right: a.Right, Kind: a.Kind, On: a.On, Test: a.Test, Mark: a.Mark}, nil
		}
		if out := unnestBeside(a); out != nil {
			return out, nil
		}
		a = withoutLimit(a)
		var out plan.Node
		switch s := split(a.Right, a.Kind == plan.MarkJoin); {
		case s == nil || len(a.On) > 0:
		case a.Kind == plan.MarkJoin:
			out = markByJoin(a, s)
		case a.Kind == plan.SingleJoin && s.aggregate != nil:
			out = aggregateByJoin(a, s)
		case a.Kind == plan.SingleJoin:
			out = valueByJoin(a, s)
		}
		if out == nil {
			return a, nil
		}
		return out, nil
	})
}

// withoutLimit leaves out a limit that lets the one row pass that decides, or is all there is: that of a query that is only asked whether it has
// a row, and that of an aggregate without groups.
func withoutLimit(a *plan.Apply) *plan.Apply {
	var without func(n plan.Node, exists bool) plan.Node
	without = func(n plan.Node, exists bool) plan.Node {
		switch n := n.(type) {
		case *plan.Project:
			return plan.Over(n, without(n.Input, exists))
		case *plan.Sort:
			if input := without(n.Input, exists); exists && n.Limit < 0 || isOneRow(input) {
				return input
			}
		case *plan.Limit:
			input := without(n.Input, exists)
			if n.Bounds == nil && n.Offset == 0 && n.Count != 0 && (exists || isOneRow(input)) {
				return input
			}
		}
		return n
	}
	out := *a
	out.Right = without(a.Right, a.Kind == plan.MarkJoin && a.Test == nil)
	return &out
}

// isOneRow tells an aggregate without groups, be it with what is computed of it.
func isOneRow(n plan.Node) bool {
	if p, ok := n.(*plan.Project); ok {
		return isOneRow(p.Input)
	}
	agg, ok := n.(*plan.Aggregate)
	return ok && len(agg.Groups) == 0 && len(agg.Sets) == 0
}

// correlated is the right side of an Apply taken apart, from the top: an expression over an aggregate, if there is one, over
// conditions over a source that does not depend on the outer row.
type correlated struct {
	value     plan.Expr   // of the one column, or the first
	values    []plan.Expr // of all columns, where a projection gives them
	aggregate *plan.Aggregate
	source    plan.Node
	local     []plan.Expr // conditions on the source alone; none of them can fail
	outer     []plan.Expr // conditions that compare with the outer row
}

// split takes a right side apart; nil where it has another form. Where anyRow is set, it does not matter how often a row comes.
func split(n plan.Node, anyRow bool) *correlated {
	s := &correlated{}
	columns := n.Columns()
	s.value = &plan.ColumnRef{Index: 0, Name: columns[0].Name, Typ: columns[0].Type}
	if p, ok := n.(*plan.Project); ok {
		s.value, s.values, n = p.Exprs[0], p.Exprs, p.Input
	}
	if a, ok := n.(*plan.Aggregate); ok {
		if len(a.Groups) > 0 {
			return nil
		}
		s.aggregate, n = a, a.Input
	}
	for {
		f, ok := n.(*plan.Filter)
		if !ok {
			break
		}
		var outer []plan.Expr
		for _, c := range plan.Conjuncts(f.Predicate) {
			switch {
			case hasOuter(c):
				outer = append(outer, c)
			case mayFail(c):
				return nil
			default:
				s.local = append(s.local, c)
			}
		}
		s.outer = append(outer, s.outer...) // lower filters come first
		n = f.Input
	}
	if readsOuter(n) {
		var outer []plan.Expr
		var ok bool
		if n, outer, ok = paired(n, s.local); !ok || !anyRow || s.aggregate != nil {
			return nil
		}
		s.outer = append(s.outer, outer...)
	}
	s.source = n
	if len(s.local) > 0 {
		s.source = &plan.Filter{Input: n, Predicate: conjunction(s.local)}
	}
	return s
}

// joined is an expression of the right side over the columns of a join, where the source's columns begin at first.
func joined(a *plan.Apply, e plan.Expr, first int) plan.Expr {
	return rewriteExpr(e, func(e plan.Expr) plan.Expr {
		switch e := e.(type) {
		case *plan.ColumnRef:
			return &plan.ColumnRef{Index: e.Index + first, Name: e.Name, Typ: e.Typ}
		case *plan.OuterRef:
			return a.Args[e.Index]
		default:
			return e
		}
	})
}

func joinedAll(a *plan.Apply, list []plan.Expr, first int) []plan.Expr {
	return mapAll(list, func(e plan.Expr) plan.Expr { return joined(a, e, first) })
}

// markByJoin asks for a pair instead of a row.
func markByJoin(a *plan.Apply, s *correlated) plan.Node {
	width := plan.Width(a.Left)
	out := &plan.Join{Left: a.Left, Right: s.source, Kind: plan.MarkJoin, Mark: a.Mark}
	if s.aggregate != nil {
		return nil
	}
	out.On = joinedAll(a, s.outer, width)
	if a.Test != nil {
		out.Test = replaceColumns(a.Test, func(c *plan.ColumnRef) plan.Expr {
			if c.Index < width || s.values == nil {
				return c
			}
			return joined(a, s.values[c.Index-width], width)
		})
	}
	return out
}

// valueByJoin computes the value beside each row of the source, so that it is NULL where no row pairs.
func valueByJoin(a *plan.Apply, s *correlated) plan.Node {
	if mayFail(s.value) || hasOuter(s.value) {
		return nil
	}
	left := a.Left.Columns()
	columns := s.source.Columns()
	right := &plan.Project{Input: s.source, Exprs: []plan.Expr{s.value}, Names: []string{a.Right.Columns()[0].Name}}
	for i, c := range columns {
		right.Exprs = append(right.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		right.Names = append(right.Names, c.Name)
	}
	join := &plan.Join{Left: a.Left, Right: right, Kind: plan.SingleJoin, On: joinedAll(a, s.outer, len(left)+1)}
	out := &plan.Project{Input: join}
	for i, c := range join.Columns()[:len(left)+1] {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		out.Names = append(out.Names, c.Name)
	}
	return out
}

// emptyIsNull are the aggregates that are NULL over no rows; count, which is 0, is seen to.
var emptyIsNull = map[string]bool{"sum": true, "avg": true, "min": true, "max": true}

// zeroOverNone are the aggregates that are 0 over no rows. All others are NULL.
var zeroOverNone = map[string]bool{"count": true, "regr_count": true, "approx_count_distinct": true}

// aggregateByJoin groups the source by what is equated with the outer row. A row that meets no group gets what the aggregates give
// over no rows. Groups that no row asks for are computed too, and so may fail where the Apply did not: only a sum beyond its type can.
func aggregateByJoin(a *plan.Apply, s *correlated) plan.Node {
	agg := &plan.Aggregate{Input: s.source, Aggregates: s.aggregate.Aggregates}
	var outer []plan.Expr
	for _, c := range s.outer {
		inside, outside, ok := equated(c)
		if !ok {
			return nil
		}
		agg.Groups, agg.Names = append(agg.Groups, inside), append(agg.Names, inside.String())
		outer = append(outer, outside)
	}
	agg.Names = append(agg.Names, s.aggregate.Names...)
	for _, c := range agg.Aggregates {
		if (c.Fn.Name != "count" && !emptyIsNull[c.Fn.Name]) || anyOuter(c) {
			return nil
		}
	}
	left := a.Left.Columns()
	join := &plan.Join{Left: a.Left, Right: agg, Kind: plan.LeftJoin}
	columns := join.Columns()
	for i, e := range outer {
		at := len(left) + i
		key := &plan.ColumnRef{Index: at, Name: columns[at].Name, Typ: columns[at].Type}
		join.On = append(join.On, &plan.Call{Fn: equality(key.Typ), Args: []plan.Expr{joined(a, e, 0), key}})
	}
	out := &plan.Project{Input: join}
	for i, c := range left {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		out.Names = append(out.Names, c.Name)
	}
	value := joined(a, s.value, len(left)+len(agg.Groups))
	value = rewriteExpr(value, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.ColumnRef); ok && c.Index >= len(left)+len(agg.Groups) {
			return zeroForNone(c, agg.Aggregates[c.Index-len(left)-len(agg.Groups)])
		}
		return e
	})
	out.Exprs, out.Names = append(out.Exprs, value), append(out.Names, a.Right.Columns()[0].Name)
	return out
}

// zeroForNone is an aggregate's column, 0 where a count met no group.
func zeroForNone(c *plan.ColumnRef, call plan.Aggregation) plan.Expr {
	if !zeroOverNone[call.Fn.Name] {
		return c
	}
	for _, f := range plan.Functions["coalesce"] {
		if f.Args[0].Equal(c.Typ) {
			zero := &plan.Literal{Value: event.NewInt64s([]int64{0}, nil), Typ: c.Typ}
			return &plan.Call{Fn: f, Args: []plan.Expr{c, zero}}
		}
	}
	return c
}

// equated takes apart an equality of an expression over the source and one over the outer row, of a type whose equal values form one
// group.
func equated(e plan.Expr) (inside, outside plan.Expr, ok bool) {
	c, isCall := e.(*plan.Call)
	if !isCall || c.Fn.Name != "=" || !c.Fn.Args[0].Equal(c.Fn.Args[1]) {
		return nil, nil, false
	}
	switch c.Fn.Args[0].Kind {
	case event.Boolean, event.SmallInt, event.Integer, event.BigInt, event.Real, event.Double, event.Text, event.TimestampTZ, event.Date,
		event.UUID, event.Time:
	default:
		return nil, nil, false
	}
	for i, inside := range c.Args {
		outside := c.Args[1-i]
		if !hasOuter(inside) && !mayFail(inside) && hasOuter(outside) && sides(outside, 0) == neither {
			return inside, outside, true
		}
	}
	return nil, nil, false
}

func equality(t event.Type) *plan.Function {
	for _, f := range plan.Functions["="] {
		if f.Args[0].Equal(t) && f.Args[1].Equal(t) {
			return f
		}
	}
	return nil // equated has seen one
}

func hasOuter(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) {
		if _, ok := e.(*plan.OuterRef); ok {
			found = true
		}
	})
	return found
}

func anyOuter(c plan.Aggregation) bool {
	for _, e := range c.Args {
		if hasOuter(e) {
			return true
		}
	}
	return c.Filter != nil && hasOuter(c.Filter)
}

// readsOuter reports whether a plan depends on the outer row, or may: of a node that it does not know it says so. What the right side
// of an Apply inside refers to is that one's left.
func readsOuter(n plan.Node) bool {
	found := false
	see := func(e plan.Expr) plan.Expr {
		found = found || hasOuter(e)
		return e
	}
	switch n := n.(type) {
	case *plan.Scan, *plan.Filter, *plan.Project, *plan.Aggregate, *plan.Sort, *plan.Limit, *plan.Values, *plan.Join, *plan.Union,
		*plan.Repeat, *plan.Series, *plan.Unnest, *plan.Recursive, *plan.WorkTable, *plan.Assign, *plan.Window, *plan.FirstRows,
		*plan.AsofJoin:
		mapExpressions(n, see)
	case *plan.Apply:
		mapExpressions(n, see)
		return found || readsOuter(n.Left)
	default:
		return true
	}
	for _, in := range n.Inputs() {
		found = found || readsOuter(in)
	}
	return found
}
