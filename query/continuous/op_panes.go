package continuous

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// paneNode groups rows by overlapping windows that are shown once they are complete. A row goes to one pane, whatever the number of
// windows that hold it. A row that is late for some of its windows and in time for others is counted in each of the latter by itself.
type paneNode struct {
	base
	of      *accumulateNode
	windows *paneWindows
	over    *filterNode // what it stands for: the rows of windows that are in time
	time    *kernel.Program
	mark    int // the input's column of the row's own watermark
	// keys are the groups that are not bounds of the window.
	keys     []*kernel.Program
	keyTypes []event.Type
	// from says for each group what it is: windowStart, windowEnd or the place among keys.
	from  []int
	calls []*exec.Call // those of the grouping, and a count of rows
}

const (
	windowStart = -1
	windowEnd   = -2
)

// paned makes panes of a grouping whose rows are held back; nil where it is not over overlapping windows or needs its rows.
func paned(n *accumulateNode) *paneNode {
	if n.schedule.closeLag != n.schedule.lag {
		return nil
	}
	return panesOf(n)
}

// panesOf finds the panes under a grouping by overlapping windows; nil where it is none, or needs its rows.
func panesOf(n *accumulateNode) *paneNode {
	f, ok := n.ins[0].(*filterNode)
	if !ok || len(f.exprs) != 1 || f.late != 0 {
		return nil
	}
	a, ok := f.ins[0].(*assignNode)
	if !ok {
		return nil
	}
	input := a.ins[0]
	width := len(input.columns())
	windows, ok := newPaneWindows(a.plan, a.windows)
	punctual, _ := punctualityOf(f.exprs[0], f.tr.watermarks)
	if !ok || punctual.column != width+1 || punctual.lag != 0 {
		return nil
	}
	out := &paneNode{base: base{cols: n.cols, ins: []node{input}, tr: n.tr}, of: n, windows: windows, over: f, time: a.time, mark: -1}
	for at, is := range f.tr.watermarks {
		if is {
			out.mark = at
		}
	}
	if out.mark < 0 || !out.parted(n, width) {
		return nil
	}
	return out
}

// parted tells the groups that are bounds of the window from the others, and reports whether panes can serve the aggregates.
func (n *paneNode) parted(of *accumulateNode, width int) bool {
	onWindow := func(e plan.Expr) bool {
		found := false
		plan.Walk(e, func(e plan.Expr) {
			ref, ok := e.(*plan.ColumnRef)
			found = found || (ok && ref.Index >= width)
		})
		return found
	}
	for i, e := range of.plan.Groups {
		ref, isColumn := e.(*plan.ColumnRef)
		switch {
		case isColumn && ref.Index == width:
			n.from = append(n.from, windowStart)
		case isColumn && ref.Index == width+1:
			n.from = append(n.from, windowEnd)
		case onWindow(e):
			return false
		default:
			n.from = append(n.from, len(n.keys))
			n.keys, n.keyTypes = append(n.keys, of.groups[i]), append(n.keyTypes, e.Type())
		}
	}
	if !slices.Contains(n.from, windowEnd) && n.windows.growing {
		return false // windows that start together would fall into one group
	}
	for i, c := range of.calls {
		if c.Collects() || slices.ContainsFunc(of.plan.Aggregates[i].Exprs(), onWindow) {
			return false
		}
	}
	count, err := exec.CompileCall(plan.Aggregation{Fn: countRows}, width)
	n.calls = append(slices.Clone(of.calls), count)
	return err == nil
}

// countRows is count(*).
var countRows = plan.Functions["count"][0]

func (n *paneNode) describe() string {
	return n.windows.describe() + ": " + n.of.describe()
}

// form implements keeper.
func (n *paneNode) form(in shapes) (f form, whole bool) {
	f, whole = n.of.form(in)
	f.Kind = "panes"
	return f, whole
}

func (n *paneNode) start(_ *Machine, inputs []operator) operator {
	return &paneOp{
		node: n, input: inputs[0], keys: newRowIndex(n.keyTypes), panes: newSliding(n.calls), last: NoWatermark,
		late: newGroups(append([]event.Type{{Kind: event.TimestampTZ}}, n.keyTypes...), n.calls),
	}
}

type paneOp struct {
	node  *paneNode
	input operator
	keys  *rowIndex
	panes *sliding
	// last is the end of the last window that was shown.
	last int64
	// late holds, by the end of a window and key, the rows that are in time for some of their windows only.
	late     *groups
	lateEnds calendar // of groups of late
	cold     coldPanes
}

func (o *paneOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	if in.Rows > 0 {
		if err := o.add(in.expanded(), s); err != nil {
			return Delta{}, err
		}
	}
	if s.closed == NoWatermark {
		return noChange(o.node.cols), nil
	}
	return o.show(s.closed)
}

// add puts each row into its pane, or, if it is late for some of its windows, into the others one by one.
func (o *paneOp) add(in Delta, s *stepping) error {
	panes, partly, late, err := o.node.split(&in)
	if err != nil {
		return err
	}
	s.late += late
	for _, p := range panes {
		if err := o.addToPane(p.start, in.take(p.rows)); err != nil {
			return err
		}
	}
	return o.addLate(in, &partly)
}

func (n *paneNode) keysOf(in *Delta) ([]arrow.Array, error) {
	return evalKeys(n.keys, n.keyTypes, in)
}

func (o *paneOp) addToPane(start int64, in Delta) error {
	values, err := o.node.keysOf(&in)
	if err != nil {
		return err
	}
	ids, _ := o.keys.assign(values, in.Rows)
	if o.last != NoWatermark && o.node.windows.firstEnd(start) <= o.last {
		return event.Errorf(event.CodeInternal, "a row in time for a window that was shown before")
	}
	return o.panes.update(o.panes.at(start), in.Columns, in.Rows, ids)
}

func (o *paneOp) addLate(in Delta, found *kernel.Assigned) error {
	if len(found.Rows) == 0 {
		return nil
	}
	rows := in.take(found.Rows)
	values, err := o.node.keysOf(&rows)
	if err != nil {
		return err
	}
	slots, fresh, err := o.late.update(append([]arrow.Array{event.NewTimestamps(found.Ends, nil)}, values...), &rows)
	if err != nil {
		return err
	}
	for _, row := range fresh {
		o.lateEnds.add(found.Ends[row], slots[row])
	}
	return nil
}

// show gives the windows that end at or before a time.
func (o *paneOp) show(closed int64) (Delta, error) {
	var parts []Delta
	lateGroups := map[int64][]uint32{}
	var lateEnds []int64
	for _, e := range o.lateEnds.due(closed) {
		if lateGroups[e.at] == nil {
			lateEnds = append(lateEnds, e.at)
		}
		lateGroups[e.at] = append(lateGroups[e.at], e.slot)
	}
	slices.Sort(lateEnds)
	for {
		end, ok := o.nextEnd()
		if len(lateEnds) > 0 && (!ok || lateEnds[0] < end) {
			end, ok = lateEnds[0], true
		}
		if !ok || end > closed {
			break
		}
		part, err := o.window(end, lateGroups[end])
		if err != nil {
			return Delta{}, err
		}
		parts = append(parts, part)
		o.last = end
		if len(lateEnds) > 0 && lateEnds[0] == end {
			lateEnds = lateEnds[1:]
		}
	}
	var gone []uint32
	for _, slots := range lateGroups {
		gone = append(gone, slots...)
	}
	o.late.drop(distinct(gone))
	if err := o.compactLate(); err != nil {
		return Delta{}, err
	}
	out, err := sum(o.node.cols, parts...)
	if err != nil {
		return Delta{}, err
	}
	return out, o.compactKeys()
}

// nextEnd is the end of the next window that a pane falls into.
func (o *paneOp) nextEnd() (int64, bool) {
	first, ok := int64(0), false
	consider := func(start int64) bool {
		end, comes := o.endOf(start)
		if comes && (!ok || end < first) {
			first, ok = end, true
		}
		return comes
	}
	for _, p := range o.panes.panes {
		if consider(p.start) {
			break
		}
	}
	for _, start := range o.cold.starts {
		if consider(start) {
			break
		}
	}
	return first, ok
}

// endOf is the end of the next window over a pane.
func (o *paneOp) endOf(start int64) (int64, bool) {
	w := o.node.windows
	end := w.firstEnd(start)
	if o.last != NoWatermark && end <= o.last {
		end = floorTo(o.last, w.step, end) + w.step
	}
	return end, end <= w.lastEnd(start)
}

// window gives the rows of one window.
func (o *paneOp) window(end int64, late []uint32) (Delta, error) {
	if len(late) > 0 { // their keys may be in no pane
		o.keys.assign(o.late.index.gather(late)[1:], len(late))
	}
	count := o.keys.slots()
	start := o.node.windows.start(end)
	accumulators, err := o.panes.window(start, end, count)
	if err != nil {
		return Delta{}, err
	}
	if len(late) > 0 {
		ids, _ := o.keys.assign(o.late.index.gather(late)[1:], len(late))
		for i := range o.node.calls {
			part, err := o.late.part(i, late)
			if err != nil {
				return Delta{}, err
			}
			if err := accumulators[i].Merge(part, ids, count); err != nil {
				return Delta{}, err
			}
		}
	}
	if err := o.cold.evict(start); err != nil {
		return Delta{}, err
	}
	if o.cold.within(start, end) {
		return o.coldWindow(start, end, accumulators)
	}
	return o.rowsOf(start, end, o.keys, accumulators)
}

// rowsOf are the groups of a window, by key, that have rows.
func (o *paneOp) rowsOf(start, end int64, keys *rowIndex, accumulators []kernel.Accumulator) (Delta, error) {
	count := keys.slots()
	columns := make([]arrow.Array, len(accumulators))
	for i, a := range accumulators {
		var err error
		if columns[i], err = a.Result(count); err != nil {
			return Delta{}, err
		}
	}
	counts := arrow.GetValues[int64](columns[len(columns)-1].Data(), 1)
	var rows []int32
	var ids []uint32
	for id, n := range counts {
		if n > 0 {
			rows, ids = append(rows, int32(id)), append(ids, uint32(id))
		}
	}
	out := Delta{Rows: len(rows)}
	for _, at := range o.node.from {
		switch at {
		case windowStart:
			out.Columns = append(out.Columns, event.NewTimestamps(slices.Repeat([]int64{start}, len(rows)), nil))
		case windowEnd:
			out.Columns = append(out.Columns, event.NewTimestamps(slices.Repeat([]int64{end}, len(rows)), nil))
		default:
			out.Columns = append(out.Columns, keys.vectors[at].gather(ids))
		}
	}
	results := make([]arrow.Array, len(columns)-1)
	for i, c := range columns[:len(columns)-1] {
		results[i] = kernel.Decode(kernel.Take(c, rows))
	}
	out.Columns = append(out.Columns, typed(results, o.node.cols[len(o.node.from):])...)
	return out, nil
}

func (o *paneOp) bytes() int64 {
	return o.keys.bytes() + o.panes.bytes() + o.late.bytes() + o.lateEnds.bytes() + o.cold.bytes()
}
