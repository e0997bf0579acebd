package optimize

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushIntoJoin is a join with conjuncts applied to its rows. Conditions on one side go below the join where they cannot fail, or
// where every row of that side comes out anyway; what is left of an inner join's becomes conditions of the join, so that an
// equality finds the pairs. A condition that no row padded with NULLs can meet makes an outer join an inner one.
func pushIntoJoin(n *plan.Join, conjuncts []plan.Expr) plan.Node {
	width := plan.Width(n.Left)
	out := *n
	out.Kind = narrowed(n.Kind, conjuncts, width)
	if out.Kind == plan.InnerJoin {
		return innerJoin(out.Left, out.Right, append(append([]plan.Expr(nil), n.On...), conjuncts...))
	}
	var above, left, right, on []plan.Expr
	for _, c := range conjuncts {
		switch reads := sides(c, width); {
		case len(above) > 0 && mayFail(c):
			above = append(above, c)
		case reads == onlyLeft && keepsLeft(out.Kind):
			left = append(left, c)
		case reads == onlyRight && out.Kind == plan.RightJoin:
			right = append(right, shifted(c, -width))
		default:
			above = append(above, c)
		}
	}
	for _, c := range n.On {
		switch reads := sides(c, width); {
		case mayFail(c):
			on = append(on, c)
		case reads == onlyRight && keepsLeft(out.Kind):
			right = append(right, shifted(c, -width))
		case reads == onlyLeft && out.Kind == plan.RightJoin:
			left = append(left, c)
		default:
			on = append(on, c)
		}
	}
	out.On = on
	out.Left, out.Right = filtered(n.Left, left), filtered(n.Right, right)
	return where(&out, above)
}

// innerJoin joins two inputs by conditions, of which those on one side that cannot fail go below.
func innerJoin(left, right plan.Node, conditions []plan.Expr) plan.Node {
	width := plan.Width(left)
	var toLeft, toRight, on []plan.Expr
	for _, c := range conditions {
		switch reads := sides(c, width); {
		case mayFail(c):
			on = append(on, c)
		case reads == onlyLeft:
			toLeft = append(toLeft, c)
		case reads == onlyRight:
			toRight = append(toRight, shifted(c, -width))
		default:
			on = append(on, c)
		}
	}
	return &plan.Join{Left: filtered(left, toLeft), Right: filtered(right, toRight), Kind: plan.InnerJoin, On: on}
}

func filtered(n plan.Node, conjuncts []plan.Expr) plan.Node {
	if len(conjuncts) == 0 {
		return n
	}
	return pushInto(n, conjuncts)
}

// keepsLeft holds for joins of which each row of the left side comes out at least once.
func keepsLeft(kind plan.JoinKind) bool {
	return kind == plan.LeftJoin || kind == plan.SingleJoin || kind == plan.MarkJoin
}

// narrowed is the kind of join that gives the same rows once conditions have been applied: one that is never true for the NULLs
// of a side makes padding that side pointless.
func narrowed(kind plan.JoinKind, conjuncts []plan.Expr, width int) plan.JoinKind {
	for _, c := range conjuncts {
		left, right := rejectsNulls(c, width)
		switch {
		case kind == plan.LeftJoin && right, kind == plan.RightJoin && left:
			kind = plan.InnerJoin
		case kind == plan.FullJoin && left && right:
			kind = plan.InnerJoin
		case kind == plan.FullJoin && left:
			kind = plan.LeftJoin
		case kind == plan.FullJoin && right:
			kind = plan.RightJoin
		}
	}
	return kind
}

// rejectsNulls reports for each side whether a condition cannot be true where all of its columns are NULL: because it is NULL itself then,
// or is IS NOT NULL of something that is. IS NOT NULL counts as the whole condition only: it is false for NULL, and what stands
// around it, such as NOT, can make that true.
func rejectsNulls(e plan.Expr, width int) (left, right bool) {
	if c, ok := e.(*plan.Call); ok && c.Fn.Name == "is_not_null" {
		return nullWith(c.Args[0], width)
	}
	return nullWith(e, width)
}

// nullWith reports for each side whether an expression is NULL where all of the side's columns are: a strict function of strict functions
// of one of them.
func nullWith(e plan.Expr, width int) (left, right bool) {
	switch e := e.(type) {
	case *plan.ColumnRef:
		return e.Index < width, e.Index >= width
	case *plan.Cast:
		return nullWith(e.Input, width)
	case *plan.Call:
		if !e.Fn.Strict {
			return false, false
		}
		for _, a := range e.Args {
			l, r := nullWith(a, width)
			left, right = left || l, right || r
		}
	}
	return left, right
}

// reading says which sides of a join a condition reads.
type reading uint8

const (
	neither reading = iota
	onlyLeft
	onlyRight
	bothSides
)

func sides(e plan.Expr, width int) reading {
	out := neither
	plan.Walk(e, func(e plan.Expr) {
		c, ok := e.(*plan.ColumnRef)
		switch {
		case ok && c.Index < width:
			out |= onlyLeft
		case ok:
			out |= onlyRight
		}
	})
	return out
}

// shifted refers to columns by further places on.
func shifted(e plan.Expr, by int) plan.Expr {
	return replaceColumns(e, func(c *plan.ColumnRef) plan.Expr {
		return &plan.ColumnRef{Index: c.Index + by, Name: c.Name, Typ: c.Typ}
	})
}
