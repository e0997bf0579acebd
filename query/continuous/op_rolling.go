package continuous

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// rollingNode computes window functions over frames that end at or near the current row, in the order of event time. A row is given
// once, when the watermark has passed it and the end of its frame: it is final then. Rows are kept as long as a frame can reach them. Each
// step computes the partitions that it touches anew; a slideNode takes its place where all frames allow that.
type rollingNode struct {
	base
	plan      plan.Node // the window over a table of the input's columns and a mark of the rows to give
	of        *plan.Window
	partition []*kernel.Program
	types     []event.Type
	time      *kernel.Program
	reach     reach
	// lag is how far a row's time must lie behind the watermark for the row to be given.
	lag int64
	// spill is where partitions may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// reach is how far frames go from their row.
type reach struct {
	// before is how many microseconds back, rows how many rows, and all that there is no end to it.
	before int64
	rows   int64
	all    bool
	after  int64
	// ahead is how many rows ahead.
	ahead int64
}

// compileRolling makes the operator of a window in the order of event time; ok is false where its frames are of another kind.
func (c *compiler) compileRolling(n *plan.Window, input node) (_ node, ok bool, err error) {
	t := input.traits()
	if !t.appendOnly || len(n.Order) == 0 || n.Order[0].Descending || len(n.Calls) == 0 {
		return nil, false, nil
	}
	lag, bounded := boundOf(n.Order[0].Expr, t.bounds)
	far, ok := reachOf(n)
	if !bounded || !ok || far.ahead > 0 && !c.awaits(far) {
		return nil, false, nil
	}
	out := &rollingNode{base: base{cols: n.Columns(), ins: []node{input}}, of: n, reach: far, lag: saturated(lag, far.after)}
	out.spill = c.options.Spill
	if out.partition, err = compileExprs(n.Partition); err != nil {
		return nil, false, err
	}
	for _, e := range n.Partition {
		out.types = append(out.types, e.Type())
	}
	if out.time, err = kernel.Compile(n.Order[0].Expr); err != nil {
		return nil, false, err
	}
	out.plan = markedWindow(n, input.columns())
	out.tr = traits{
		appendOnly: true, final: true, provisional: c.showing == soFar, bounds: map[int]int64{}, watermarks: t.watermarks, recomputes: t.recomputes,
	}
	if ref, simple := n.Order[0].Expr.(*plan.ColumnRef); simple && far.ahead == 0 { // the last rows wait for others, however late those are
		out.tr.bounds[ref.Index] = out.lag
	}
	if far.all || far.rows > 0 || far.ahead > 0 {
		if err = c.bounded(out, n); err != nil {
			return nil, false, err
		}
	}
	if far.ahead > 0 {
		out.plan, c.awaited[n] = awaitedWindow(n, input.columns(), far.ahead), awaited{out.lag, far.ahead}
		return out, true, nil
	}
	if slides, err := out.sliding(n); err != nil || slides != nil {
		return slides, true, err
	}
	return out, true, nil
}

// reachOf finds how far the frames of all calls go; ok is false where one looks further ahead than a time.
func reachOf(n *plan.Window) (out reach, ok bool) {
	for _, call := range n.Calls {
		r, ok := callReach(call)
		if !ok {
			return out, false
		}
		out.before, out.rows = max(out.before, r.before), max(out.rows, r.rows)
		out.all, out.after, out.ahead = out.all || r.all, max(out.after, r.after), max(out.ahead, r.ahead)
	}
	return out, true
}

func callReach(call plan.WindowCall) (reach, bool) {
	switch call.Fn.Name {
	case "row_number", "rank", "dense_rank":
		return reach{all: true}, true
	case "lag":
		rows, ok := rowsAway(call)
		return reach{rows: rows, all: call.IgnoreNulls}, ok
	case "lead":
		rows, ok := rowsAway(call)
		return reach{ahead: rows}, ok && !call.IgnoreNulls
	case "first_value", "last_value", "nth_value":
		return frameReach(call.Frame)
	default:
		if !call.Fn.Aggregate {
			return reach{}, false
		}
		return frameReach(call.Frame)
	}
}

// rowsAway is how many rows away lag and lead look; ok is false where that is not known, or negative.
func rowsAway(call plan.WindowCall) (rows int64, ok bool) {
	if len(call.Args) < 2 {
		return 1, true
	}
	l, ok := call.Args[1].(*plan.Literal)
	if !ok || l.Value.IsNull(0) {
		return 0, false
	}
	rows = l.Value.(*array.Int64).Value(0)
	return rows, rows >= 0
}

func frameReach(f plan.Frame) (out reach, ok bool) {
	switch f.Start.Kind {
	case plan.UnboundedPreceding:
		out.all = true
	case plan.Preceding:
		if out.before, out.rows, ok = offsetOf(f.Unit, f.Start); !ok {
			return out, false
		}
	case plan.CurrentRow:
	case plan.Following:
		if f.Unit != plan.FrameRows {
			return out, false
		}
	default:
		return out, false
	}
	switch f.End.Kind {
	case plan.CurrentRow, plan.Preceding:
		return out, f.Unit != plan.FrameGroups || out.all
	case plan.Following:
		out.after, out.ahead, ok = offsetOf(f.Unit, f.End)
		return out, ok
	default:
		return out, false
	}
}

// offsetOf is a bound's distance, in microseconds or rows.
func offsetOf(unit plan.FrameUnit, b plan.FrameBound) (micros, rows int64, ok bool) {
	switch unit {
	case plan.FrameRange:
		micros, ok = widest(b.Offset)
		return micros, 0, ok
	case plan.FrameRows:
		return 0, b.Offset.Value.(*array.Int64).Value(0), true
	default:
		return 0, 0, false
	}
}

func (n *rollingNode) describe() string {
	return strings.Replace(firstLine(n.of), "Window", "rolling", 1) + n.tr.settling()
}

// form implements keeper.
func (n *rollingNode) form(in shapes) (f form, whole bool) {
	f = form{Kind: "frames", Version: 1, Computes: []string{in.all().Of(n.of), fmt.Sprint("lag ", n.lag)}}
	if n.tr.provisional {
		f.Computes = append(f.Computes, provisionalForm)
		f.Version = rollingAheadForm
	}
	return f, true
}

// rollingAheadForm is the first version of the state of rolling frames that has partitions of provisional rows on disk.
const rollingAheadForm = 2

func (n *rollingNode) start(_ *Machine, inputs []operator) operator {
	o := &rollingOp{node: n, input: inputs[0], cold: coldBags{types: n.types, cools: n.cools()}}
	if n.tr.provisional {
		o.ahead = newProvisional(n, n.types, n.time, false, n.spill, rollingAheadForm)
	}
	o.empty()
	return o
}

// empty makes the memory that of no rows.
func (o *rollingOp) empty() {
	o.index, o.rows = newRowIndex(o.node.types), newBag(typesOf(o.node.ins[0].columns()), true)
	o.times, o.given, o.due, o.old = nil, nil, calendar{}, calendar{}
}

type rollingOp struct {
	node  *rollingNode
	input operator
	index *rowIndex // partitions
	rows  *bag      // by partition
	times []int64   // by row
	given []bool    // by row
	due   calendar  // of rows to give
	old   calendar  // of rows given, where only time decides how long they are kept
	cold  coldBags
	ahead *provisional // nil where nobody asks for it
}

func (o *rollingOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	if err := o.take(in.expanded()); err != nil {
		return Delta{}, err
	}
	passed := behind(s.final, o.node.lag)
	if passed == NoWatermark {
		return noChange(o.node.cols), nil
	}
	if err := o.warmDue(passed); err != nil {
		return Delta{}, err
	}
	out, err := o.give(ctx, o.due.due(passed), passed)
	if err != nil {
		return Delta{}, err
	}
	over := saturated(passed, -o.node.reach.before)
	for _, e := range o.old.due(over) {
		o.drop(e.slot)
	}
	return out, o.forgetCold(over)
}

// take keeps the rows of a step. A row without a time is in no frame that a row with one sees, and never given.
func (o *rollingOp) take(in Delta) error {
	if in.Rows == 0 {
		return nil
	}
	in, times, err := o.node.timed(in)
	if err != nil {
		return err
	}
	values, err := o.node.partitionsOf(&in)
	if err != nil {
		return err
	}
	if o.ahead != nil {
		if _, err := o.ahead.touchAt(values, in.Rows, times); err != nil {
			return err
		}
	}
	keys, err := o.cold.find(o, values, in.Rows)
	if err != nil {
		return err
	}
	o.keep(in, keys, times, make([]bool, in.Rows))
	return nil
}

// timed are the rows that have a time, and their times.
func (n *rollingNode) timed(in Delta) (Delta, []int64, error) {
	when, err := n.time.Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return Delta{}, nil, err
	}
	column := when.Expand(in.Rows)
	if column.NullN() > 0 {
		some := withTime(column)
		in, column = in.take(some), kernel.Take(column, some)
	}
	return in, arrow.GetValues[int64](column.Data(), 1), nil
}

func withTime(column arrow.Array) []int32 {
	var out []int32
	for i := range column.Len() {
		if column.IsValid(i) {
			out = append(out, int32(i))
		}
	}
	return out
}

// partitionsOf are the values that rows are parted by.
func (n *rollingNode) partitionsOf(in *Delta) ([]arrow.Array, error) {
	return evalKeys(n.partition, n.types, in)
}

// keep adds rows under their partitions.
func (o *rollingOp) keep(in Delta, keys []uint32, times []int64, given []bool) {
	for i, row := range o.rows.place(&in, keys) {
		o.times, o.given = lengthened(o.times, int(row)+1), lengthened(o.given, int(row)+1)
		o.times[row], o.given[row] = times[i], given[i]
		switch {
		case !given[i]:
			o.due.add(times[i], row)
		case o.node.reach.timeOnly():
			o.old.add(times[i], row)
		}
	}
}

// timeOnly says that the watermark alone tells how long a row is kept: until no frame that goes by time can reach it.
func (r reach) timeOnly() bool { return !r.all && r.rows == 0 && r.ahead == 0 }

// give computes the rows that are due, over all rows that their frames can reach.
func (o *rollingOp) give(ctx context.Context, due []entry, passed int64) (Delta, error) {
	if len(due) == 0 {
		return noChange(o.node.cols), nil
	}
	keys := make([]uint32, len(due))
	for i, e := range due {
		keys[i] = o.rows.key[e.slot]
	}
	keys = distinct(keys)
	if o.ahead != nil {
		if _, err := o.ahead.touch(o.index.gather(keys), len(keys)); err != nil {
			return Delta{}, err
		}
		o.ahead.passed(passed)
	}
	var slots []uint32
	for _, key := range keys {
		slots = o.rows.list(key, slots)
	}
	if o.node.reach.ahead > 0 {
		return o.giveAwaited(ctx, keys, slots, passed)
	}
	mark := event.NewBitmap(len(slots))
	for i, s := range slots {
		if !o.given[s] && o.times[s] <= passed {
			mark.Set(i)
		}
	}
	table := o.rows.gather(slots)
	table.Columns = append(table.Columns, event.NewBooleans(mark, len(slots), nil))
	out, err := answer(ctx, o.node.plan, tables{"0": table})
	if err != nil {
		return Delta{}, err
	}
	for _, e := range due {
		o.noteGiven(e.slot)
	}
	o.trimAll(keys, passed)
	return out, nil
}

// noteGiven remembers that a row was given.
func (o *rollingOp) noteGiven(row uint32) {
	o.given[row] = true
	if o.node.reach.timeOnly() {
		o.old.add(o.times[row], row)
	}
}

// trimAll drops the rows of partitions that no frame can reach any more, where the watermark alone does not tell.
func (o *rollingOp) trimAll(keys []uint32, passed int64) {
	if r := o.node.reach; !r.all && !r.timeOnly() {
		for _, key := range keys {
			o.trim(key, passed)
		}
	}
}

// trim drops the rows of a partition that no frame can reach any more: of those that were given, the last ones stay that a frame can reach by rows, and
// those as old as the oldest of them; and what a frame can reach by time, of rows to come and of those that the watermark has passed and that wait for
// others ahead.
func (o *rollingOp) trim(key uint32, passed int64) {
	var given []uint32
	first := passed // no frame to come is that of a row at or before it
	for _, s := range o.rows.list(key, nil) {
		if o.given[s] {
			given = append(given, s)
		} else {
			first = min(first, o.times[s]-1)
		}
	}
	over := saturated(first, -o.node.reach.before)
	if rows := o.node.reach.rows; rows > 0 {
		if int64(len(given)) <= rows {
			return
		}
		slices.SortFunc(given, func(a, b uint32) int { return cmp.Compare(o.times[b], o.times[a]) })
		over = min(over, o.times[given[rows-1]]-1)
	}
	for _, s := range given {
		if o.times[s] <= over {
			o.drop(s)
		}
	}
}

// drop forgets a row, and its partition with the last of them.
func (o *rollingOp) drop(row uint32) {
	key := o.rows.key[row]
	o.rows.release(row)
	if o.rows.empty(key) {
		o.index.remove([]uint32{key})
	}
}

func (o *rollingOp) save(w *stateWriter) error {
	number, err := o.index.saveKeys(w)
	if err != nil {
		return err
	}
	if err := o.rows.save(w, number); err != nil {
		return err
	}
	rows := o.rows.all()
	times, given := make([]int64, len(rows)), event.NewBitmap(len(rows))
	for i, row := range rows {
		times[i] = o.times[row]
		if o.given[row] {
			given.Set(i)
		}
	}
	if err := w.columns([]arrow.Array{event.NewInt64s(times, nil), event.NewBooleans(given, len(rows), nil)}, len(rows)); err != nil {
		return err
	}
	o.cold.save(w, 1)
	if o.ahead != nil {
		return o.ahead.save(w)
	}
	return nil
}

func (o *rollingOp) load(r *stateReader) error {
	values, count, err := r.columns(typesOfKeys(o.node.types))
	if err != nil {
		return err
	}
	if _, fresh := o.index.assign(values, count); len(fresh) != count {
		return errState("a partition is there twice")
	}
	rows, keys, err := readBag(r, arrowTypes(o.node.ins[0].columns()), count)
	if err != nil {
		return err
	}
	marks, n, err := r.columns([]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Boolean})
	if err != nil {
		return err
	}
	if n != rows.Rows {
		return errState("%d marks for %d rows", n, rows.Rows)
	}
	given := make([]bool, n)
	for i := range given {
		given[i] = marks[1].(*array.Boolean).Value(i)
	}
	rows.Weights = nil
	o.keep(rows, keys, arrow.GetValues[int64](marks[0].Data(), 1), given)
	if err := o.cold.load(r, [][]arrow.DataType{o.node.coldTypes()}, o.restoreCold); err != nil || o.ahead == nil {
		return err
	}
	return o.ahead.load(r)
}

func (o *rollingOp) bytes() int64 {
	return o.ahead.bytes() + o.index.bytes() + o.rows.bytes() + o.due.bytes() + o.old.bytes() + int64(8*cap(o.times)+cap(o.given)) + o.cold.bytes()
}
