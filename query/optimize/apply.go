package optimize

import "github.com/tidemarkdb/tidemark/query/plan"

func mapApply(n *plan.Apply, f func(plan.Expr) plan.Expr) plan.Node {
	out := *n
	out.Args, out.On = mapAll(n.Args, f), mapAll(n.On, f)
	if n.Test != nil {
		out.Test = f(n.Test)
	}
	return &out
}

// pruneApply drops from the left side what neither the output, nor a condition, nor the right side reads, and from the right one what
// neither the output nor a condition does.
func pruneApply(n *plan.Apply, used []bool) (plan.Node, places, error) {
	needed := joinNeeds(n.Kind, n.Left, n.Right, used)
	plan.MarkColumns(needed, n.Args...)
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
	if n.AtOnce != nil {
		if out.AtOnce, err = pruneColumns(likePruned(n.AtOnce, s.rightAt, plan.Width(s.right))); err != nil {
			return nil, nil, err
		}
	}
	return mapApply(&out, s.both.move), s.output(n.Kind), nil
}

// likePruned has the columns of a right side where pruning has put them, and the number behind them.
func likePruned(atOnce plan.Node, rightAt places, width int) plan.Node {
	columns := atOnce.Columns()
	out := &plan.Project{Input: atOnce, Exprs: make([]plan.Expr, width+1), Names: make([]string, width+1)}
	for i, c := range columns {
		at := width // of the number
		if i < len(rightAt) {
			at = rightAt[i]
		}
		if at >= 0 {
			out.Exprs[at], out.Names[at] = &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}, c.Name
		}
	}
	return out
}

// pushIntoApply is pushIntoJoin for conditions on the left side alone.
func pushIntoApply(n *plan.Apply, conjuncts []plan.Expr) plan.Node {
	width := plan.Width(n.Left)
	var above, left []plan.Expr
	for _, c := range conjuncts {
		reads := sides(c, width)
		if len(above) > 0 && mayFail(c) || reads != onlyLeft || !keepsLeft(n.Kind) {
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
