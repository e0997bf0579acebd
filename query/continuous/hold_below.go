package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// holder is an operator that can itself hold its rows back until the watermark has passed one of their columns. A group then gives one
// row when it is complete, instead of one at each step.
type holder interface {
	node
	// hold makes it so, and reports false where the column is not one that it can go by.
	hold(column int, closeLag, finalLag int64) bool
}

// holding is what rows are held back by: how far the watermark has to be past their time, and to be so for good, and whether late rows
// correct them in between.
type holding struct {
	closeLag, finalLag int64
	corrected          bool
}

// below lets the operators that a time comes from hold rows back, as deep as that can be: what lies above them then meets each row once,
// when it is complete, and all rows of one time in the same step. It changes operators and is called before anybody else sees them.
func (h holding) below(at *node, column int) bool {
	held := false
	switch n := (*at).(type) {
	case *projectNode:
		ref, ok := n.exprs[column].(*plan.ColumnRef)
		held = ok && h.below(&n.ins[0], ref.Index)
	case *filterNode:
		held = h.below(&n.ins[0], column)
	case *joinNode:
		held = h.join(n, column)
	case *recomputeNode:
		held = len(n.ins) == 1 && n.session == nil && h.parts(n.ins, n.parts, column)
	case *topNode:
		held = h.parts(n.ins, n.parts, column) || n.hold(column, h.closeLag, h.finalLag)
	case *retractNode:
		held = h.groups(n.of, column)
	case *accumulateNode:
		held = h.groups(n, column) || n.hold(column, h.closeLag, h.finalLag)
	case holder:
		held = n.hold(column, h.closeLag, h.finalLag)
	}
	if !held {
		return false
	}
	if grouping, ok := (*at).(*accumulateNode); ok {
		if panes := paned(grouping); panes != nil {
			*at = panes
		}
	}
	t := (*at).traits()
	t.final, t.appendOnly = true, !h.corrected
	return true
}

// input is below for an input of an operator that brings rows together. What it keeps of the others must wait as long: their column has
// to follow the watermark as the output's does.
func (h holding) input(ins []node, at, column int) bool {
	lag, ok := ins[at].traits().bounds[column]
	return ok && lag == h.finalLag && !h.corrected && h.below(&ins[at], column)
}

// join holds back the sides whose times are equal to the output's. A pair comes when the later of its rows does, so one side is enough;
// but rows that come out without a pair have to be held back themselves.
func (h holding) join(n *joinNode, column int) bool {
	width := len(n.ins[leftSide].columns())
	var columns [2]int // -1 where there is none
	columns[leftSide], columns[rightSide] = column, -1
	if column >= width {
		columns[leftSide], columns[rightSide] = -1, column-width
	}
	for _, g := range n.gaps {
		if g.least == 0 && g.most == 0 {
			switch {
			case g.left == columns[leftSide]:
				columns[rightSide] = g.right
			case g.right == columns[rightSide]:
				columns[leftSide] = g.left
			}
		}
	}
	hold := func(side int) bool { return columns[side] >= 0 && h.input(n.ins, side, columns[side]) }
	switch n.kind {
	case plan.InnerJoin:
		left := hold(leftSide)
		return hold(rightSide) || left
	case plan.LeftJoin:
		if !hold(leftSide) {
			return false
		}
		hold(rightSide)
		return true
	default:
		return false
	}
}

// parts holds back what window functions and first rows are computed over, where the rows that meet all have the same time.
func (h holding) parts(ins []node, parts []int, column int) bool {
	return slices.Contains(parts, column) && h.input(ins, 0, column)
}

// groups holds back what is grouped, where the time is one of the groups.
func (h holding) groups(n *accumulateNode, column int) bool {
	if column >= len(n.plan.Groups) {
		return false
	}
	ref, ok := n.plan.Groups[column].(*plan.ColumnRef)
	return ok && h.input(n.ins, 0, ref.Index)
}

func (n *accumulateNode) hold(column int, closeLag, finalLag int64) bool {
	if column >= len(n.types) {
		return false
	}
	n.schedule = schedule{expires: column, lag: finalLag, closes: column, closeLag: closeLag}
	return true
}
