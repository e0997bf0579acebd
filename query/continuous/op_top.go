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

// topNode gives the first rows of each group in some order, of rows that only come: LATEST ON, DISTINCT ON, and row_number() where only
// its least values are asked for. A row that is not among the first will never be, so that no others are kept.
type topNode struct {
	base
	of    plan.Node
	by    []*kernel.Program
	exprs []plan.Expr // by as expressions
	types []event.Type
	order []plan.SortKey
	keys  []*kernel.Program // of the order
	count int
	// numbered adds the row's number as the last column.
	numbered bool
	parts    []int // the columns among by
	schedule schedule
	// spill is where groups may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// mostTop is the greatest number of first rows for which they are kept in this way.
const mostTop = 1000

// compileTop makes the operator of the first rows of groups of rows that only come. n computes as much or more.
func (c *compiler) compileTop(n plan.Node, input node, by []plan.Expr, order []plan.SortKey, count int) (*topNode, error) {
	out := &topNode{
		base: base{cols: n.Columns(), ins: []node{input}, tr: partTraits(by, input.traits())}, of: n, exprs: by,
		order: order, count: count, numbered: len(n.Columns()) > len(input.columns()), parts: plainColumns(by),
		schedule: schedule{expires: -1, closes: -1}, spill: c.options.Spill,
	}
	if at := ascendingColumn(keysBehind(by, order)); at >= 0 {
		if lag, ok := input.traits().bounds[at]; ok && c.options.Emit == OnWindowClose { // a row takes the place of later ones
			out.tr.bounds = withBound(out.tr.bounds, at, lag)
		}
	}
	var err error
	if out.by, err = compileExprs(by); err != nil {
		return nil, err
	}
	for i, e := range by {
		out.types = append(out.types, e.Type())
		if lag, ok := boundOf(e, input.traits().bounds); ok && (out.schedule.expires < 0 || lag < out.schedule.lag) {
			out.schedule.expires, out.schedule.lag = i, lag
		}
	}
	for _, k := range order {
		key, err := kernel.Compile(k.Expr)
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, key)
	}
	if out.schedule.expires < 0 && len(by) > 0 {
		return out, c.bounded(out, n)
	}
	return out, nil
}

// firstSoFar gives, of rows some of which are provisional, those that can be among the first of their groups: of those that are final no more are
// kept than the groups have of them, and the others come and go.
func (c *compiler) firstSoFar(n plan.Node, input node, by []plan.Expr, order []plan.SortKey, count int) (node, error) {
	out, err := c.compileTop(&plan.FirstRows{Input: n, By: by, Keys: order}, input, by, order, count)
	if err != nil {
		return nil, err
	}
	out.tr.provisional = true
	return soFarOver(out), nil
}

// keysBehind are the keys of an order from the first on that is not the same in all of a group.
func keysBehind(by []plan.Expr, order []plan.SortKey) []plan.SortKey {
	for len(order) > 0 && slices.ContainsFunc(by, func(e plan.Expr) bool { return plan.Same(e, order[0].Expr) }) {
		order = order[1:]
	}
	return order
}

// hold makes groups wait until they are complete.
func (n *topNode) hold(column int, closeLag, finalLag int64) bool {
	if !slices.Contains(n.parts, column) || len(n.parts) != len(n.by) {
		return false
	}
	at := slices.Index(n.parts, column)
	n.schedule = schedule{expires: at, lag: finalLag, closes: at, closeLag: closeLag}
	return true
}

func (n *topNode) describe() string {
	var by []plan.Column
	for _, at := range n.parts {
		by = append(by, n.cols[at])
	}
	out := fmt.Sprintf("first %d: %s", n.count, firstLine(n.of))
	if len(by) == len(n.by) {
		out += n.schedule.describe(by)
	}
	return strings.TrimSpace(out)
}

// form implements keeper.
func (n *topNode) form(in shapes) (f form, whole bool) {
	s := in.all()
	return form{Kind: "first rows", Version: 1, Computes: []string{
		fmt.Sprint("by ", s.OfAll(n.exprs)), "order " + s.Of(n.order), fmt.Sprintf("count %d %t", n.count, n.numbered), n.schedule.form(),
	}}, true
}

func (n *topNode) start(_ *Machine, inputs []operator) operator {
	o := &topOp{node: n, input: inputs[0]}
	o.empty()
	return o
}

// empty makes the memory that of no groups.
func (o *topOp) empty() {
	o.groups, o.places, o.isShown = newRowIndex(o.node.types), nil, nil
	o.rows, o.keys = newVectors(typesOf(o.node.ins[0].columns())), newVectors(typesOfKeysOf(o.node.order))
	o.used, o.free, o.batches = 0, nil, keyBatches{}
}

func typesOfKeysOf(order []plan.SortKey) []event.Type {
	out := make([]event.Type, len(order))
	for i, k := range order {
		out[i] = k.Expr.Type()
	}
	return out
}

type topOp struct {
	node   *topNode
	input  operator
	groups *rowIndex
	// places has for each group node.count places: the slots plus one of its first rows, in order, 0 behind the last.
	places []uint32
	// rows and keys are, by slot, the rows and what orders them.
	rows, keys []vector
	used       uint32
	free       []uint32
	isShown    []bool // by group
	expiry     calendar
	closing    calendar
	batches    keyBatches
	cold       coldTop
}

func (o *topOp) step(ctx context.Context, s *stepping) (Delta, error) {
	in, err := o.input.step(ctx, s)
	if err != nil {
		return Delta{}, err
	}
	changed, err := o.take(in.expanded())
	if err != nil {
		return Delta{}, err
	}
	cold, err := o.showCold(s)
	if err != nil {
		return Delta{}, err
	}
	out, err := sum(o.node.cols, changed, o.complete(s.closed), cold)
	if err != nil {
		return Delta{}, err
	}
	return out, o.expire(s.final)
}

// provisional implements provisionalOperator.
func (o *topOp) provisional(ctx context.Context) (Delta, error) {
	return provisionalOf(ctx, o.node.ins[0], o.input)
}

// topStep is what a step looks at: the new rows, and behind them those that their groups had among the first.
type topStep struct {
	rows  int // new ones
	held  []uint32
	order func(a, b int32) int
	// gone and came are the rows that are given back and given, numbers theirs in their groups.
	gone, came               []int32
	goneNumbers, cameNumbers []int64
	kept                     []int32 // new rows that are among the first now
	slots                    []uint32
	dropped                  []uint32
}

// take puts new rows among the first ones of their groups and gives what that changes.
func (o *topOp) take(in Delta) (Delta, error) {
	if in.Rows == 0 {
		return noChange(o.node.cols), nil
	}
	in.Columns = decoded(in.Columns)
	by, err := o.groupsOf(&in)
	if err != nil {
		return Delta{}, err
	}
	if err := o.warm(by, in.Rows); err != nil {
		return Delta{}, err
	}
	keys, err := o.orderOf(&in)
	if err != nil {
		return Delta{}, err
	}
	groups, fresh := o.groups.assign(by, in.Rows)
	o.reach(o.groups.slots())
	o.note(groups)
	for _, row := range fresh {
		o.plan(by, int(row), groups[row])
	}
	o.batches.group(upTo32(in.Rows), groups, o.groups.slots())
	s := &topStep{rows: in.Rows}
	o.batches.each(func(group uint32, _ []int32) { s.held = append(s.held, o.of(group)...) })
	all, err := withHeld(keys, o.keys, s.held)
	if err != nil {
		return Delta{}, err
	}
	s.order = exec.RowOrder(all, o.node.order)
	first := int32(in.Rows)
	o.batches.each(func(group uint32, rows []int32) {
		n := int32(len(o.of(group)))
		o.merge(s, group, first, n, rows)
		first += n
	})
	return o.settle(s, &in, keys)
}

// orderOf are the values that order rows.
func (o *topOp) orderOf(d *Delta) ([]arrow.Array, error) {
	keys, err := evalAll(steady, o.node.keys, d)
	for i, k := range keys {
		keys[i] = typedAs(kernel.Decode(k), o.node.order[i].Expr.Type())
	}
	return keys, err
}

// of are the slots of a group's first rows.
func (o *topOp) of(group uint32) []uint32 {
	places := o.places[int(group)*o.node.count:][:o.node.count]
	n := 0
	for n < len(places) && places[n] != 0 {
		n++
	}
	out := make([]uint32, n)
	for i, p := range places[:n] {
		out[i] = p - 1
	}
	return out
}

// withHeld are new values with those of slots behind them.
func withHeld(fresh []arrow.Array, held []vector, slots []uint32) ([]arrow.Array, error) {
	if len(slots) == 0 {
		return fresh, nil
	}
	out := make([]arrow.Array, len(fresh))
	for i, f := range fresh {
		var err error
		if out[i], err = kernel.Concat([]arrow.Array{f, held[i].gather(slots)}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// merge finds the first rows of a group among the n that it had, numbered from first, and its new ones.
func (o *topOp) merge(s *topStep, group uint32, first, n int32, rows []int32) {
	before := make([]int32, n, max(int(n)+1, 2))
	for i := range before {
		before[i] = first + int32(i)
	}
	now := slices.Clone(before)
	for _, row := range rows {
		if len(now) == o.node.count && s.order(row, now[len(now)-1]) >= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(now, row, func(a, row int32) int {
			if c := s.order(a, row); c != 0 {
				return c
			}
			return -1 // of equal rows the one that was there stays first
		})
		if now = slices.Insert(now, at, row); len(now) > o.node.count {
			now = now[:o.node.count]
		}
	}
	if slices.Equal(before, now) {
		return
	}
	o.place(s, group, first, before, now)
	if o.node.schedule.closes < 0 || o.isShown[group] {
		o.isShown[group] = true
		s.give(before, now, o.node.numbered)
	}
}

// place notes where the first rows of a group lie now.
func (o *topOp) place(s *topStep, group uint32, first int32, before, now []int32) {
	places := o.places[int(group)*o.node.count:][:o.node.count]
	old := slices.Clone(places)
	for _, row := range before {
		if !slices.Contains(now, row) {
			s.dropped = append(s.dropped, old[row-first]-1)
		}
	}
	clear(places)
	for i, row := range now {
		if row >= int32(s.rows) {
			places[i] = old[row-first]
			continue
		}
		slot := o.slot()
		s.kept, s.slots = append(s.kept, row), append(s.slots, slot)
		places[i] = slot + 1
	}
}

// give notes what is different between the first rows of a group before and now.
func (s *topStep) give(before, now []int32, numbered bool) {
	for i, row := range before {
		if numbered && (i >= len(now) || now[i] != row) || !numbered && !slices.Contains(now, row) {
			s.gone, s.goneNumbers = append(s.gone, row), append(s.goneNumbers, int64(i+1))
		}
	}
	for i, row := range now {
		if numbered && (i >= len(before) || before[i] != row) || !numbered && !slices.Contains(before, row) {
			s.came, s.cameNumbers = append(s.came, row), append(s.cameNumbers, int64(i+1))
		}
	}
}

// settle gives the change of a step and takes its rows over.
func (o *topOp) settle(s *topStep, in *Delta, keys []arrow.Array) (Delta, error) {
	out := Delta{Rows: len(s.gone) + len(s.came)}
	if out.Rows > 0 {
		work, err := withHeld(in.Columns, o.rows, s.held)
		if err != nil {
			return Delta{}, err
		}
		rows := slices.Concat(s.gone, s.came)
		for _, c := range work {
			out.Columns = append(out.Columns, kernel.Take(c, rows))
		}
		if o.node.numbered {
			out.Columns = append(out.Columns, event.NewInt64s(slices.Concat(s.goneNumbers, s.cameNumbers), nil))
		}
		out.Weights = append(slices.Repeat([]int64{-1}, len(s.gone)), slices.Repeat([]int64{1}, len(s.came))...)
	} else {
		out = noChange(o.node.cols)
	}
	o.release(s.dropped)
	for i, v := range o.rows {
		v.put(s.slots, in.Columns[i], s.kept)
	}
	for i, v := range o.keys {
		v.put(s.slots, keys[i], s.kept)
	}
	return out, nil
}

// complete gives the groups whose time the watermark has passed.
func (o *topOp) complete(closed int64) Delta {
	if o.node.schedule.closes < 0 || closed == NoWatermark {
		return noChange(o.node.cols)
	}
	var slots []uint32
	var numbers []int64
	for _, e := range o.closing.due(behind(closed, o.node.schedule.closeLag)) {
		o.isShown[e.slot] = true
		for i, slot := range o.of(e.slot) {
			slots, numbers = append(slots, slot), append(numbers, int64(i+1))
		}
	}
	out := Delta{Rows: len(slots)}
	for _, v := range o.rows {
		out.Columns = append(out.Columns, v.gather(slots))
	}
	if o.node.numbered {
		out.Columns = append(out.Columns, event.NewInt64s(numbers, nil))
	}
	return out
}
