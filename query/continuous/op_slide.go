package continuous

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// slideNode is a rollingNode whose frames all slide: rows become final in the order of time, so the frames of a partition only move forward,
// and a row enters and leaves each of them once. What a row costs does not depend on the length of frames or on the size of steps.
type slideNode struct {
	*rollingNode
	order  []plan.SortKey
	ties   []*kernel.Program // the keys of the order behind time
	even   int               // how many of ties tell peers apart
	frames []frame
	calls  []slideCall
	args   []slideArg
	peers  bool // a frame goes by them
}

// slideCall is one call: an aggregate that a kernel.Roller computes, or the value in the first row of a frame.
type slideCall struct {
	fn    *plan.Function
	frame int
	arg   int // among args, -1 for none
	// first makes the call the value of the frame's first row, and instead is what it is where the frame has none, -1 for NULL.
	first   bool
	instead int
	// carry makes it a value of the latest step or of one before, NULLs passed over with skips, and rank a number among peers.
	carry carryKind
	skips bool
	rank  rankKind
}

// carryKind says which value of a frame a call carries on.
type carryKind uint8

const (
	noCarry carryKind = iota
	carryFirst
	carryLast
)

// sliding makes the operator of a window all of whose calls can slide; nil where one cannot.
func (n *rollingNode) sliding(w *plan.Window) (*slideNode, error) {
	out := &slideNode{rollingNode: n, order: w.Order, even: len(w.Peers()) - 1}
	for _, call := range w.Calls {
		if ok, err := out.add(call); err != nil || !ok {
			return nil, err
		}
	}
	var err error
	for _, k := range w.Order[1:] {
		tie, err := kernel.Compile(k.Expr)
		if err != nil {
			return nil, err
		}
		out.ties = append(out.ties, tie)
	}
	for _, f := range out.frames {
		out.peers = out.peers || f.start == byPeers || f.end == byPeers
	}
	for _, c := range out.calls {
		out.peers = out.peers || c.rank != noRank
	}
	for _, c := range out.calls {
		if c.arg >= 0 && out.frames[c.frame].reachesBack() {
			out.args[c.arg].kept = true
		}
	}
	return out, err
}

// add adds a call; ok is false for one that cannot slide.
func (n *slideNode) add(call plan.WindowCall) (ok bool, err error) {
	f, ok := slidingFrame(call)
	if !ok {
		return false, nil
	}
	c := slideCall{fn: call.Fn, frame: n.frameOf(f), arg: -1, instead: -1}
	switch name := call.Fn.Name; {
	case name == "first_value" && f.start == fromStart, name == "last_value":
		c.carry, c.skips = carryLast, call.IgnoreNulls
		if name == "first_value" {
			c.carry = carryFirst
		}
		if f.lags() || c.skips && f.start != fromStart {
			return false, nil
		}
	case name == "lag" || name == "first_value":
		c.first = true
		if call.IgnoreNulls {
			return false, nil
		}
	case name == "row_number":
		c.fn = countRows
	case name == "rank":
		c.fn, c.rank = countRows, rankByRow
	case name == "dense_rank":
		c.fn, c.rank = countRows, rankByGroup
	case f.start == fromStart:
		_, ok = kernel.NewRunningRoller(call.Fn)
	default:
		_, ok = kernel.NewRoller(call.Fn)
	}
	if !ok {
		return false, nil
	}
	if len(call.Args) > 0 || call.Filter != nil {
		if c.arg, ok, err = n.argOf(call.Args, call.Filter); err != nil || !ok {
			return false, err
		}
	}
	if call.Fn.Name == "lag" && len(call.Args) > 2 {
		if c.instead, ok, err = n.argOf(call.Args[2:], nil); err != nil || !ok {
			return false, err
		}
	}
	n.calls = append(n.calls, c)
	return true, nil
}

func (n *slideNode) frameOf(f frame) int {
	at := slices.Index(n.frames, f)
	if at < 0 {
		at = len(n.frames)
		n.frames = append(n.frames, f)
	}
	return at
}

// framesAheadForm is the first version of the state of frames that has partitions of provisional rows on disk.
const framesAheadForm = 3

func (n *slideNode) describe() string {
	return strings.Replace(n.rollingNode.describe(), "rolling", "slide", 1)
}

// form implements keeper.
func (n *slideNode) form(in shapes) (f form, whole bool) {
	f, whole = n.rollingNode.form(in)
	f.Kind, f.Version = "frames that slide", 2 // 2 has the rows on disk that wait behind the others
	if n.stretches() || n.tr.provisional {
		f.Version = framesAheadForm // 3 has the rows on disk that frames reach of the only partition, or partitions of provisional rows
	}
	return f, whole
}

func (n *slideNode) start(_ *Machine, inputs []operator) operator {
	o := &slideOp{node: n, input: inputs[0], waiting: newWaiting(typesOf(n.ins[0].columns()), n.spill)}
	if n.tr.provisional {
		o.ahead = newProvisional(n, n.types, n.time, true, n.spill, framesAheadForm)
	}
	o.empty()
	return o
}

// empty makes the memory that of no partitions.
func (o *slideOp) empty() {
	n := o.node
	o.keys, o.rows, o.cursors = newRowIndex(n.types), newSlideRows(n), make([]frameCursors, len(n.frames))
	o.rollers, o.carried, o.silent, o.watched, o.batches = nil, nil, calendar{}, nil, keyBatches{}
	for _, c := range n.calls {
		o.rollers = append(o.rollers, c.newRoller(n.frames[c.frame]))
		var k *carried
		if c.carry != noCarry {
			k = newCarried(n.args[c.arg].typ, c)
		}
		o.carried = append(o.carried, k)
	}
}

// newRoller is what computes a call; nil where that is the value of a row.
func (c *slideCall) newRoller(f frame) kernel.Roller {
	if c.first || c.carry != noCarry {
		return nil
	}
	if f.start == fromStart {
		r, _ := kernel.NewRunningRoller(c.fn)
		return r
	}
	r, _ := kernel.NewRoller(c.fn)
	return r
}

type slideOp struct {
	node    *slideNode
	input   operator
	waiting *waiting
	keys    *rowIndex // partitions
	rows    *slideRows
	cursors []frameCursors // by frame
	rollers []kernel.Roller
	carried []*carried // by call; nil for those that carry no value
	// silent says when to look whether a partition can be forgotten; watched marks those that it has.
	silent  calendar
	watched []bool
	batches keyBatches
	cold    coldSlide
	ahead   *provisional // nil where nobody asks for it
}

func (o *slideOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	passed := behind(s.final, o.node.lag)
	due, times, err := o.due(in.expanded(), passed)
	if err != nil {
		return Delta{}, err
	}
	out, err := o.give(&due, times)
	if err == nil && o.node.reach.timeOnly() && passed != NoWatermark {
		err = o.forget(saturated(passed, -o.node.reach.before))
	}
	return out, err
}

// due takes the rows of a step and gives those that are final now, with their times. A row without a time is in no frame that a row with
// one sees, and never given.
func (o *slideOp) due(in Delta, passed int64) (Delta, []int64, error) {
	var times []int64
	if in.Rows > 0 {
		var err error
		if in, times, err = o.node.timed(in); err != nil {
			return Delta{}, nil, err
		}
	}
	now, later := upTo64(times, passed)
	if err := o.noteArrived(&in, times, now); err != nil {
		return Delta{}, nil, err
	}
	out, outTimes, err := o.waiting.due(passed)
	if err != nil {
		return Delta{}, nil, err
	}
	if len(later) > 0 {
		rest, until := in.take(later), pick64(times, later)
		o.waiting.add(&rest, until)
		if err := o.showAhead(&rest, until); err != nil {
			return Delta{}, nil, err
		}
	}
	switch {
	case len(now) == 0:
		return out, outTimes, nil
	case len(now) < in.Rows:
		in, times = in.take(now), pick64(times, now)
	}
	all, err := sum(o.node.ins[0].columns(), out, in)
	return all, slices.Concat(outTimes, times), err
}

// upTo64 parts rows by whether their time has passed.
func upTo64(times []int64, passed int64) (now, later []int32) {
	for i, t := range times {
		if passed != NoWatermark && t <= passed {
			now = append(now, int32(i))
		} else {
			later = append(later, int32(i))
		}
	}
	return now, later
}

func pick64(values []int64, rows []int32) []int64 {
	out := make([]int64, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

// give computes the calls for rows that are final, which come after all that were given before.
func (o *slideOp) give(due *Delta, times []int64) (Delta, error) {
	if due.Rows == 0 {
		return noChange(o.node.cols), nil
	}
	values, err := o.node.partitionsOf(due)
	if err != nil {
		return Delta{}, err
	}
	if o.ahead != nil {
		if _, err := o.ahead.touch(values, due.Rows); err != nil {
			return Delta{}, err
		}
		o.ahead.passed(slices.Max(times))
	}
	m, _, err := o.begin(due, times, values, false)
	if err != nil {
		return Delta{}, err
	}
	m.rollers = o.rollers
	o.batches.each(m.partition)
	return o.compute(due, m)
}

// begin prepares moves over rows of partitions, and tells which rows made a partition. apart says that no frame of them reaches a row given before.
func (o *slideOp) begin(due *Delta, times []int64, values []arrow.Array, apart bool) (m *frameMoves, fresh []uint32, err error) {
	order, err := o.ordered(due, times)
	if err != nil {
		return nil, nil, err
	}
	if err := o.warm(values, due.Rows); err != nil {
		return nil, nil, err
	}
	keys, made := o.keys.assign(values, due.Rows)
	for _, row := range made {
		fresh = append(fresh, keys[row])
	}
	o.reach(o.keys.slots())
	o.note(keys)
	if !apart {
		if err := o.warmRows(times[order.rows[due.Rows-1]], due.Rows); err != nil {
			return nil, nil, err
		}
	}
	o.batches.group(order.rows, keys, o.keys.slots())
	return &frameMoves{op: o, times: times, order: order, rows: due.Rows, moves: make([]frameMove, len(o.node.frames))}, fresh, nil
}

// compute gives rows with the results of the calls after their moves.
func (o *slideOp) compute(due *Delta, m *frameMoves) (Delta, error) {
	results, err := o.results(due, m)
	if err != nil {
		return Delta{}, err
	}
	return Delta{Columns: slices.Concat(due.Columns, typed(results, o.node.cols[len(due.Columns):])), Rows: due.Rows}, nil
}

// reach makes room for partitions.
func (o *slideOp) reach(keys int) {
	o.watched = lengthened(o.watched, keys)
	o.rows.reach(keys)
	for i := range o.cursors {
		o.cursors[i].reach(keys)
	}
	for _, k := range o.carried {
		if k != nil {
			k.reach(keys)
		}
	}
}

// dueOrder is the order of rows that are given together.
type dueOrder struct {
	rows []int32
	// compare orders rows of one time, and apart those that are no peers; nil where they are all alike.
	compare, apart func(a, b int32) int
}

// ordered sorts rows by time and the other keys of the order.
func (o *slideOp) ordered(due *Delta, times []int64) (dueOrder, error) {
	out := dueOrder{rows: make([]int32, due.Rows)}
	for i := range out.rows {
		out.rows[i] = int32(i)
	}
	if len(o.node.ties) > 0 {
		ties, err := evalAll(steady, o.node.ties, due)
		if err != nil {
			return out, err
		}
		out.compare = exec.RowOrder(ties, o.node.order[1:])
		if n := o.node.even; n > 0 {
			out.apart = exec.RowOrder(ties[:n], o.node.order[1:1+n])
		}
	}
	byTime := func(a, b int32) int {
		switch x, y := times[a], times[b]; {
		case x != y && x < y:
			return -1
		case x != y:
			return 1
		case out.compare != nil:
			if c := out.compare(a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a, b)
	}
	if !slices.IsSortedFunc(out.rows, byTime) {
		slices.SortFunc(out.rows, byTime)
	}
	return out, nil
}

// forget drops the partitions whose last row is at or before a time: no frame reaches them any more.
func (o *slideOp) forget(horizon int64) error {
	if err := o.cold.expire(horizon); err != nil {
		return err
	}
	var gone []uint32
	for _, e := range o.silent.due(horizon) {
		if last := o.rows.lastTime(e.slot); last > horizon {
			o.silent.add(last, e.slot)
			continue
		}
		gone = append(gone, e.slot)
		o.watched[e.slot] = false
		o.rows.drop(e.slot)
		if err := o.rows.dropStretches(); err != nil {
			return err
		}
		for i := range o.cursors {
			o.cursors[i].clear(e.slot)
		}
	}
	for _, r := range o.rollers {
		if r != nil && len(gone) > 0 {
			r.Clear(gone)
		}
	}
	for _, k := range o.carried {
		if k != nil && len(gone) > 0 {
			k.clear(gone)
		}
	}
	o.rows.settle()
	o.keys.remove(gone)
	return nil
}

func (o *slideOp) bytes() int64 {
	total := o.ahead.bytes() + o.waiting.bytes() + o.keys.bytes() + o.rows.bytes() + o.silent.bytes() + int64(cap(o.watched)) + o.batches.bytes() + o.cold.bytes()
	for i := range o.cursors {
		total += o.cursors[i].bytes()
	}
	for i, r := range o.rollers {
		if r != nil {
			total += r.Bytes()
		}
		if k := o.carried[i]; k != nil {
			total += k.bytes()
		}
	}
	return total
}
