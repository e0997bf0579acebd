package continuous

import (
	"cmp"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// sessionTrim forgets the rows of sessions that are over. It looks at a partition when the first of its sessions could be over, at most
// once in a gap for each.
type sessionTrim struct {
	time int   // the column of event time
	gap  int64 // microseconds
	lag  int64 // of the end of sessions behind the watermark
}

// trimmedSessions finds out whether a window is one of sessions whose rows can be forgotten.
func trimmedSessions(n *plan.Window, input *traits) *sessionTrim {
	var out *sessionTrim
	for _, call := range n.Calls {
		if call.Fn != plan.SessionStart && call.Fn != plan.SessionEnd {
			return nil
		}
		ref, isColumn := call.Args[0].(*plan.ColumnRef)
		if !isColumn {
			return nil
		}
		gap, fixed := micros(call.Args[1].(*plan.Literal))
		lag, bounded := input.bounds[ref.Index]
		if !fixed || !bounded {
			return nil
		}
		out = &sessionTrim{time: ref.Index, gap: gap, lag: lag - 1}
	}
	return out
}

// sessionWatch says when to look at which partition.
type sessionWatch struct {
	checks  calendar
	pending []bool // by partition
}

// watch notes when to look at partitions that rows came to or went from.
func (o *recomputeOp) watch(keys []uint32) {
	if o.node.session == nil {
		return
	}
	w := &o.sessions
	w.pending = lengthened(w.pending, o.index.slots())
	for _, key := range keys {
		if !w.pending[key] && o.index.live[key] {
			o.look(key, NoWatermark)
		}
	}
}

// trim looks at the partitions of which a session may be over.
func (o *recomputeOp) trim(final int64) {
	if o.node.session == nil || final == NoWatermark {
		return
	}
	passed := behind(final, o.node.session.lag)
	for _, e := range o.sessions.checks.due(passed) {
		if o.sessions.pending[e.slot] = false; o.index.live[e.slot] {
			o.look(e.slot, passed)
		}
	}
}

// look forgets the sessions of a partition that were over at a time, and notes when the next one could be.
func (o *recomputeOp) look(key uint32, passed int64) {
	rows := o.bags[0].list(key, nil)
	times := o.bags[0].vectors[o.node.session.time].(*fixedVector[int64]).values
	slices.SortFunc(rows, func(a, b uint32) int { return cmp.Compare(times[a], times[b]) })
	next := int64(endOfTime)
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && times[rows[to]] < saturated(times[rows[to-1]], o.node.session.gap) {
			to++
		}
		end := saturated(times[rows[to-1]], o.node.session.gap)
		if passed != NoWatermark && end <= passed {
			for _, row := range rows[from:to] {
				o.bags[0].release(row)
			}
		} else {
			next = min(next, end)
		}
		from = to
	}
	if o.bags[0].empty(key) {
		o.index.remove([]uint32{key})
		return
	}
	o.sessions.checks.add(next, key)
	o.sessions.pending[key] = true
}
