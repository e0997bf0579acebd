package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pruneJoin drops from both sides what neither the output nor a condition reads.
func pruneJoin(n *plan.Join, used []bool) (plan.Node, places, error) {
	needed := joinNeeds(n.Kind, n.Left, n.Right, used)
	plan.MarkColumns(needed, n.On...)
	if n.Test != nil {
		plan.MarkColumns(needed, n.Test)
	}
	s, err := pruneSides(n.Left, n.Right, needed)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	out.Left, out.Right = s.left, s.right
	return mapJoin(&out, s.both.move), s.output(n.Kind), nil
}

// joinNeeds marks the columns of both sides that the output of a join has and somebody reads. The mark of a MarkJoin is of neither.
func joinNeeds(kind plan.JoinKind, left, right plan.Node, used []bool) []bool {
	width := plan.Width(left)
	needed := make([]bool, width+plan.Width(right))
	if kind == plan.MarkJoin {
		copy(needed[:width], used)
	} else {
		copy(needed, used)
	}
	return needed
}

// prunedSides are the two inputs of a join without the columns that nobody needs, and where the others have gone.
type prunedSides struct {
	left, right     plan.Node
	leftAt, rightAt places
	both            places // of the columns of both, side by side
}

func pruneSides(left, right plan.Node, needed []bool) (s prunedSides, err error) {
	width := plan.Width(left)
	if s.left, s.leftAt, err = prune(left, needed[:width]); err != nil {
		return s, err
	}
	if s.right, s.rightAt, err = prune(right, needed[width:]); err != nil {
		return s, err
	}
	s.both = beside(s.leftAt, s.rightAt, plan.Width(s.left))
	return s, nil
}

// output is where the columns of a join have gone.
func (s prunedSides) output(kind plan.JoinKind) places {
	if kind == plan.MarkJoin {
		return append(slices.Clone(s.leftAt), plan.Width(s.left))
	}
	return s.both
}

// beside is where the columns of two inputs are when those of the first, width of them, are followed by those of the second.
func beside(left, right places, width int) places {
	out := append(places(nil), left...)
	for _, at := range right {
		if at >= 0 {
			at += width
		}
		out = append(out, at)
	}
	return out
}

func mapJoin(n *plan.Join, f func(plan.Expr) plan.Expr) plan.Node {
	on, test := mapAll(n.On, f), n.Test
	if test != nil {
		test = f(test)
	}
	if sameList(on, n.On) && test == n.Test {
		return n
	}
	out := *n
	out.On, out.Test = on, test
	return &out
}
