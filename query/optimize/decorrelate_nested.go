package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// paired looks for rows and what they are asked to pair with at once: of a query that is only asked whether it has a row, conditions that
// rows of a further query exist (marks that must be true, by joins whose conditions read the row around both) become inner joins, as in
// EXISTS (a WHERE EXISTS (b WHERE b.id = a.id AND b.v = outer.v)). A row that pairs several times comes several times, which makes
// no difference there. The columns of n stay where they are; those of the further queries follow. The conditions on the outer row are
// given back; ok is false where something else in n reads it.
func paired(n plan.Node, conditions []plan.Expr) (out plan.Node, outer []plan.Expr, ok bool) {
	join, isJoin := n.(*plan.Join)
	if !isJoin || join.Kind != plan.MarkJoin || !readsOuter(n) {
		return n, nil, !readsOuter(n)
	}
	width := plan.Width(join.Left)
	if readsOuter(join.Right) || !slices.ContainsFunc(conditions, func(e plan.Expr) bool { return isColumn(e, width) }) {
		return nil, nil, false
	}
	left, lower, ok := paired(join.Left, conditions)
	if !ok {
		return nil, nil, false
	}
	more := plan.Width(left) - width // columns that the left side has got
	for _, c := range lower {
		outer = append(outer, movedFrom(c, width, 1)) // behind the mark
	}
	inner := &plan.Join{Left: left, Right: join.Right, Kind: plan.InnerJoin}
	on := join.On
	if join.Test != nil {
		on = append(slices.Clone(on), plan.Conjuncts(join.Test)...)
	}
	for _, c := range on {
		if hasOuter(c) {
			outer = append(outer, movedFrom(c, width, more+1))
		} else {
			inner.On = append(inner.On, movedFrom(c, width, more))
		}
	}
	if !slices.ContainsFunc(inner.On, func(c plan.Expr) bool { _, _, finds := plan.SplitEquality(c, width+more); return finds }) {
		return nil, nil, false // all pairs are more than one row after another has to look at
	}
	return withTrueMark(inner, width, join.Mark), outer, true
}

// withTrueMark puts a column that is true before column at.
func withTrueMark(n plan.Node, at int, name string) plan.Node {
	holds := &plan.Literal{Value: event.NewBooleans(event.Bitmap{1}, 1, nil), Typ: event.Type{Kind: event.Boolean}}
	out := &plan.Project{Input: n}
	for i, c := range n.Columns() {
		out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		out.Names = append(out.Names, c.Name)
	}
	out.Exprs, out.Names = slices.Insert(out.Exprs, at, plan.Expr(holds)), slices.Insert(out.Names, at, name)
	return out
}

// movedFrom refers to the columns from first on by further places on.
func movedFrom(e plan.Expr, first, by int) plan.Expr {
	return replaceColumns(e, func(c *plan.ColumnRef) plan.Expr {
		if c.Index < first {
			return c
		}
		return &plan.ColumnRef{Index: c.Index + by, Name: c.Name, Typ: c.Typ}
	})
}

func isColumn(e plan.Expr, index int) bool {
	c, ok := e.(*plan.ColumnRef)
	return ok && c.Index == index
}
