package continuous

import "github.com/tidemarkdb/tidemark/query/plan"

// holder is an operator that can itself hold its rows back until the watermark has passed one of their columns. A group then gives one
// row when it is complete, instead of one at each step.
type holder interface {
	node
	// hold makes it so, and reports false where the column is not one that it can go by.
	hold(column int, closeLag, finalLag int64) bool
}

// holdBelow lets the operator that a time comes from hold rows back, where all above it treat every row by itself. It changes
// operators and is called before anybody else sees them.
func holdBelow(at *node, column int, closeLag, finalLag int64, corrected bool) bool {
	held := false
	switch n := (*at).(type) {
	case *projectNode:
		ref, ok := n.exprs[column].(*plan.ColumnRef)
		held = ok && holdBelow(&n.ins[0], ref.Index, closeLag, finalLag, corrected)
	case *filterNode:
		held = holdBelow(&n.ins[0], column, closeLag, finalLag, corrected)
	case holder:
		held = n.hold(column, closeLag, finalLag)
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
	t.final, t.appendOnly = true, !corrected
	return true
}

func (n *accumulateNode) hold(column int, closeLag, finalLag int64) bool {
	if column >= len(n.types) {
		return false
	}
	n.schedule = schedule{expires: column, lag: finalLag, closes: column, closeLag: closeLag}
	return true
}
