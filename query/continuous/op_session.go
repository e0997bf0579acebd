package continuous

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// sessionNode groups rows by the session that they belong to and what the sessions are partitioned by: a grouping and the window below
// it as one operator. It keeps an accumulator for each session; a row extends a session, begins one, or joins several into one.
type sessionNode struct {
	base
	text      string
	grouping  *plan.Aggregate
	window    *plan.Window // below it
	partition []*kernel.Program
	types     []event.Type
	time      *kernel.Program
	gap       int64 // microseconds
	calls     []*exec.Call
	// from says for each group what it is: sessionStart, sessionEnd or the place of a value in the partition.
	from []int
	// lag is how far the end of sessions may be behind the watermark when they still change; bounded is false if there is no end to it.
	lag     int64
	bounded bool
	// latest shows of each partition the session that ends last, and that only until the watermark has passed its end.
	latest bool
	// held sessions are shown once the watermark has passed their end, less closeLag.
	held     bool
	closeLag int64
	// spill is where partitions may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// What a group can be besides a value of the partition.
const (
	sessionStart = -1
	sessionEnd   = -2
)

// compileSessions makes one operator of a grouping over sessions; ok is false where the grouping is by something else.
func (c *compiler) compileSessions(n *plan.Aggregate) (out *sessionNode, ok bool, err error) {
	n = underProject(n)
	w, isWindow := n.Input.(*plan.Window)
	if !isWindow || n.Sets != nil {
		return nil, false, nil
	}
	when, gap, ok := sessionsOf(w)
	from, grouped := sessionGroups(n, w)
	width := plan.Width(w.Input)
	if !ok || !grouped || readsBeyond(n, width) {
		return nil, false, nil
	}
	input, err := c.compileInput(w.Input)
	if err != nil || !canAccumulate(n, input.traits()) {
		return nil, false, err
	}
	out = &sessionNode{base: base{cols: n.Columns(), ins: []node{input}}, gap: gap, from: from, spill: c.options.Spill, grouping: n, window: w}
	out.text = fmt.Sprintf("sessions by=[%s] gap=%s: %s", joined(w.Partition), w.Calls[0].Args[1], firstLine(n))
	if out.partition, err = compileExprs(w.Partition); err != nil {
		return nil, false, err
	}
	for _, e := range w.Partition {
		out.types = append(out.types, e.Type())
	}
	if out.time, err = kernel.Compile(when); err != nil {
		return nil, false, err
	}
	for _, a := range n.Aggregates {
		call, err := exec.CompileCall(a, width)
		if err != nil {
			return nil, false, err
		}
		out.calls = append(out.calls, call)
	}
	out.tr = traits{bounds: map[int]int64{}, recomputes: input.traits().recomputes}
	lag, bounded := boundOf(when, input.traits().bounds)
	if out.lag, out.bounded = lag-1, bounded; !bounded {
		return out, true, c.bounded(out, n)
	}
	if at := slices.Index(from, sessionEnd); at >= 0 {
		out.tr.bounds[at] = out.lag
	}
	return out, true, nil
}

// underProject is a grouping over the input of a projection that only picks columns, which stand there where an order was completed.
func underProject(n *plan.Aggregate) *plan.Aggregate {
	p, ok := n.Input.(*plan.Project)
	if !ok || len(plainColumns(p.Exprs)) != len(p.Exprs) {
		return n
	}
	below := func(e plan.Expr) plan.Expr {
		return mapColumns(e, func(c *plan.ColumnRef) plan.Expr { return p.Exprs[c.Index] })
	}
	all := func(exprs []plan.Expr) []plan.Expr {
		out := make([]plan.Expr, len(exprs))
		for i, e := range exprs {
			out[i] = below(e)
		}
		return out
	}
	out := *n
	out.Input, out.Groups, out.Aggregates = p.Input, all(n.Groups), slices.Clone(n.Aggregates)
	for i := range out.Aggregates {
		a := &out.Aggregates[i]
		a.Args, a.Order = all(a.Args), slices.Clone(a.Order)
		for k := range a.Order {
			a.Order[k].Expr = below(a.Order[k].Expr)
		}
		if a.Filter != nil {
			a.Filter = below(a.Filter)
		}
	}
	return &out
}

// sessionsOf is the time and the gap of a window that computes sessions and nothing else.
func sessionsOf(w *plan.Window) (when plan.Expr, gap int64, ok bool) {
	for _, call := range w.Calls {
		if call.Fn != plan.SessionStart && call.Fn != plan.SessionEnd {
			return nil, 0, false
		}
		when = call.Args[0]
		if gap, ok = micros(call.Args[1].(*plan.Literal)); !ok {
			return nil, 0, false
		}
	}
	return when, gap, ok
}

// sessionGroups finds what each group is. All values of the partition must be among the groups, or rows of different partitions could
// fall into one group.
func sessionGroups(n *plan.Aggregate, w *plan.Window) (from []int, ok bool) {
	width := plan.Width(w.Input)
	seen := map[int]bool{}
	for _, e := range n.Groups {
		at := slices.IndexFunc(w.Partition, func(p plan.Expr) bool { return plan.Same(p, e) })
		if ref, isColumn := e.(*plan.ColumnRef); isColumn && ref.Index >= width {
			at = sessionEnd
			if w.Calls[ref.Index-width].Fn == plan.SessionStart {
				at = sessionStart
			}
		} else if at < 0 {
			return nil, false
		}
		seen[at] = true
		from = append(from, at)
	}
	for i := range w.Partition {
		if !seen[i] {
			return nil, false
		}
	}
	return from, seen[sessionStart] || seen[sessionEnd]
}

// readsBeyond reports whether an aggregate reads the bounds of the window.
func readsBeyond(n *plan.Aggregate, width int) bool {
	found := false
	for i := range n.Aggregates {
		for _, e := range n.Aggregates[i].Exprs() {
			plan.Walk(e, func(e plan.Expr) {
				ref, ok := e.(*plan.ColumnRef)
				found = found || (ok && ref.Index >= width)
			})
		}
	}
	return found
}

func joined(exprs []plan.Expr) string {
	out := ""
	for i, e := range exprs {
		if i > 0 {
			out += ", "
		}
		out += e.String()
	}
	return out
}

func (n *sessionNode) hold(column int, closeLag, _ int64) bool {
	if column >= len(n.from) || n.from[column] != sessionEnd {
		return false
	}
	n.held, n.closeLag = true, closeLag
	return true
}

func (n *sessionNode) describe() string {
	if n.latest {
		return n.text + ", the latest of each until the watermark passes its end"
	}
	if n.held {
		return n.text + ", shown once the watermark passes their end"
	}
	return n.text
}

// form implements keeper.
func (n *sessionNode) form(in shapes) (f form, whole bool) {
	bounds := len(n.ins[0].columns())
	s := plan.Shape{Column: func(i int) string {
		if i >= bounds { // of the window, and no column below
			return in.all().Of(n.window.Calls[i-bounds].Fn)
		}
		return in.column(i)
	}}
	return form{Kind: "sessions", Version: 1, Computes: []string{
		s.Of(n.window), s.Of(n.grouping), fmt.Sprint("latest ", n.latest), fmt.Sprintf("until %d %t", n.lag, n.bounded),
		fmt.Sprintf("held %t %d", n.held, n.closeLag),
	}}, false
}

func (n *sessionNode) start(_ *Machine, inputs []operator) operator {
	o := &sessionOp{node: n, input: inputs[0]}
	o.empty()
	return o
}

// empty makes the memory that of no sessions.
func (o *sessionOp) empty() {
	n := o.node
	o.index, o.open, o.groups = newRowIndex(n.types), nil, newGroups([]event.Type{{Kind: event.BigInt}}, n.calls)
	o.owner, o.isShown, o.shownStart, o.shownEnd, o.shown = nil, nil, nil, nil, newVectors(typesOf(n.cols[len(n.from):]))
	o.due, o.closing = calendar{}, calendar{}
}

// session is one session of a partition. Its group is under its number.
type session struct {
	start, end int64
	slot       uint32
}

type sessionOp struct {
	node   *sessionNode
	input  operator
	index  *rowIndex   // partitions
	open   [][]session // by partition, by time
	groups *groups     // a group for each session
	next   int64       // the number of the next session
	// by slot
	owner      []uint32 // the partition
	isShown    []bool
	shownStart []int64
	shownEnd   []int64
	shown      []vector
	due        calendar // of partitions, by the end of a session that may be forgotten then
	closing    calendar // of partitions, by the end of a session that is to be shown then
	firsts     firsts
	cold       coldSessions
}

func (o *sessionOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	var changed sessionChange
	if in.Rows > 0 {
		if changed, err = o.add(in.expanded()); err != nil {
			return Delta{}, err
		}
	}
	if err := o.warmDue(s); err != nil {
		return Delta{}, err
	}
	over := o.over(s)
	out, err := o.show(changed, over, s)
	if err != nil {
		return Delta{}, err
	}
	if o.cold.store != nil && over.at != NoWatermark {
		if err := o.cold.store.expire(over.at); err != nil {
			return Delta{}, err
		}
	}
	return out, o.forget(over)
}

// sessionChange is what a step did: partitions whose sessions changed, and slots of sessions that are now part of another.
type sessionChange struct {
	slots    []uint32 // sessions that rows came to
	absorbed []uint32
}

// add puts rows into sessions.
func (o *sessionOp) add(in Delta) (sessionChange, error) {
	var out sessionChange
	when, err := o.node.time.Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return out, err
	}
	column := when.Expand(in.Rows)
	values, err := evalKeys(o.node.partition, o.node.types, &in)
	if err != nil {
		return out, err
	}
	if err := o.warm(values, in.Rows); err != nil {
		return out, err
	}
	keys, _ := o.index.assign(values, in.Rows)
	o.open = lengthened(o.open, o.index.slots())
	o.noteNeeded(keys)
	times := arrow.GetValues[int64](column.Data(), 1)
	slots := make([]uint32, in.Rows)
	into := map[uint32]uint32{} // absorbed sessions and what they are part of
	for i := range in.Rows {
		if column.IsNull(i) { // the plan leaves these out below the window
			return out, event.Errorf(event.CodeInternal, "a row without a time in a session")
		}
		slots[i] = o.place(keys[i], times[i], into)
	}
	for i, s := range slots {
		slots[i] = rootOf(into, s)
	}
	if err := o.accumulate(in, slots, into); err != nil {
		return out, err
	}
	out.slots = o.firsts.of(slots, o.groups.index.slots())
	for s := range into {
		out.absorbed = append(out.absorbed, s)
	}
	slices.Sort(out.absorbed)
	return out, nil
}

// rootOf follows joins of sessions to the one that is left.
func rootOf(into map[uint32]uint32, slot uint32) uint32 {
	for {
		next, ok := into[slot]
		if !ok {
			return slot
		}
		slot = next
	}
}

// place finds the session of a row, joining those that it connects.
func (o *sessionOp) place(key uint32, at int64, into map[uint32]uint32) uint32 {
	end := saturated(at, o.node.gap)
	list := o.open[key]
	// The sessions that the row connects lie side by side.
	from := 0
	for from < len(list) && list[from].end <= at {
		from++
	}
	to := from
	for to < len(list) && list[to].start < end {
		to++
	}
	if from == to {
		fresh := session{start: at, end: end, slot: o.begin(key)}
		o.open[key] = slices.Insert(list, from, fresh)
		o.note(end, key)
		return fresh.slot
	}
	first := &list[from]
	first.start = min(first.start, at)
	if longest := max(end, list[to-1].end); longest != first.end {
		first.end = longest
		o.note(longest, key)
	}
	for _, s := range list[from+1 : to] {
		into[s.slot] = first.slot
	}
	slot := first.slot
	o.open[key] = slices.Delete(list, from+1, to)
	return slot
}

// begin makes a session.
func (o *sessionOp) begin(key uint32) uint32 {
	slots, _ := o.groups.index.assign([]arrow.Array{event.NewInt64s([]int64{o.next}, nil)}, 1)
	o.next++
	o.reach(int(slots[0]) + 1)
	o.owner[slots[0]] = key
	return slots[0]
}

func (o *sessionOp) reach(slots int) {
	o.owner, o.isShown = lengthened(o.owner, slots), lengthened(o.isShown, slots)
	o.shownStart, o.shownEnd = lengthened(o.shownStart, slots), lengthened(o.shownEnd, slots)
	for _, v := range o.shown {
		v.reach(slots)
	}
}

// accumulate adds rows to their sessions, and sessions to those that they are now part of.
func (o *sessionOp) accumulate(in Delta, slots []uint32, into map[uint32]uint32) error {
	to := kernel.Groups{IDs: slots, Count: o.groups.index.slots()}
	var absorbed, targets []uint32
	for s := range into {
		absorbed = append(absorbed, s)
	}
	slices.Sort(absorbed)
	for _, s := range absorbed {
		targets = append(targets, rootOf(into, s))
	}
	for i, call := range o.node.calls {
		if err := call.Update(steady, o.groups.accumulators[i], in.Columns, in.Rows, to); err != nil {
			return err
		}
		if len(absorbed) == 0 {
			continue
		}
		part, err := o.groups.part(i, absorbed)
		if err != nil {
			return err
		}
		if err := o.groups.accumulators[i].Merge(part, targets, to.Count); err != nil {
			return err
		}
	}
	return nil
}
