package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// splitMarks makes of a mark join whose pairs are found by the sides of an OR one mark join for each side, where each finds its pairs
// without trying all: EXISTS (... WHERE b.id = a.id OR b.name = a.name). The mark is the OR of theirs.
func splitMarks(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		if j, ok := n.(*plan.Join); ok && j.Kind == plan.MarkJoin {
			return splitMark(j), nil
		}
		return n, nil
	})
}

// mostMarks bounds how often the right side is read instead of once.
const mostMarks = 4

func splitMark(j *plan.Join) plan.Node {
	width := plan.Width(j.Left)
	finds := func(conditions []plan.Expr) bool {
		parts := plan.PartConditions(conditions, width)
		return len(parts.Keys)+len(parts.Ranges) > 0
	}
	if finds(j.On) || slices.ContainsFunc(j.On, mayFail) {
		return j
	}
	for i, e := range j.On {
		sides := disjuncts(e)
		if len(sides) < 2 || len(sides) > mostMarks ||
			slices.ContainsFunc(sides, func(side plan.Expr) bool { return !finds(plan.Conjuncts(side)) }) {
			continue
		}
		return marksOf(j, slices.Concat(j.On[:i], j.On[i+1:]), sides)
	}
	return j
}

// marksOf stacks a mark join for each of some conditions.
func marksOf(j *plan.Join, others, sides []plan.Expr) plan.Node {
	columns := j.Columns()
	width := len(columns) - 1
	n := j.Left
	var mark plan.Expr
	for i, side := range sides {
		more := &plan.Join{Left: n, Right: j.Right, Kind: plan.MarkJoin, Mark: j.Mark}
		for _, c := range slices.Concat(plan.Conjuncts(side), others) {
			more.On = append(more.On, movedFrom(c, width, i))
		}
		if j.Test != nil {
			more.Test = movedFrom(j.Test, width, i)
		}
		n = more
		one := plan.Expr(&plan.ColumnRef{Index: width + i, Name: j.Mark, Typ: columns[width].Type})
		if mark == nil {
			mark = one
		} else {
			mark = &plan.Call{Fn: plan.Functions["or"][0], Args: []plan.Expr{mark, one}}
		}
	}
	out := taken(n, upTo(width)...)
	out.Exprs, out.Names = append(out.Exprs, mark), append(out.Names, j.Mark)
	return out
}
