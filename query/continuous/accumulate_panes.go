package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// mostSpread bounds the groups of a pane that are spread over windows at once.
const mostSpread = 1 << 16

// throughPanes lets groupings by overlapping windows that are shown at once take the rows of a step by panes: what a step brings to a pane is
// added up for each key once, and then to the pane's windows, instead of each row to each of its windows. It is called when nothing else
// changes operators any more.
func throughPanes(n node) {
	if grouping, ok := n.(*accumulateNode); ok && grouping.schedule.closes < 0 {
		if panes := panesOf(grouping); panes != nil {
			grouping.panes, grouping.ins = panes, panes.ins
		}
	}
	for _, in := range n.inputs() {
		throughPanes(in)
	}
}

// paneRows are the rows of a step that lie in one pane and are in time for all windows over it.
type paneRows struct {
	start int64
	rows  []int32
}

// split parts the rows of a step by their panes. Rows that are late for some of their windows are listed with the others of them, and late
// says how many there are.
func (n *paneNode) split(in *Delta) (panes []paneRows, partly kernel.Assigned, late int64, err error) {
	value, err := n.time.Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return nil, partly, 0, err
	}
	column := value.Expand(in.Rows)
	times, marks := arrow.GetValues[int64](column.Data(), 1), in.Columns[n.mark]
	own := arrow.GetValues[int64](marks.Data(), 1)
	places := map[int64]int{}
	for i := range in.Rows {
		if column.IsNull(i) {
			continue
		}
		if first := n.windows.firstEnd(times[i]); marks.IsValid(i) && own[i] >= first {
			n.windows.partly(&partly, int32(i), times[i], own[i])
			late++
			continue
		}
		start := n.windows.paneOf(times[i])
		at, ok := places[start]
		if !ok {
			at = len(panes)
			places[start] = at
			panes = append(panes, paneRows{start: start})
		}
		panes[at].rows = append(panes[at].rows, int32(i))
	}
	return panes, partly, late, nil
}

// partly lists the windows that a late row is in time for.
func (w *paneWindows) partly(out *kernel.Assigned, row int32, at, own int64) {
	for end, last := w.firstEnd(at), w.lastEnd(at); end <= last; end = w.endAfter(end) {
		if end > own {
			out.Rows, out.Ends = append(out.Rows, row), append(out.Ends, end)
		}
	}
}

// accumulatePanes adds rows to the groups of their windows and gives the groups.
func (o *accumulateOp) accumulatePanes(in Delta, s *stepping) ([]uint32, error) {
	o.begun = true
	if in.Rows == 0 {
		return nil, nil
	}
	in = in.expanded()
	n := o.node.panes
	panes, partly, late, err := n.split(&in)
	if err != nil {
		return nil, err
	}
	s.late += late
	var touched []uint32
	if len(partly.Rows) > 0 {
		starts := make([]int64, len(partly.Ends))
		for i, end := range partly.Ends {
			starts[i] = n.windows.start(end)
		}
		rows := in.take(partly.Rows)
		rows.Columns = append(slices.Clip(rows.Columns), event.NewTimestamps(starts, nil), event.NewTimestamps(partly.Ends, nil))
		if touched, err = o.accumulate(rows); err != nil {
			return nil, err
		}
	}
	for _, p := range panes {
		slots, err := o.addPane(p.start, in.take(p.rows))
		if err != nil {
			return nil, err
		}
		touched = append(touched, slots...)
	}
	return o.firsts.of(touched, o.groups.index.slots()), nil
}

// addPane adds up the rows of a pane by key, and the sums to the pane's windows.
func (o *accumulateOp) addPane(start int64, in Delta) (touched []uint32, err error) {
	n := o.node.panes
	keys, err := n.keysOf(&in)
	if err != nil {
		return nil, err
	}
	sums := newGroups(n.keyTypes, o.node.calls)
	if _, _, err := sums.update(keys, &in); err != nil {
		return nil, err
	}
	count := sums.index.slots()
	keys = sums.index.gather(identity(count))
	var ends []int64
	for end, last := n.windows.firstEnd(start), n.windows.lastEnd(start); end <= last; end = n.windows.endAfter(end) {
		ends = append(ends, end)
	}
	for part := range slices.Chunk(ends, max(1, mostSpread/count)) {
		slots, err := o.addSums(sums, keys, count, part)
		if err != nil {
			return nil, err
		}
		touched = append(touched, slots...)
	}
	return touched, nil
}

// addSums adds sums by key to some windows.
func (o *accumulateOp) addSums(sums *groups, keys []arrow.Array, count int, ends []int64) ([]uint32, error) {
	n, total := o.node.panes, count*len(ends)
	from := make([]int32, 0, total)
	ofWindow := func(of func(end int64) int64) arrow.Array {
		out := make([]int64, 0, total)
		for _, end := range ends {
			out = append(out, slices.Repeat([]int64{of(end)}, count)...)
		}
		return event.NewTimestamps(out, nil)
	}
	for range ends {
		for key := range count {
			from = append(from, int32(key))
		}
	}
	groups := make([]arrow.Array, len(n.from))
	for i, at := range n.from {
		switch at {
		case windowStart:
			groups[i] = ofWindow(n.windows.start)
		case windowEnd:
			groups[i] = ofWindow(func(end int64) int64 { return end })
		default:
			groups[i] = kernel.Take(keys[at], from)
		}
	}
	if err := o.warm(groups, total); err != nil {
		return nil, err
	}
	slots, fresh := o.groups.index.assign(groups, total)
	o.reach(o.groups.index.slots())
	o.note(slots)
	for _, row := range fresh {
		o.plan(groups, int(row), slots[row])
	}
	for mapping := range slices.Chunk(slots, count) {
		for i, a := range o.groups.accumulators {
			if err := a.Merge(sums.accumulators[i], mapping, o.groups.index.slots()); err != nil {
				return nil, err
			}
		}
	}
	return slots, nil
}
