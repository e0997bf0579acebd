package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// regroup rewrites the window calls of a select that aggregates over its groups.
func (w *windows) regroup(g *grouping) error {
	for i := range w.calls {
		c := &w.calls[i]
		if c.natural {
			c.order = nil // groups have no event time
		}
		var err error
		if c.Args, err = g.rewriteAll(c.Args); err != nil {
			return err
		}
		if c.Filter != nil {
			if c.Filter, err = g.rewrite(c.Filter); err != nil {
				return err
			}
		}
		if c.partition, err = g.rewriteAll(c.partition); err != nil {
			return err
		}
		keys := make([]plan.SortKey, len(c.order))
		for k, key := range c.order {
			if key.Expr, err = g.rewrite(key.Expr); err != nil {
				return err
			}
			keys[k] = key
		}
		c.order = keys
	}
	return nil
}

// plan puts a node on top of the input for each of the windows, and gives the column of each call. Windows with the same partitions
// follow each other, the longest order first, so that an order can serve the shorter ones that it begins with.
func (w *windows) plan(node plan.Node) (plan.Node, []int) {
	columns := make([]int, len(w.calls))
	for _, group := range w.stacked() {
		first := w.calls[group[0]]
		if first.gap != nil {
			node, first.partition = first.inSessions(node)
		}
		top := &plan.Window{Input: node, Partition: first.partition, Order: first.order}
		if slices.ContainsFunc(group, func(i int) bool { return w.calls[i].GoesByRows() }) {
			top.Order = plan.BreakTies(top.Order, w.ties)
			top.Ties = len(top.Order) - len(first.order)
		}
		width := plan.Width(node)
		for _, i := range group {
			columns[i] = width + len(top.Calls)
			top.Calls = append(top.Calls, w.calls[i].WindowCall)
			top.Names = append(top.Names, w.calls[i].Fn.Name)
		}
		node = top
	}
	return node, columns
}

// stacked lists the calls of each window, by their places, in the order in which the windows are computed.
func (w *windows) stacked() [][]int {
	var groups [][]int
	for i, c := range w.calls {
		at := slices.IndexFunc(groups, func(g []int) bool { return w.calls[g[0]].sameWindow(c) })
		if at < 0 {
			groups, at = append(groups, nil), len(groups)
		}
		groups[at] = append(groups[at], i)
	}
	// The place of a partition is that of its first window.
	place := func(g []int) int {
		return slices.IndexFunc(w.calls, func(c windowCall) bool { return sameExprs(c.partition, w.calls[g[0]].partition) })
	}
	slices.SortStableFunc(groups, func(a, b []int) int {
		if by := bySession(w.calls[a[0]], w.calls[b[0]]); by != 0 { // sessions change as rows come, so other windows are computed below them
			return by
		}
		if by := place(a) - place(b); by != 0 {
			return by
		}
		return len(w.calls[b[0]].order) - len(w.calls[a[0]].order)
	})
	return groups
}

// bindTies makes the order of events decide between rows that are equal in the order of a window, in functions that tell such rows apart. A view
// sees to that itself.
func (q *selection) bindTies() error {
	w := q.rows.windows
	if q.binder.continuous || q.aggregated() || len(q.scope.events) == 0 {
		return nil
	}
	if slices.ContainsFunc(w.calls, func(c windowCall) bool { return c.GoesByRows() }) {
		w.ties = q.scope.eventOrder(false)[1:] // by partition and offset
	}
	return nil
}

// windows puts the window functions on top of node, and what they gave in the place of what stood for them.
func (q *selection) windows(node plan.Node) plan.Node {
	calls := q.rows.windows
	if len(calls.calls) == 0 {
		return node
	}
	node, columns := calls.plan(node)
	var settle func(e plan.Expr) plan.Expr
	settle = func(e plan.Expr) plan.Expr {
		switch e := e.(type) {
		case *plan.ColumnRef:
			if isWindow(e) {
				return &plan.ColumnRef{Index: columns[firstWindow-e.Index], Name: e.Name, Typ: e.Typ}
			}
		case *plan.Subquery:
			out := &plan.Subquery{Plan: e.Plan, Args: each(e.Args, settle), Mark: e.Mark}
			if e.Test != nil {
				out.Test = settle(e.Test)
			}
			return out
		}
		return overParts(e, settle)
	}
	above := &attachment{node: node}
	place := func(e plan.Expr) plan.Expr { return above.rewrite(settle(e)) }
	q.eachResult(place)
	q.rows.spreads.arrays = each(q.rows.spreads.arrays, place)
	if q.qualify == nil {
		return above.node
	}
	predicate := place(q.qualify)
	return &plan.Filter{Input: above.node, Predicate: predicate}
}

func each(list []plan.Expr, f func(plan.Expr) plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		out[i] = f(e)
	}
	return out
}
