package continuous

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// gateNode holds rows back until the watermark has passed their time: EMIT ON WINDOW CLOSE. What changes after that passes.
type gateNode struct {
	base
	time int
	lag  int64
}

func newGate(input node, time int, lag int64, horizon bool) node {
	out := &gateNode{base: base{cols: input.columns(), ins: []node{input}, tr: *input.traits()}, time: time, lag: lag}
	out.tr.final = true
	out.tr.appendOnly = !horizon
	return out
}

func (n *gateNode) describe() string {
	return fmt.Sprintf("hold back until the watermark passes %s", n.cols[n.time].Name)
}

// form implements keeper.
func (n *gateNode) form(in shapes) (f form, whole bool) {
	return form{Kind: "rows held back", Version: 1, Computes: []string{in.column(n.time), fmt.Sprint("lag ", n.lag)}}, true
}

func (n *gateNode) start(_ *Machine, inputs []operator) operator {
	return &gateOp{node: n, input: inputs[0], held: newRowIndex(typesOf(n.cols))}
}

type gateOp struct {
	node    *gateNode
	input   operator
	held    *rowIndex
	weights []int64 // by slot
	times   []int64 // by slot
	due     calendar
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
	return sum(o.node.cols, in.take(passing), o.release(closed))
}

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
	weights := make([]int64, len(slots))
	for i, s := range slots {
		weights[i] = o.weights[s]
	}
	return w.columns(append(o.held.gather(slots), event.NewInt64s(weights, nil)), len(slots))
}

func (o *gateOp) load(r *stateReader) error {
	columns, rows, err := r.columns(append(arrowTypes(o.node.cols), arrow.PrimitiveTypes.Int64))
	if err != nil {
		return err
	}
	width := len(o.node.cols)
	o.hold(Delta{Columns: columns[:width], Weights: arrow.GetValues[int64](columns[width].Data(), 1), Rows: rows})
	return nil
}

func (o *gateOp) bytes() int64 {
	return o.held.bytes() + int64(8*(cap(o.weights)+cap(o.times))) + o.due.bytes()
}
