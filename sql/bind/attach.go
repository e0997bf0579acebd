package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// attachment joins subqueries to the node over which the expressions that hold them are computed. Each adds one column, and a
// reference to that takes its place.
type attachment struct {
	node plan.Node
	done map[*plan.Subquery]plan.Expr
}

// rewrite is e with a column in the place of every subquery. Those that are compared with what a window gives are left for when that is known.
func (a *attachment) rewrite(e plan.Expr) plan.Expr {
	if s, ok := e.(*plan.Subquery); ok {
		if findWindow(s) {
			return s
		}
		return a.attach(s)
	}
	return overParts(e, a.rewrite)
}

func (a *attachment) attach(s *plan.Subquery) plan.Expr {
	if known, ok := a.done[s]; ok {
		return known
	}
	kind := plan.SingleJoin
	var test plan.Expr
	if s.Mark {
		kind = plan.MarkJoin
		if s.Test != nil {
			test = a.rewrite(s.Test)
		}
	}
	width := plan.Width(a.node)
	if test != nil {
		test = withColumns(test, s.Plan.Columns(), width)
	}
	name := s.String()
	if len(s.Args) == 0 {
		a.node = &plan.Join{Left: a.node, Right: s.Plan, Kind: kind, Test: test, Mark: name}
	} else {
		a.node = &plan.Apply{Left: a.node, Right: s.Plan, Kind: kind, Args: s.Args, Test: test, Mark: name}
	}
	out := columnOf(a.node.Columns(), width)
	if a.done == nil {
		a.done = map[*plan.Subquery]plan.Expr{}
	}
	a.done[s] = out
	return out
}

// withColumns puts columns, of which the first has the index given, in the place of what stands for the columns of the query that a
// test compares with.
func withColumns(e plan.Expr, columns []plan.Column, first int) plan.Expr {
	if ref, ok := e.(*plan.OuterRef); ok {
		if at := plan.SubqueryColumn - ref.Index; at >= 0 {
			return &plan.ColumnRef{Index: first + at, Name: columns[at].Name, Typ: columns[at].Type}
		}
		return e
	}
	return overParts(e, func(e plan.Expr) plan.Expr { return withColumns(e, columns, first) })
}

// attachGroups is a grouping of node whose groups and calls may hold subqueries.
func attachGroups(node plan.Node, groups []plan.Expr, calls []plan.Aggregation) *plan.Aggregate {
	a := &attachment{node: node}
	out := &plan.Aggregate{Groups: each(groups, a.rewrite)}
	for _, c := range calls {
		c.Args = each(c.Args, a.rewrite)
		c.Order = slices.Clone(c.Order)
		for i, k := range c.Order {
			c.Order[i].Expr = a.rewrite(k.Expr)
		}
		if c.Filter != nil {
			c.Filter = a.rewrite(c.Filter)
		}
		out.Aggregates = append(out.Aggregates, c)
	}
	out.Input = a.node
	return out
}

// attachOutputs joins the subqueries of all clauses after grouping.
func (q *selection) attachOutputs(node plan.Node) plan.Node {
	a := &attachment{node: node}
	q.eachResult(a.rewrite)
	q.rows.spreads.arrays = each(q.rows.spreads.arrays, a.rewrite)
	for i := range q.rows.windows.calls {
		c := &q.rows.windows.calls[i]
		c.Args, c.partition = each(c.Args, a.rewrite), each(c.partition, a.rewrite)
		if c.Filter != nil {
			c.Filter = a.rewrite(c.Filter)
		}
		for k := range c.order {
			c.order[k].Expr = a.rewrite(c.order[k].Expr)
		}
	}
	if q.qualify != nil {
		q.qualify = a.rewrite(q.qualify)
	}
	return a.node
}
