package continuous

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// gateNode holds rows back until the watermark has passed their time: EMIT ON WINDOW CLOSE. What changes after that passes.
type gateNode struct {
	base
	time int
	lag  int64
	// spill is where rows may wait that memory has no room for, nil for nowhere.
	spill *spill.Space
}

func newGate(input node, time int, lag int64, options Options) node {
	out := &gateNode{base: base{cols: input.columns(), ins: []node{input}, tr: *input.traits()}, time: time, lag: lag, spill: options.Spill}
	out.tr.final = true
	out.tr.appendOnly = options.Horizon == 0
	return out
}

func (n *gateNode) describe() string {
	return fmt.Sprintf("hold back until the watermark passes %s", n.cols[n.time].Name)
}

// form implements keeper.
func (n *gateNode) form(in shapes) (f form, whole bool) {
	return form{
		Kind: "rows held back", Version: 2, // 2 has those on disk behind the others
		Computes: []string{in.column(n.time), fmt.Sprint("lag ", n.lag)},
	}, true
}

func (n *gateNode) start(_ *Machine, inputs []operator) operator {
	o := &gateOp{node: n, input: inputs[0], cold: timeRuns{space: n.spill}}
	o.empty()
	return o
}

// empty makes the memory that of no rows.
func (o *gateOp) empty() {
	o.held, o.weights, o.times, o.due = newRowIndex(typesOf(o.node.cols)), nil, nil, calendar{}
}

type gateOp struct {
	node    *gateNode
	input   operator
	held    *rowIndex
	weights []int64 // by slot
	times   []int64 // by slot
	due     calendar
	// cold has rows with their weights. One that goes while it is there has its weight taken off when it comes back.
	cold timeRuns
}

func (o *gateOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	in.Columns = decoded(in.Columns)
	closed := behind(s.closed, o.node.lag)
	passing, waiting := o.part(&in, closed)
	if len(waiting) > 0 {
		o.hold(in.take(waiting))
	}
	if err := o.cold.due(closed, o.keep); err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, in.take(passing), o.release(closed))
}

// keep takes rows back from where they stood on disk.
func (o *gateOp) keep(columns []arrow.Array, _ []int64, rows int) error {
	width := len(o.node.cols)
	o.hold(Delta{Columns: columns[:width], Weights: arrow.GetValues[int64](columns[width].Data(), 1)[:rows], Rows: rows})
	return nil
}

// of are rows with their weights, as they stand on disk.
func (o *gateOp) of(entries []entry) (columns []arrow.Array, times []int64) {
	slots, weights, times := make([]uint32, len(entries)), make([]int64, len(entries)), make([]int64, len(entries))
	for i, e := range entries {
		slots[i], weights[i], times[i] = e.slot, o.weights[e.slot], e.at
	}
	return append(o.held.gather(slots), event.NewInt64s(weights, nil)), times
}

// spill implements spiller.
func (o *gateOp) spill(bytes int64) error {
	all := o.held.all()
	if o.node.spill == nil || len(all) == 0 || bytes <= 0 {
		return nil
	}
	entries := make([]entry, len(all))
	for i, slot := range all {
		entries[i] = entry{o.times[slot], slot}
	}
	stay, gone := latest(entries, bytes, o.bytes())
	if err := o.cold.put(o.of(gone)); err != nil {
		return err
	}
	columns, times := o.of(stay)
	o.empty()
	return o.keep(columns, times, len(times))
}

// spilled implements spiller.
func (o *gateOp) spilled() int64 { return o.cold.spilled() }

// close implements spiller.
func (o *gateOp) close() error { return o.cold.close() }

// part tells rows that are complete from those to hold. A row without a time is never complete.
func (o *gateOp) part(in *Delta, closed int64) (passing, waiting []int32) {
	column := in.Columns[o.node.time]
	times := arrow.GetValues[int64](column.Data(), 1)
	for i := range in.Rows {
		switch {
		case column.IsNull(i):
		case closed != NoWatermark && times[i] <= closed:
			passing = append(passing, int32(i))
		default:
			waiting = append(waiting, int32(i))
		}
	}
	return passing, waiting
}

func (o *gateOp) hold(d Delta) {
	slots, _ := o.held.assign(d.Columns, d.Rows)
	before := len(o.weights)
	o.weights, o.times = lengthened(o.weights, o.held.slots()), lengthened(o.times, o.held.slots())
	times := arrow.GetValues[int64](d.Columns[o.node.time].Data(), 1)
	touched := make([]uint32, 0, len(slots))
	for i, s := range slots {
		if o.weights[s] == 0 && (int(s) >= before || !slices.Contains(touched, s)) {
			o.due.add(times[i], s)
			o.times[s] = times[i]
			touched = append(touched, s)
		}
		o.weights[s] += d.weight(i)
	}
	var gone []uint32
	for _, s := range distinct(slots) {
		if o.weights[s] == 0 {
			gone = append(gone, s)
		}
	}
	o.held.remove(gone)
}

// release takes out the rows that are complete.
func (o *gateOp) release(closed int64) Delta {
	if closed == NoWatermark {
		return noChange(o.node.cols)
	}
	var slots []uint32
	var weights []int64
	for _, e := range o.due.due(closed) {
		if o.weights[e.slot] != 0 && o.times[e.slot] == e.at { // else the row went, and another may have its slot
			slots, weights = append(slots, e.slot), append(weights, o.weights[e.slot])
			o.weights[e.slot] = 0
		}
	}
	out := Delta{Columns: o.held.gather(slots), Weights: weights, Rows: len(slots)}
	o.held.remove(slots)
	return out
}

// distinct are the elements of slots, each once, ascending.
func distinct(slots []uint32) []uint32 {
	out := slices.Clone(slots)
	slices.Sort(out)
	return slices.Compact(out)
}

func (o *gateOp) save(w *stateWriter) error {
	slots := o.held.all()
	entries := make([]entry, len(slots))
	for i, s := range slots {
		entries[i] = entry{slot: s}
	}
	columns, _ := o.of(entries)
	if err := w.columns(columns, len(slots)); err != nil {
		return err
	}
	o.cold.save(w)
	return nil
}

func (o *gateOp) load(r *stateReader) error {
	types := append(arrowTypes(o.node.cols), arrow.PrimitiveTypes.Int64)
	columns, rows, err := r.columns(types)
	if err != nil {
		return err
	}
	if err := o.keep(columns, nil, rows); err != nil || r.form < 2 {
		return err
	}
	return o.cold.load(r, types, o.keep)
}

func (o *gateOp) bytes() int64 {
	return o.held.bytes() + int64(8*(cap(o.weights)+cap(o.times))) + o.due.bytes() + o.cold.bytes()
}
