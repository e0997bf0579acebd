package bind

import (
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// plan stacks the nodes of a bound select: source, WHERE, grouping, HAVING, result, DISTINCT, ORDER BY, LIMIT. Sort keys are
// always columns of the projection below the sort; those that are not in the result are dropped above it.
func (q *selection) plan() (plan.Node, error) {
	var err error
	node := q.scope.node()
	if q.where != nil {
		a := &attachment{node: node}
		predicate := a.rewrite(q.where)
		node = &plan.Filter{Input: a.node, Predicate: predicate}
	}
	if q.latest != nil {
		node = &plan.FirstRows{Input: node, By: q.latest.By, Keys: q.latest.Keys}
	}
	if q.aggregated() {
		if node, err = q.aggregate(q.spreadGroups(node)); err != nil {
			return nil, err
		}
	}
	node = q.spread(q.windows(q.attachOutputs(node)))
	node, hidden := q.project(node)
	switch {
	case len(q.distinctOn) > 0:
		node = q.firstOf(node)
	case q.ast.Distinct:
		node = distinct(node)
	}
	if q.ast.Ties {
		if node, err = q.withTies(node); err != nil {
			return nil, err
		}
		hidden = true
	}
	if len(q.keys) > 0 {
		node = &plan.Sort{Input: node, Keys: planKeys(node.Columns(), q.keys), Limit: -1}
	}
	if node, err = q.limited(node); err != nil {
		return nil, err
	}
	if hidden {
		node = firstColumns(node, len(q.outputs))
	}
	return node, nil
}

// aggregate puts the grouping on top of node and rewrites the clauses after it.
func (q *selection) aggregate(node plan.Node) (plan.Node, error) {
	calls, err := q.markGroups(q.rows.aggregates.calls)
	if err != nil {
		return nil, err
	}
	agg := attachGroups(node, q.groups, calls)
	agg.Sets = q.sets
	for _, g := range q.groups {
		agg.Names = append(agg.Names, g.String())
	}
	for _, c := range q.rows.aggregates.calls {
		agg.Names = append(agg.Names, c.String())
	}
	g := &grouping{groups: q.groups, sampled: q.sampled, at: q.rows.at}
	for i := range q.outputs {
		if q.outputs[i].expr, err = g.rewrite(q.outputs[i].expr); err != nil {
			return nil, err
		}
	}
	for _, keys := range [][]sortKey{q.keys, q.distinctOn} {
		for i, k := range keys {
			if k.index >= 0 {
				continue
			}
			if keys[i].expr, err = g.rewrite(k.expr); err != nil {
				return nil, err
			}
		}
	}
	if err := q.rows.windows.regroup(g); err != nil {
		return nil, err
	}
	if err := q.rows.spreads.regroup(g); err != nil {
		return nil, err
	}
	if q.qualify != nil {
		if q.qualify, err = g.rewrite(q.qualify); err != nil {
			return nil, err
		}
	}
	top, err := q.filledOrLatest(agg)
	if err != nil || q.having == nil {
		return top, err
	}
	if q.having, err = g.rewrite(q.having); err != nil {
		return nil, err
	}
	a := &attachment{node: top}
	having := a.rewrite(q.having)
	return &plan.Filter{Input: a.node, Predicate: having}, nil
}

// project computes the result and, after it, the sort keys that are not in it; hidden tells that there are any.
func (q *selection) project(node plan.Node) (out plan.Node, hidden bool) {
	p := &plan.Project{Input: node}
	for _, o := range q.outputs {
		p.Exprs, p.Names = append(p.Exprs, o.expr), append(p.Names, o.name)
	}
	for _, keys := range [][]sortKey{q.keys, q.distinctOn, q.ties} {
		for i, k := range keys {
			if k.index >= 0 {
				continue
			}
			keys[i].index = len(p.Exprs)
			p.Exprs, p.Names = append(p.Exprs, k.expr), append(p.Names, k.expr.String())
			hidden = true
		}
	}
	return p, hidden
}

func planKeys(columns []plan.Column, from []sortKey) []plan.SortKey {
	keys := make([]plan.SortKey, len(from))
	for i, k := range from {
		first := k.order.Nulls == ast.NullsFirst || (k.order.Nulls == ast.NullsDefault && k.order.Descending)
		keys[i] = plan.SortKey{Expr: columnOf(columns, k.index), Descending: k.order.Descending, NullsFirst: first}
	}
	return keys
}

func columnOf(columns []plan.Column, i int) *plan.ColumnRef {
	return &plan.ColumnRef{Index: i, Name: columns[i].Name, Typ: columns[i].Type}
}

// distinct keeps one of all equal rows: grouping by every column does that.
func distinct(node plan.Node) plan.Node {
	agg := &plan.Aggregate{Input: node}
	columns := node.Columns()
	for i, c := range columns {
		agg.Groups, agg.Names = append(agg.Groups, columnOf(columns, i)), append(agg.Names, c.Name)
	}
	return agg
}

// firstColumns passes the first n columns.
func firstColumns(node plan.Node, n int) plan.Node {
	p := &plan.Project{Input: node}
	columns := node.Columns()
	for i, c := range columns[:n] {
		p.Exprs, p.Names = append(p.Exprs, columnOf(columns, i)), append(p.Names, c.Name)
	}
	return p
}
