package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// maxGroupingSets bounds what CUBE and several elements side by side multiply up to; PostgreSQL has the same bound.
const maxGroupingSets = 4096

// bindGroups binds GROUP BY. As in PostgreSQL a name is a column of the input first and an alias second. Elements that stand side
// by side multiply: each set of one is joined with each set of the next.
func (q *selection) bindGroups() error {
	q.plain.place = "GROUP BY"
	if q.ast.GroupByAll {
		q.groupByAll()
	}
	if q.ast.Fill != nil && len(q.ast.GroupBy) == 0 && len(q.groups) == 0 {
		return event.Errorf(event.CodeBadRequest, "FILL needs buckets of time in GROUP BY").At(q.ast.Fill.Pos)
	}
	sets, several := [][]int{nil}, false
	for _, e := range q.ast.GroupBy {
		element, err := q.groupElement(e)
		if err != nil {
			return err
		}
		if sets, err = crossSets(sets, element, e.Position()); err != nil {
			return err
		}
		_, ok := e.(*ast.Grouping)
		several = several || ok
	}
	if q.ast.GroupByDistinct {
		sets = differentSets(sets)
	}
	if several && (len(sets) != 1 || len(sets[0]) != len(q.groups) || len(q.groups) == 0) {
		q.sets = sets
	}
	return nil
}

// differentSets leaves out sets that are equal to one before.
func differentSets(sets [][]int) [][]int {
	var out [][]int
	for _, set := range sets {
		sorted := slices.Sorted(slices.Values(set))
		if !slices.ContainsFunc(out, func(o []int) bool { return slices.Equal(slices.Sorted(slices.Values(o)), sorted) }) {
			out = append(out, set)
		}
	}
	return out
}

// groupByAll groups by every column of the result that has no aggregate in it.
func (q *selection) groupByAll() {
	for _, o := range q.outputs {
		if !hasAggregate(o.expr) {
			q.addGroup(o.expr)
		}
	}
}

// groupElement gives the sets of groups that an element stands for.
func (q *selection) groupElement(e ast.Expr) ([][]int, error) {
	g, ok := e.(*ast.Grouping)
	if row, isRow := q.rowOf(e); isRow {
		g, ok = &ast.Grouping{Pos: row.Pos, Items: row.Items}, true
	}
	if !ok {
		i, err := q.groupIndex(e)
		return [][]int{{i}}, err
	}
	if g.Kind == "GROUPING SETS" {
		return q.unionSets(g)
	}
	items := make([][]int, len(g.Items))
	for i, item := range g.Items {
		sets, err := q.groupElement(item)
		if err != nil {
			return nil, err
		}
		if inner, ok := item.(*ast.Grouping); ok && inner.Kind != "" {
			return nil, event.Errorf(event.CodeSyntax, "%s cannot stand inside %s", inner.Kind, g.Kind).At(inner.Pos)
		}
		items[i] = sets[0]
	}
	switch g.Kind {
	case "ROLLUP":
		return rollup(items), nil
	case "CUBE":
		return cube(items, g.Pos)
	default:
		return [][]int{joined(items)}, nil
	}
}

// rowOf is the row of values that a key stands for, unless it names a column of the result.
func (q *selection) rowOf(e ast.Expr) (*ast.Row, bool) {
	if name, ok := bareName(e); ok {
		if i, err := q.alias(name); err != nil || i >= 0 {
			return nil, false
		}
	}
	return q.plain.rowOf(e)
}

func (q *selection) unionSets(g *ast.Grouping) ([][]int, error) {
	var out [][]int
	for _, item := range g.Items {
		sets, err := q.groupElement(item)
		if err != nil {
			return nil, err
		}
		if out = append(out, sets...); len(out) > maxGroupingSets {
			return nil, tooManySets(g.Pos)
		}
	}
	return out, nil
}

func (q *selection) groupIndex(e ast.Expr) (int, error) {
	group, err := q.group(e)
	if err != nil {
		return 0, err
	}
	if findWindow(group) {
		return 0, event.Errorf(event.CodeBadRequest, "a window function cannot stand in GROUP BY").At(e.Position()).
			WithHint("compute it in a query of WITH, then group that")
	}
	if hasAggregate(group) {
		return 0, event.Errorf(event.CodeBadRequest, "an aggregate cannot stand in GROUP BY").At(e.Position())
	}
	return q.addGroup(group), nil
}

// addGroup gives the place of a group, which is a new one if no other is the same.
func (q *selection) addGroup(group plan.Expr) int {
	for i, g := range q.groups {
		if sameExpr(g, group) {
			return i
		}
	}
	q.groups = append(q.groups, group)
	return len(q.groups) - 1
}

// rollup is all items, then ever fewer of the first ones, then none.
func rollup(items [][]int) [][]int {
	out := make([][]int, 0, len(items)+1)
	for n := len(items); n >= 0; n-- {
		out = append(out, joined(items[:n]))
	}
	return out
}

// cube is every choice of items, those with the first items first.
func cube(items [][]int, pos event.Position) ([][]int, error) {
	if len(items) > 12 {
		return nil, tooManySets(pos)
	}
	var out [][]int
	for leftOut := range 1 << len(items) {
		var chosen [][]int
		for i, item := range items {
			if leftOut&(1<<(len(items)-1-i)) == 0 {
				chosen = append(chosen, item)
			}
		}
		out = append(out, joined(chosen))
	}
	return out, nil
}

func crossSets(a, b [][]int, pos event.Position) ([][]int, error) {
	if len(a)*len(b) > maxGroupingSets {
		return nil, tooManySets(pos)
	}
	var out [][]int
	for _, x := range a {
		for _, y := range b {
			out = append(out, joined([][]int{x, y}))
		}
	}
	return out, nil
}

// joined is the union of sets, each element once.
func joined(sets [][]int) []int {
	out := []int{}
	for _, set := range sets {
		for _, i := range set {
			if !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

func tooManySets(pos event.Position) error {
	return event.Errorf(event.CodeBadRequest, "GROUP BY has more than %d grouping sets", maxGroupingSets).At(pos)
}

// grouping binds grouping(...), whose arguments are looked up among the groups when these are known. Where they name columns of the row
// around this query only, the groups are those of the query around.
func (x *scalars) grouping(e *ast.Call) (plan.Expr, error) {
	pos := e.Name.Pos
	switch {
	case e.Star, e.Distinct, e.Filter != nil, len(e.OrderBy) > 0, len(e.Args) == 0:
		return nil, event.Errorf(event.CodeSyntax, "grouping takes expressions of GROUP BY").At(pos)
	case len(e.Args) > 63:
		return nil, event.Errorf(event.CodeBadRequest, "grouping takes at most 63 arguments").At(pos)
	}
	restore := x.outer.mark()
	reads := &levels{}
	inner := *x
	inner.aggregates, inner.place, inner.reads = nil, "the arguments of grouping", reads
	call := plan.Aggregation{Fn: plan.GroupingFunction}
	for _, arg := range e.Args {
		bound, err := inner.value(arg)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, bound)
	}
	if reads.outer && !reads.own {
		restore() // what the arguments took is not read here
		value, err := x.outer.x.grouping(e)
		if err != nil {
			return nil, err
		}
		return x.outer.take(value, "grouping"), nil
	}
	if x.aggregates == nil {
		return nil, event.Errorf(event.CodeBadRequest, "grouping cannot stand in %s", x.place).At(pos)
	}
	x.aggregates.groupingAt = pos
	return x.aggregates.add(call), nil
}

// markGroups replaces the arguments of grouping by the places of the groups that they are.
func (q *selection) markGroups(calls []plan.Aggregation) ([]plan.Aggregation, error) {
	out := slices.Clone(calls)
	for i, c := range out {
		if c.Fn != plan.GroupingFunction {
			continue
		}
		for _, arg := range c.Args {
			at := slices.IndexFunc(q.groups, func(g plan.Expr) bool { return sameExpr(g, arg) })
			if at < 0 {
				return nil, event.Errorf(event.CodeBadRequest, "%s is not in GROUP BY, as the arguments of grouping must be", arg).
					At(q.rows.aggregates.groupingAt)
			}
			out[i].Marks = append(out[i].Marks, at)
		}
		out[i].Args = nil
	}
	return out, nil
}
