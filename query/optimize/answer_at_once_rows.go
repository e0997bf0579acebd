package optimize

import (
	"math"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// spreadLimit numbers the rows of each row of the domain and keeps those that the limit lets through.
func (d *domain) spreadLimit(n *plan.Limit) (plan.Node, bool) {
	if n.Bounds != nil || n.Count == 0 || n.Count > math.MaxInt64-n.Offset {
		return nil, false
	}
	if p, ok := n.Input.(*plan.Project); ok { // what is computed of a row that is let through is not computed of others
		return d.spreadProject(&plan.Project{Input: &plan.Limit{Input: p.Input, Count: n.Count, Offset: n.Offset}, Exprs: p.Exprs, Names: p.Names})
	}
	source, keys := n.Input, []plan.SortKey(nil)
	if s, ok := source.(*plan.Sort); ok {
		if s.Limit >= 0 {
			return nil, false
		}
		source, keys = s.Input, s.Keys
	} else if anyMayFail(source) { // a row that nobody would have come to must not fail
		return nil, false
	}
	input, ok := d.spread(source)
	if !ok || slices.ContainsFunc(keys, func(k plan.SortKey) bool { return plan.Volatile(k.Expr) }) {
		return nil, false
	}
	width := plan.Width(source)
	within := func(e plan.Expr) plan.Expr { return d.within(e, width) }
	numbered := &plan.Window{Input: input, Partition: []plan.Expr{d.column(0, width)}, Order: mapKeys(keys, within)}
	numbered.Calls, numbered.Names = []plan.WindowCall{{Fn: plan.Functions["row_number"][0]}}, []string{"row_number"}
	place := &plan.ColumnRef{Index: width + d.width(), Name: "row_number", Typ: bigintLiteral(0).Typ}
	var keeps []plan.Expr
	if n.Offset > 0 {
		keeps = append(keeps, compared(">", place, bigintLiteral(n.Offset)))
	}
	if n.Count > 0 {
		keeps = append(keeps, compared("<=", place, bigintLiteral(n.Offset+n.Count)))
	}
	return taken(where(numbered, keeps), upTo(width+d.width())...), true
}

// compared is a comparison of values of the same type.
func compared(op string, left, right plan.Expr) plan.Expr {
	i := slices.IndexFunc(plan.Functions[op], func(f *plan.Function) bool { return f.Args[0].Equal(left.Type()) && f.Args[1].Equal(right.Type()) })
	return &plan.Call{Fn: plan.Functions[op][i], Args: []plan.Expr{left, right}}
}

// anyMayFail reports whether an expression of a plan could fail for some row, be it of the outer one.
func anyMayFail(n plan.Node) bool {
	fails := false
	mapExpressions(n, func(e plan.Expr) plan.Expr {
		inside := rewriteExpr(e, func(e plan.Expr) plan.Expr {
			if outer, ok := e.(*plan.OuterRef); ok {
				return &plan.ColumnRef{Index: max(0, outer.Index), Name: outer.Name, Typ: outer.Typ}
			}
			return e
		})
		fails = fails || mayFail(inside)
		return e
	})
	return fails || slices.ContainsFunc(n.Inputs(), anyMayFail)
}

// spreadFirstRows keeps the first rows of each row of the domain.
func (d *domain) spreadFirstRows(n *plan.FirstRows) (plan.Node, bool) {
	input, ok := d.spread(n.Input)
	if !ok || slices.ContainsFunc(n.Exprs(), plan.Volatile) {
		return nil, false
	}
	width := plan.Width(n.Input)
	within := func(e plan.Expr) plan.Expr { return d.within(e, width) }
	by := append(slices.Clone(mapAll(n.By, within)), d.column(0, width))
	return &plan.FirstRows{Input: input, By: by, Keys: mapKeys(n.Keys, within)}, true
}

// spreadWindow keeps the rows of different rows of the domain in different partitions.
func (d *domain) spreadWindow(n *plan.Window) (plan.Node, bool) {
	if slices.ContainsFunc(n.Exprs(), plan.Volatile) {
		return nil, false
	}
	input, ok := d.spread(n.Input)
	if !ok {
		return nil, false
	}
	width := plan.Width(n.Input)
	moved := n.Map(func(e plan.Expr) plan.Expr { return d.within(e, width) })
	out := *moved
	out.Input = input
	out.Partition = append(slices.Clone(out.Partition), d.column(0, width))
	return turned(&out, width, d.width(), len(n.Calls)), true
}

// spreadUnion puts the rows of all parts together, each with the row of the domain it belongs to.
func (d *domain) spreadUnion(n *plan.Union) (plan.Node, bool) {
	out := &plan.Union{}
	for _, part := range n.Parts {
		spread, ok := d.spread(part)
		if !ok {
			return nil, false
		}
		out.Parts = append(out.Parts, spread)
	}
	return out, true
}

// manyValues is up to how many rows that are written out become a part of a union each.
const manyValues = 32

// spreadValues computes each row that is written out from the rows of the domain.
func (d *domain) spreadValues(n *plan.Values) (plan.Node, bool) {
	if len(n.Rows) > manyValues {
		return nil, false
	}
	out := &plan.Union{}
	for _, row := range n.Rows {
		if slices.ContainsFunc(row, plan.Volatile) {
			return nil, false
		}
		exprs, names := d.columns(0)
		part := &plan.Project{Input: d.table, Exprs: append(slices.Clone(d.withinAll(row, 0)), exprs...)}
		for _, c := range n.Cols {
			part.Names = append(part.Names, c.Name)
		}
		part.Names = append(part.Names, names...)
		out.Parts = append(out.Parts, part)
	}
	if len(out.Parts) == 1 {
		return out.Parts[0], true
	}
	return out, true
}

// spreadUnnest multiplies rows by the elements of their arrays.
func (d *domain) spreadUnnest(n *plan.Unnest) (plan.Node, bool) {
	input, ok := d.spread(n.Input)
	if !ok || slices.ContainsFunc(n.Arrays, plan.Volatile) {
		return nil, false
	}
	width := plan.Width(n.Input)
	out := &plan.Unnest{Input: input, Arrays: d.withinAll(n.Arrays, width), Ordinality: n.Ordinality, Names: n.Names}
	return turned(out, width, d.width(), len(n.Names)), true
}
