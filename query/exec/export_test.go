package exec

import (
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TakeTurns makes every query large from its start while a small one that never ends is about, so that all workers take turns. missing
// tells how many turns were not given back.
func (e *Engine) TakeTurns() (missing func() int, stop func()) {
	small := e.turns.enter()
	small.timer.Stop()
	e.turns.young = 0
	return func() int { return cap(e.turns.tokens) - len(e.turns.tokens) }, small.leave
}

// DivideAll lets workers divide the rows of groups that are too few for that.
func (e *Engine) DivideAll() { e.spreadFrom, e.spreadShare = 0, 1<<30 }

// TryPairsUpTo lets joins by ranges try all pairs of groups that have up to so many rows.
func (e *Engine) TryPairsUpTo(rows int) { e.rangeGroup = rows }

// Looked has f told whenever work looks whether somebody still waits for it, other than between batches.
func (e *Engine) Looked(f func()) { e.looked = f }

// AnswerAloneUpTo lets an Apply compute its right side for so many combinations of values one after another.
func (e *Engine) AnswerAloneUpTo(values int) { e.fewValues = values }

// InStretches are the calls of a window that are computed stretch by stretch where it has no room.
func InStretches(n *plan.Window) []plan.WindowCall {
	o := &windowOp{node: n, partition: make([]*kernel.Program, len(n.Partition))}
	var out []plan.WindowCall
	for _, c := range n.Calls {
		if o.spanOf(&windowCall{WindowCall: c}) != noSpan {
			out = append(out, c)
		}
	}
	return out
}
