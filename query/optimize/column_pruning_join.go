package optimize

import "github.com/tidemarkdb/tidemark/query/plan"

// pruneJoin drops from both sides what neither the output nor a condition reads.
func pruneJoin(n *plan.Join, used []bool) (plan.Node, places, error) {
	width := plan.Width(n.Left)
	needed := make([]bool, width+plan.Width(n.Right))
	if n.Kind == plan.MarkJoin {
		copy(needed[:width], used)
	} else {
		copy(needed, used)
	}
	plan.MarkColumns(needed, n.On...)
	if n.Test != nil {
		plan.MarkColumns(needed, n.Test)
	}
	left, leftAt, err := prune(n.Left, needed[:width])
	if err != nil {
		return nil, nil, err
	}
	right, rightAt, err := prune(n.Right, needed[width:])
	if err != nil {
		return nil, nil, err
	}
	both := beside(leftAt, rightAt, plan.Width(left))
	out := *n
	out.Left, out.Right = left, right
	if n.Kind == plan.MarkJoin {
		return mapJoin(&out, both.move), append(append(places(nil), leftAt...), plan.Width(left)), nil
	}
	return mapJoin(&out, both.move), both, nil
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
