package continuous

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// accumulateNode groups rows that only come: it keeps an accumulator for each group and no rows. A step replaces the rows of the groups
// that it touches, or, where it holds rows back, gives those of the groups that the watermark has passed.
type accumulateNode struct {
	base
	plan     *plan.Aggregate
	groups   []*kernel.Program
	types    []event.Type
	calls    []*exec.Call
	schedule schedule
	// spill is where groups may go that memory has no room for, nil for nowhere.
	spill *spill.Space
	// panes is set for a grouping by overlapping windows that takes rows by panes: its input is then that of the windows.
	panes *paneNode
}

// schedule says when groups are shown and when they are forgotten, by places in their keys.
type schedule struct {
	// expires is the key that follows the watermark, -1 without one, and lag by how much.
	expires int
	lag     int64
	// closes is the key that the watermark has to pass before the group is shown, -1 where it is shown at once, and closeLag by how
	// much.
	closes   int
	closeLag int64
}

func (c *compiler) compileAccumulate(n *plan.Aggregate, input node) (*accumulateNode, error) {
	var calls []*exec.Call
	for _, a := range n.Aggregates {
		call, err := exec.CompileCall(a, len(input.columns()))
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return c.accumulating(n, input, calls)
}

// accumulating makes a grouping by calls.
func (c *compiler) accumulating(n *plan.Aggregate, input node, calls []*exec.Call) (*accumulateNode, error) {
	out := &accumulateNode{base: base{cols: n.Columns(), ins: []node{input}}, plan: n, types: make([]event.Type, len(n.Groups)), calls: calls}
	out.spill = c.options.Spill
	out.schedule = schedule{expires: -1, closes: -1}
	out.tr = groupTraits(n, upTo(len(n.Groups)), input.traits())
	for i, e := range n.Groups {
		out.types[i] = e.Type()
		if lag, ok := out.tr.bounds[i]; ok && (out.schedule.expires < 0 || lag < out.schedule.lag) {
			out.schedule.expires, out.schedule.lag = i, lag
		}
	}
	grows := len(n.Groups) > 0 || slices.ContainsFunc(calls, (*exec.Call).Collects)
	var err error
	if out.groups, err = compileExprs(n.Groups); err != nil {
		return nil, err
	}
	if out.schedule.expires < 0 && grows {
		return out, c.bounded(out, n)
	}
	return out, nil
}

func (n *accumulateNode) describe() string {
	out := strings.Replace(firstLine(n.plan), "Aggregate", "accumulate", 1)
	if n.panes != nil {
		out = n.panes.windows.describe() + ": " + out
	}
	return out + n.schedule.describe(n.cols)
}

func (s schedule) describe(columns []plan.Column) string {
	out := ""
	if s.closes >= 0 {
		out += fmt.Sprintf(", shown once the watermark passes %s", columns[s.closes].Name)
	}
	if s.expires >= 0 {
		out += fmt.Sprintf(", until it passes %s", columns[s.expires].Name)
		if s.closes < 0 {
			out = fmt.Sprintf(", until the watermark passes %s", columns[s.expires].Name)
		}
	}
	return out
}

// form implements keeper. How groups are shown and forgotten decides which are there.
func (n *accumulateNode) form(in shapes) (f form, whole bool) {
	return form{Kind: "groups", Version: 1, Computes: []string{in.all().Of(n.plan), n.schedule.form()}}, false
}

func (s schedule) form() string { return fmt.Sprintf("schedule %+v", s) }

func (n *accumulateNode) start(_ *Machine, inputs []operator) operator { return n.begin(inputs[0]) }

func (n *accumulateNode) begin(input operator) *accumulateOp {
	o := &accumulateOp{node: n, input: input, groups: newGroups(n.types, n.calls)}
	o.shown = newVectors(typesOf(n.cols[len(n.types):]))
	return o
}

func newVectors(types []event.Type) []vector {
	out := make([]vector, len(types))
	for i, t := range types {
		out[i] = newVector(t)
	}
	return out
}

type accumulateOp struct {
	node    *accumulateNode
	input   operator
	groups  *groups
	shown   []vector // the aggregates that were given last, by group
	isShown []bool   // by group
	expiry  calendar
	closing calendar
	firsts  firsts
	begun   bool
	cold    coldGroups
}

func (o *accumulateOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	var touched []uint32
	if o.node.panes != nil {
		touched, err = o.accumulatePanes(in, s)
	} else {
		touched, err = o.accumulate(in)
	}
	if err != nil {
		return Delta{}, err
	}
	warm, err := o.show(o.toShow(touched, s.closed))
	if err != nil {
		return Delta{}, err
	}
	cold, err := o.showCold(s)
	if err != nil {
		return Delta{}, err
	}
	out, err := sum(o.node.cols, warm, cold)
	if err != nil {
		return Delta{}, err
	}
	return out, o.expire(s.final)
}

// accumulate adds rows to their groups and gives the groups.
func (o *accumulateOp) accumulate(in Delta) ([]uint32, error) {
	if len(o.node.types) == 0 && !o.begun { // the one group is there before any row
		o.groups.index.assign(nil, 1)
		o.reach(1)
	}
	begun := o.begun
	o.begun = true
	if in.Rows == 0 {
		if len(o.node.types) == 0 && !begun {
			return []uint32{0}, nil
		}
		return nil, nil
	}
	in = in.expanded()
	keys, err := evalKeys(o.node.groups, o.node.types, &in)
	if err != nil {
		return nil, err
	}
	if err := o.warm(keys, in.Rows); err != nil {
		return nil, err
	}
	slots, fresh, err := o.groups.update(keys, &in)
	if err != nil {
		return nil, err
	}
	o.reach(o.groups.index.slots())
	o.note(slots)
	for _, row := range fresh {
		o.plan(keys, int(row), slots[row])
	}
	return o.firsts.of(slots, o.groups.index.slots()), nil
}

// reach makes room for groups.
func (o *accumulateOp) reach(groups int) {
	o.isShown = lengthened(o.isShown, groups)
	for _, v := range o.shown {
		v.reach(groups)
	}
}

// plan notes when a new group is to be shown and forgotten.
func (o *accumulateOp) plan(keys []arrow.Array, row int, slot uint32) {
	if at := o.node.schedule.expires; at >= 0 && keys[at].IsValid(row) {
		o.expiry.add(arrow.GetValues[int64](keys[at].Data(), 1)[row], slot)
	}
	if at := o.node.schedule.closes; at >= 0 && keys[at].IsValid(row) && !o.isShown[slot] {
		o.closing.add(arrow.GetValues[int64](keys[at].Data(), 1)[row], slot)
	}
}

// toShow lists the groups whose rows are to be given: those that were touched and are not held back, and those whose time has come.
func (o *accumulateOp) toShow(touched []uint32, closed int64) []uint32 {
	if o.node.schedule.closes < 0 {
		return touched
	}
	out := slices.DeleteFunc(touched, func(s uint32) bool { return !o.isShown[s] })
	if closed == NoWatermark {
		return out
	}
	for _, e := range o.closing.due(behind(closed, o.node.schedule.closeLag)) {
		if o.groups.index.live[e.slot] { // and not on disk
			out = append(out, e.slot)
		}
	}
	return out
}

// show gives the rows of groups in the place of those that were given before, where they differ.
func (o *accumulateOp) show(slots []uint32) (Delta, error) {
	if len(slots) == 0 {
		return noChange(o.node.cols), nil
	}
	results, err := o.results(slots)
	if err != nil {
		return Delta{}, err
	}
	same := make([]bool, len(slots))
	for i, s := range slots {
		same[i] = o.isShown[s]
	}
	for i, v := range o.shown {
		v.match(slots, results[i], same)
	}
	var old []uint32
	var fresh []int32
	for i, s := range slots {
		if same[i] {
			continue
		}
		if o.isShown[s] {
			old = append(old, s)
		}
		fresh = append(fresh, int32(i))
	}
	before := o.given(old)
	after := Delta{Columns: append(o.groups.index.gather(slots), results...), Rows: len(slots)}
	after = after.filtered(fresh)
	o.keepShown(slots, results)
	return sum(o.node.cols, before.negated(), after)
}

// results are what groups show.
func (o *accumulateOp) results(slots []uint32) ([]arrow.Array, error) {
	out, err := o.groups.results(slots, len(o.shown))
	if err != nil {
		return nil, err
	}
	return typed(out, o.node.cols[len(o.node.types):]), nil
}

// given are the rows of groups as they were given last.
func (o *accumulateOp) given(slots []uint32) Delta {
	out := Delta{Columns: o.groups.index.gather(slots), Rows: len(slots)}
	for _, v := range o.shown {
		out.Columns = append(out.Columns, v.gather(slots))
	}
	return out
}

// keepShown remembers what was given, where it may have to be taken back.
func (o *accumulateOp) keepShown(slots []uint32, results []arrow.Array) {
	for _, s := range slots {
		o.isShown[s] = true
	}
	for i, v := range o.shown {
		v.put(slots, results[i], nil)
	}
}

// expire forgets the groups that no row can touch any more.
func (o *accumulateOp) expire(final int64) error {
	if o.node.schedule.expires < 0 || final == NoWatermark {
		return nil
	}
	if err := o.forgetCold(final); err != nil {
		return err
	}
	due := o.expiry.due(behind(final, o.node.schedule.lag))
	if len(due) == 0 {
		return nil
	}
	gone := make([]uint32, 0, len(due))
	for _, e := range due {
		if o.groups.index.live[e.slot] {
			gone = append(gone, e.slot)
		}
	}
	return o.forget(gone)
}

// forget drops groups.
func (o *accumulateOp) forget(gone []uint32) error {
	for _, v := range o.shown {
		v.drop(gone)
	}
	o.groups.drop(gone)
	moved, err := o.groups.compact()
	if err != nil || moved == nil {
		return err
	}
	o.move(moved)
	return nil
}

// move follows the groups to their new slots.
func (o *accumulateOp) move(from []uint32) {
	shown, flags := newVectors(typesOf(o.node.cols[len(o.node.types):])), make([]bool, len(from))
	to := make([]uint32, len(from))
	for i, s := range from {
		to[i], flags[i] = uint32(i), o.isShown[s]
	}
	o.cold.move(from)
	for i, v := range o.shown {
		shown[i].put(to, v.gather(from), nil)
	}
	o.shown, o.isShown = shown, flags
	o.replan(o.groups.index.gather(to), len(to))
}

// replan notes anew when groups are to be shown and forgotten.
func (o *accumulateOp) replan(keys []arrow.Array, count int) {
	o.expiry, o.closing = calendar{}, calendar{}
	for i := range count {
		o.plan(keys, i, uint32(i))
	}
}

func (o *accumulateOp) save(w *stateWriter) error {
	w.flag(o.begun)
	if err := o.groups.save(w, o.isShown); err != nil {
		return err
	}
	o.saveCold(w)
	return nil
}

func (o *accumulateOp) load(r *stateReader) (err error) {
	if o.begun, err = r.flag(); err != nil {
		return err
	}
	keys, flags, err := o.groups.load(r)
	if err != nil {
		return err
	}
	o.isShown = flags
	o.reach(len(flags))
	o.replan(keys, len(flags))
	var shown []uint32
	for s, is := range flags {
		if is {
			shown = append(shown, uint32(s))
		}
	}
	// What was given last is what the accumulators hold: a group that is shown is given anew whenever it changes.
	results, err := o.results(shown)
	if err != nil {
		return err
	}
	o.keepShown(shown, results)
	return o.loadCold(r)
}

func (o *accumulateOp) bytes() int64 {
	total := o.cold.bytes() + o.groups.bytes() + o.expiry.bytes() + o.closing.bytes() + int64(cap(o.isShown))
	for _, v := range o.shown {
		total += v.bytes()
	}
	return total
}
