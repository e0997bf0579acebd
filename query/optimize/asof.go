package optimize

import "github.com/tidemarkdb/tidemark/query/plan"

// pruneAsof drops from each side what neither the output nor a condition reads.
func pruneAsof(n *plan.AsofJoin, used []bool) (plan.Node, places, error) {
	width := plan.Width(n.Left)
	needed := append([]bool(nil), used...)
	if n.Within != nil {
		plan.MarkColumns(needed, n.Within)
	}
	plan.MarkColumns(needed[:width], append([]plan.Expr{n.LeftAt}, n.LeftKeys...)...)
	plan.MarkColumns(needed[width:], append([]plan.Expr{n.RightAt}, n.RightKeys...)...)
	s, err := pruneSides(n.Left, n.Right, needed)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	out.Left, out.Right = s.left, s.right
	out.LeftAt, out.LeftKeys = s.leftAt.move(n.LeftAt), mapAll(n.LeftKeys, s.leftAt.move)
	out.RightAt, out.RightKeys = s.rightAt.move(n.RightAt), mapAll(n.RightKeys, s.rightAt.move)
	if n.Within != nil {
		out.Within = s.both.move(n.Within)
	}
	return &out, s.both, nil
}

// pushIntoAsof applies conditions on the left side alone to it: they leave rows out, and change no row's partner.
func pushIntoAsof(n *plan.AsofJoin, conjuncts []plan.Expr) plan.Node {
	width := plan.Width(n.Left)
	var above, left []plan.Expr
	for _, c := range conjuncts {
		if len(above) > 0 && mayFail(c) || sides(c, width) != onlyLeft {
			above = append(above, c)
		} else {
			left = append(left, c)
		}
	}
	out := *n
	out.Left = filtered(n.Left, left)
	if len(above) == 0 {
		return &out
	}
	return &plan.Filter{Input: &out, Predicate: conjunction(above)}
}
