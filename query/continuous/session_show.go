package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// show gives the sessions that changed in the place of what was given of them.
func (o *sessionOp) show(changed sessionChange, over passed, s *stepping) (Delta, error) {
	now, touched := changed.slots, changed.slots
	switch {
	case o.node.latest:
		now, touched = o.newest(changed, over)
	case o.node.held:
		now = o.complete(now, s)
	}
	// What was given of these goes: of sessions that are held back again too, because a late row moved their end.
	var gone []uint32
	for _, slot := range distinct(slices.Concat(changed.absorbed, touched, now)) {
		if o.isShown[slot] {
			gone = append(gone, slot)
			o.isShown[slot] = false
		}
	}
	before := o.rowsOf(gone, func(slot uint32) (int64, int64) { return o.shownStart[slot], o.shownEnd[slot] })
	for i, v := range o.shown {
		before.Columns[len(o.node.from)+i] = v.gather(gone)
	}
	results, err := o.groups.results(now, len(o.groups.calls))
	if err != nil {
		return Delta{}, err
	}
	results = typed(results, o.node.cols[len(o.node.from):])
	bounds := o.bounds(now)
	after := o.rowsOf(now, func(slot uint32) (int64, int64) { return bounds[slot].start, bounds[slot].end })
	copy(after.Columns[len(o.node.from):], results)
	o.keepShown(now, bounds, results)
	o.groups.drop(changed.absorbed)
	out, err := sum(o.node.cols, before.negated(), after)
	return consolidate(out), err
}

// keepShown remembers what was given.
func (o *sessionOp) keepShown(slots []uint32, bounds map[uint32]session, results []arrow.Array) {
	for _, slot := range slots {
		o.isShown[slot] = true
		o.shownStart[slot], o.shownEnd[slot] = bounds[slot].start, bounds[slot].end
	}
	for i, v := range o.shown {
		v.put(slots, results[i], nil)
	}
}

// bounds finds sessions by their slots.
func (o *sessionOp) bounds(slots []uint32) map[uint32]session {
	out := make(map[uint32]session, len(slots))
	for _, slot := range slots {
		for _, s := range o.open[o.owner[slot]] {
			if s.slot == slot {
				out[slot] = s
			}
		}
	}
	return out
}

// rowsOf are the groups of sessions, the aggregates left open.
func (o *sessionOp) rowsOf(slots []uint32, bounds func(slot uint32) (start, end int64)) Delta {
	out := Delta{Columns: make([]arrow.Array, len(o.node.cols)), Rows: len(slots)}
	starts, ends, keys := make([]int64, len(slots)), make([]int64, len(slots)), make([]uint32, len(slots))
	for i, slot := range slots {
		starts[i], ends[i] = bounds(slot)
		keys[i] = o.owner[slot]
	}
	for i, at := range o.node.from {
		switch at {
		case sessionStart:
			out.Columns[i] = event.NewTimestamps(starts, nil)
		case sessionEnd:
			out.Columns[i] = event.NewTimestamps(ends, nil)
		default:
			out.Columns[i] = o.index.vectors[at].gather(keys)
		}
	}
	return out
}

// complete lists the sessions to show where they are held back: those shown before that changed, and those that the watermark has now
// passed.
func (o *sessionOp) complete(changed []uint32, s *stepping) []uint32 {
	var out []uint32
	closed := behind(s.closed, o.node.closeLag)
	if s.closed == NoWatermark {
		return nil
	}
	bounds := o.bounds(changed)
	for _, slot := range changed {
		if o.isShown[slot] && bounds[slot].end <= closed {
			out = append(out, slot)
		}
	}
	for _, key := range o.partitionsOf(o.closing.due(closed)) {
		for _, one := range o.open[key] {
			if one.end <= closed && !o.isShown[one.slot] {
				out = append(out, one.slot)
			}
		}
	}
	return out
}

// partitionsOf are the partitions of entries that are still there.
func (o *sessionOp) partitionsOf(entries []entry) []uint32 {
	var out []uint32
	for _, e := range entries {
		if o.index.live[e.slot] {
			out = append(out, e.slot)
		}
	}
	return distinct(out)
}

// passed is what the watermark has come past in a step: a time, and the partitions of which a session may end before it.
type passed struct {
	at   int64
	keys []uint32
}

// over finds the partitions of sessions that no row can touch any more.
func (o *sessionOp) over(s *stepping) passed {
	if !o.node.bounded || s.final == NoWatermark {
		return passed{at: NoWatermark}
	}
	at := behind(s.final, o.node.lag)
	return passed{at, o.partitionsOf(o.due.due(at))}
}

// newest lists the sessions to show where only the latest of each partition is, as far as something happened to the partition, and all
// those that one may take the place of.
func (o *sessionOp) newest(changed sessionChange, over passed) (now, touched []uint32) {
	keys := slices.Clone(over.keys)
	for _, slot := range changed.slots {
		keys = append(keys, o.owner[slot])
	}
	for _, key := range distinct(keys) {
		for i, one := range o.open[key] {
			touched = append(touched, one.slot)
			if i == len(o.open[key])-1 && one.end > over.at {
				now = append(now, one.slot)
			}
		}
	}
	return now, touched
}

// forget drops the sessions that no row can touch any more.
func (o *sessionOp) forget(passed passed) error {
	if len(passed.keys) == 0 {
		return nil
	}
	var over, empty []uint32
	for _, key := range passed.keys {
		left := o.open[key][:0]
		for _, one := range o.open[key] {
			if one.end <= passed.at {
				over = append(over, one.slot)
			} else {
				left = append(left, one)
			}
		}
		if o.open[key] = left; len(left) == 0 {
			empty = append(empty, key)
		}
	}
	o.index.remove(empty)
	for _, v := range o.shown {
		v.drop(over)
	}
	o.groups.drop(over)
	moved, err := o.groups.compact()
	if err != nil || moved == nil {
		return err
	}
	o.move(moved)
	return nil
}

// move follows the groups to their new slots.
func (o *sessionOp) move(from []uint32) {
	to := make(map[uint32]uint32, len(from))
	places := make([]uint32, len(from))
	was := *o
	o.owner, o.isShown, o.shownStart, o.shownEnd = nil, nil, nil, nil
	o.shown = newVectors(typesOf(o.node.cols[len(o.node.from):]))
	o.reach(len(from))
	for i, s := range from {
		to[s], places[i] = uint32(i), uint32(i)
		o.owner[i], o.isShown[i], o.shownStart[i], o.shownEnd[i] = was.owner[s], was.isShown[s], was.shownStart[s], was.shownEnd[s]
	}
	for i, v := range o.shown {
		v.put(places, was.shown[i].gather(from), nil)
	}
	for _, list := range o.open {
		for i := range list {
			list[i].slot = to[list[i].slot]
		}
	}
}
