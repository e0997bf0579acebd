package continuous

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// asofNode gives each row of the left side the nearest row of the right side that is not after it, in event time. A row is given once,
// when the watermark has passed it: no row that could be nearer comes then. Of the right side only what a row to come can still meet is
// kept: for each key the newest row that the watermark has passed, and those after it.
type asofNode struct {
	base
	plan     plan.Node // over tables of both sides
	of       *plan.AsofJoin
	kind     plan.JoinKind
	keys     [2][]*kernel.Program
	keyTypes []event.Type
	at       [2]*kernel.Program
	// lag is how far a row's time must lie behind the watermark for the row to be given.
	lag int64
	// within is how much older a row of the right side may be, -1 where it may be of any age.
	within int64
	// spill is where keys may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// compileAsof makes the operator of an ASOF JOIN. Where its times are not those that watermarks speak of, or rows go again, it is
// computed anew for the keys that change.
func (c *compiler) compileAsof(n *plan.AsofJoin) (node, error) {
	right := n.Right
	sort, sorted := right.(*plan.Sort)
	if sorted {
		right = sort.Input
	}
	ins, timely, err := c.compileAsofSides(n, right)
	if err != nil {
		return nil, err
	}
	over := *n
	over.Left, over.Right = tableScan("0", ins[leftSide].columns()), tableScan("1", ins[rightSide].columns())
	keys := []plan.SortKey{{Expr: n.RightAt}}
	if sorted {
		keys = sort.Keys
	}
	over.Right = &plan.Sort{Input: over.Right, Keys: withTies(keys, allOf(right)), Limit: -1}
	if !timely {
		out, err := c.recompute(n, ins, [][]plan.Expr{n.LeftKeys, n.RightKeys})
		if err != nil {
			return nil, err
		}
		out.plan = &over
		return out, c.boundedRecompute(out, n)
	}
	left, _ := boundOf(n.LeftAt, ins[leftSide].traits().bounds)
	passed, _ := boundOf(n.RightAt, ins[rightSide].traits().bounds)
	out := &asofNode{
		base: base{cols: n.Columns(), ins: ins}, plan: &over, of: n, kind: n.Kind, lag: max(left, passed), within: withinOf(n),
		spill: c.options.Spill,
	}
	out.tr = traits{appendOnly: true, final: true, provisional: c.showing == soFar, bounds: map[int]int64{}, watermarks: map[int]bool{}}
	if column, by, ok := shifted(n.LeftAt); ok {
		out.tr.bounds[column] = saturated(out.lag, by)
	}
	for side, exprs := range [2][]plan.Expr{n.LeftKeys, n.RightKeys} {
		if out.keys[side], err = compileExprs(exprs); err != nil {
			return nil, err
		}
	}
	for _, e := range n.LeftKeys {
		out.keyTypes = append(out.keyTypes, e.Type())
	}
	for side, e := range [2]plan.Expr{n.LeftAt, n.RightAt} {
		if out.at[side], err = kernel.Compile(e); err != nil {
			return nil, err
		}
	}
	if out.within < 0 {
		err = c.bounded(out, n)
	}
	return out, err
}

// compileAsofSides makes the operators of both sides. timely says that the watermark tells which rows can have no other partner any more; where it
// does not, the sides have all that is to be seen.
func (c *compiler) compileAsofSides(n *plan.AsofJoin, right plan.Node) (ins []node, timely bool, err error) {
	late, rows := len(c.late), c.showing
	if rows == atTop {
		rows = settled
	}
	err = c.asked(rows, func() error {
		ins, err = c.compileAll([]plan.Node{n.Left, right})
		return err
	})
	if err != nil {
		return nil, false, err
	}
	l, r := ins[leftSide].traits(), ins[rightSide].traits()
	_, leftOK := boundOf(n.LeftAt, l.bounds)
	_, rightOK := boundOf(n.RightAt, r.bounds)
	switch {
	case leftOK && rightOK && l.appendOnly && r.appendOnly && n.Op[0] == '>':
		return ins, true, nil
	case c.showing == atTop:
		c.forgetLate(late)
		ins, err = c.compileSoFar(n.Left, right)
		return ins, false, err
	case c.showing == soFar:
		return []node{soFarOver(ins[leftSide]), soFarOver(ins[rightSide])}, false, nil
	default:
		return ins, false, nil
	}
}

// allOf orders by every column.
func allOf(n plan.Node) []plan.SortKey {
	var out []plan.SortKey
	for i, c := range n.Columns() {
		if c.Type.Kind != event.Unknown {
			out = append(out, plan.SortKey{Expr: &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}})
		}
	}
	return out
}

// withinOf is the tolerance of an ASOF JOIN in microseconds, -1 where there is none of fixed length.
func withinOf(n *plan.AsofJoin) int64 {
	if n.Within == nil {
		return -1
	}
	for _, g := range timeGaps([]plan.Expr{n.Within}, plan.Width(n.Left)) {
		if g.most != noMost && g.most >= 0 {
			return g.most
		}
	}
	return -1
}

func (n *asofNode) describe() string {
	return strings.Replace(firstLine(n.of), "AsofJoin", "as-of join", 1) + n.tr.settling()
}

// form implements keeper.
func (n *asofNode) form(shapes) (f form, whole bool) {
	f = form{Kind: "partners of a time", Version: 1, Computes: []string{
		tree(n.plan), fmt.Sprint("lag ", n.lag), fmt.Sprint("within ", n.within),
	}}
	if n.tr.provisional {
		f.Computes = append(f.Computes, provisionalForm)
		f.Version = asofAheadForm
	}
	return f, true
}

// asofAheadForm is the first version of the state of as-of joins that has keys of provisional rows on disk.
const asofAheadForm = 2

func (n *asofNode) start(_ *Machine, inputs []operator) operator {
	o := &asofOp{node: n, inputs: inputs, cold: coldBags{types: n.keyTypes, cools: n.cools()}}
	if n.tr.provisional {
		o.ahead = newProvisional(n, n.keyTypes, nil, false, n.spill, asofAheadForm)
	}
	o.empty()
	return o
}

// empty makes the memory that of no rows.
func (o *asofOp) empty() {
	o.index = newRowIndex(o.node.keyTypes)
	for side, in := range o.node.ins {
		o.sides[side] = asofSide{rows: newBag(typesOf(in.columns()), true)}
	}
}

type asofOp struct {
	node   *asofNode
	inputs []operator
	index  *rowIndex // keys
	sides  [2]asofSide
	cold   coldBags
	ahead  *provisional // nil where nobody asks for it
}

// asofSide is the rows that are kept of one input: of the left one those to be given, of the right one those to be met.
type asofSide struct {
	rows  *bag     // by key
	times []int64  // by row
	due   calendar // of rows the watermark has not passed
	old   calendar // of rows of the right side, by when they are too old to be met
}

func (o *asofOp) step(ctx context.Context, s *stepping) (Delta, error) {
	out := noChange(o.node.cols)
	for side, in := range o.inputs {
		d, err := in.step(ctx, s)
		if err != nil {
			return Delta{}, err
		}
		timeless, err := o.take(side, d.expanded())
		if err != nil {
			return Delta{}, err
		}
		if side == leftSide && timeless.Rows > 0 && o.node.kind == plan.LeftJoin {
			if out, err = answer(ctx, o.node.plan, tables{"0": timeless, "1": noChange(o.node.ins[rightSide].columns())}); err != nil {
				return Delta{}, err
			}
		}
	}
	passed := behind(s.final, o.node.lag)
	if passed == NoWatermark {
		return out, nil
	}
	if err := o.warmDue(passed); err != nil {
		return Delta{}, err
	}
	given, err := o.give(ctx, passed)
	if err != nil {
		return Delta{}, err
	}
	o.trim(passed)
	if err := o.forgetCold(passed); err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, out, given)
}

// take keeps the rows of a step, and gives those back that have no time.
func (o *asofOp) take(side int, in Delta) (timeless Delta, err error) {
	if in.Rows == 0 {
		return noChange(o.node.ins[side].columns()), nil
	}
	when, err := o.node.at[side].Eval(steady, in.Columns, in.Rows)
	if err != nil {
		return Delta{}, err
	}
	column := when.Expand(in.Rows)
	if column.NullN() > 0 {
		var timed, others []int32
		for i := range in.Rows {
			if column.IsValid(i) {
				timed = append(timed, int32(i))
			} else {
				others = append(others, int32(i))
			}
		}
		timeless, in, column = in.take(others), in.take(timed), kernel.Take(column, timed)
	}
	values, err := o.node.keysOf(side, &in)
	if err != nil {
		return Delta{}, err
	}
	if o.ahead != nil {
		if _, err := o.ahead.touch(values, in.Rows); err != nil {
			return Delta{}, err
		}
	}
	keys, err := o.cold.find(o, values, in.Rows)
	if err != nil {
		return Delta{}, err
	}
	o.keep(side, in, keys, arrow.GetValues[int64](column.Data(), 1))
	return timeless, nil
}

// keysOf are the values that rows of a side meet by.
func (n *asofNode) keysOf(side int, in *Delta) ([]arrow.Array, error) {
	return evalKeys(n.keys[side], n.keyTypes, in)
}

// keep adds rows under their keys.
func (o *asofOp) keep(side int, in Delta, keys []uint32, times []int64) {
	s := &o.sides[side]
	for i, row := range s.rows.place(&in, keys) {
		s.times = lengthened(s.times, int(row)+1)
		s.times[row] = times[i]
		s.due.add(times[i], row)
		if side == rightSide && o.node.within >= 0 {
			s.old.add(times[i], row)
		}
	}
}

// give joins the rows of the left side that the watermark has passed, and forgets them.
func (o *asofOp) give(ctx context.Context, passed int64) (Delta, error) {
	left, right := &o.sides[leftSide], &o.sides[rightSide]
	due := left.due.due(passed)
	if len(due) == 0 {
		return noChange(o.node.cols), nil
	}
	slots, keys := make([]uint32, len(due)), make([]uint32, len(due))
	for i, e := range due {
		slots[i], keys[i] = e.slot, left.rows.key[e.slot]
	}
	keys = distinct(keys)
	if o.ahead != nil {
		if _, err := o.ahead.touch(o.index.gather(keys), len(keys)); err != nil {
			return Delta{}, err
		}
	}
	out, err := answer(ctx, o.node.plan, tables{"0": left.rows.gather(slots), "1": right.rows.under(keys)})
	if err != nil {
		return Delta{}, err
	}
	for _, slot := range slots {
		left.rows.release(slot)
	}
	dropEmpty(o.index, keys, o.sides[leftSide].rows, o.sides[rightSide].rows)
	return out, nil
}

// trim drops the rows of the right side that no row to come can meet: those before the newest that the watermark has passed, and those
// that are too old.
func (o *asofOp) trim(passed int64) {
	s := &o.sides[rightSide]
	var keys []uint32
	for _, e := range s.due.due(passed) {
		if s.live(e) {
			keys = append(keys, s.rows.key[e.slot])
		}
	}
	keys = distinct(keys)
	var scratch []uint32
	for _, key := range keys {
		scratch = s.rows.list(key, scratch[:0])
		newest := int64(NoWatermark)
		for _, row := range scratch {
			if at := s.times[row]; at <= passed {
				newest = max(newest, at)
			}
		}
		for _, row := range scratch {
			if s.times[row] < newest {
				s.rows.release(row)
			}
		}
	}
	if o.node.within >= 0 {
		for _, e := range s.old.due(saturated(passed, -o.node.within)) {
			if s.live(e) {
				keys = append(keys, s.rows.key[e.slot])
				s.rows.release(e.slot)
			}
		}
	}
	dropEmpty(o.index, distinct(keys), o.sides[leftSide].rows, o.sides[rightSide].rows)
}

// live reports whether a slot still holds the row that an entry was made for, or one of the same time.
func (s *asofSide) live(e entry) bool { return s.rows.weights[e.slot] != 0 && s.times[e.slot] == e.at }

func (o *asofOp) save(w *stateWriter) error {
	number, err := o.index.saveKeys(w)
	if err != nil {
		return err
	}
	for i := range o.sides {
		s := &o.sides[i]
		if err := s.rows.save(w, number); err != nil {
			return err
		}
		rows := s.rows.all()
		times := make([]int64, len(rows))
		for i, row := range rows {
			times[i] = s.times[row]
		}
		if err := w.columns([]arrow.Array{event.NewInt64s(times, nil)}, len(rows)); err != nil {
			return err
		}
	}
	o.cold.save(w, len(o.sides))
	if o.ahead != nil {
		return o.ahead.save(w)
	}
	return nil
}

func (o *asofOp) load(r *stateReader) error {
	values, count, err := r.columns(typesOfKeys(o.node.keyTypes))
	if err != nil {
		return err
	}
	if _, fresh := o.index.assign(values, count); len(fresh) != count {
		return errState("a key is there twice")
	}
	for side := range o.sides {
		rows, keys, err := readBag(r, arrowTypes(o.node.ins[side].columns()), count)
		if err != nil {
			return err
		}
		times, n, err := r.columns([]arrow.DataType{arrow.PrimitiveTypes.Int64})
		if err != nil {
			return err
		}
		if n != rows.Rows {
			return errState("%d times for %d rows", n, rows.Rows)
		}
		rows.Weights = nil
		o.keep(side, rows, keys, times[0].(*array.Int64).Int64Values())
	}
	err = o.cold.load(r, [][]arrow.DataType{o.node.coldTypes(leftSide), o.node.coldTypes(rightSide)}, o.restoreCold)
	if err != nil || o.ahead == nil {
		return err
	}
	return o.ahead.load(r)
}

func (o *asofOp) bytes() int64 {
	total := o.ahead.bytes() + o.index.bytes() + o.cold.bytes()
	for i := range o.sides {
		s := &o.sides[i]
		total += s.rows.bytes() + s.due.bytes() + s.old.bytes() + int64(8*cap(s.times))
	}
	return total
}
