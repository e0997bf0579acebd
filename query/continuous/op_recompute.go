package continuous

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// recomputeNode keeps any plan node current whose answer falls apart by a key: rows of different keys do not meet. It keeps the rows
// of its inputs under their keys. A step computes the answer for the keys that it touches, before and after, by package exec; what
// differs is the change. Without keys there is one, the empty one, and every step computes everything.
type recomputeNode struct {
	base
	plan plan.Node // over tables named by the place of the input
	// keys are, for each input, expressions for the same values.
	keys     [][]*kernel.Program
	keyTypes []event.Type
	names    []string
	by       [][]plan.Expr // the keys as expressions
	// parts are the columns, of the input and of the output alike, that are among the keys.
	parts []int
	// expires is the element of the key that follows the watermark, -1 without one, and lag by how much.
	expires int
	lag     int64
	// session is set for a window of sessions whose rows are forgotten when they are over.
	session *sessionTrim
	// spill is where keys may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// recompute makes the operator of a plan node over compiled inputs. keys has, for each input, the expressions of its key.
func (c *compiler) recompute(n plan.Node, ins []node, keys [][]plan.Expr) (*recomputeNode, error) {
	out := &recomputeNode{base: base{cols: n.Columns(), ins: ins}, by: keys, expires: -1, spill: c.options.Spill}
	scans := make([]plan.Node, len(ins))
	for i, in := range ins {
		scans[i] = tableScan(fmt.Sprint(i), in.columns())
		programs, err := compileExprs(keys[i])
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, programs)
	}
	out.plan = plan.Over(n, scans...)
	for i, e := range keys[0] {
		out.keyTypes, out.names = append(out.keyTypes, e.Type()), append(out.names, e.String())
		lag, ok := int64(NoWatermark), true
		for j, in := range ins {
			bound, bounded := boundOf(keys[j][i], in.traits().bounds)
			lag, ok = max(lag, bound), ok && bounded
		}
		if ok && (out.expires < 0 || lag < out.lag) {
			out.expires, out.lag = i, lag
		}
	}
	return out, nil
}

func (n *recomputeNode) describe() string {
	out := "recompute"
	if len(n.names) > 0 {
		out += " by (" + strings.Join(n.names, ", ") + ")"
	}
	if n.expires >= 0 {
		out += " until the watermark passes " + n.names[n.expires]
	}
	if n.session != nil {
		out += " until the session is over"
	}
	return out + ": " + firstLine(n.plan)
}

// form implements keeper.
func (n *recomputeNode) form(in shapes) (f form, whole bool) {
	f = form{Kind: "rows by key", Version: 1, Computes: []string{tree(n.plan)}}
	for input, keys := range n.by {
		for _, key := range keys {
			f.Computes = append(f.Computes, in.of(input).Of(key))
		}
	}
	if n.expires >= 0 {
		f.Computes = append(f.Computes, fmt.Sprintf("until %d by %d", n.expires, n.lag))
	}
	if n.session != nil {
		f.Computes = append(f.Computes, fmt.Sprintf("sessions %+v", *n.session))
	}
	return f, true
}

func (n *recomputeNode) start(_ *Machine, inputs []operator) operator {
	o := &recomputeOp{node: n, inputs: inputs, cold: coldBags{types: n.keyTypes, cools: n.cools()}}
	o.empty()
	return o
}

// empty makes the memory that of no rows.
func (o *recomputeOp) empty() {
	o.index, o.bags, o.due, o.sessions = newRowIndex(o.node.keyTypes), nil, calendar{}, sessionWatch{}
	for _, in := range o.node.ins {
		o.bags = append(o.bags, newBag(typesOf(in.columns()), in.traits().appendOnly))
	}
}

type recomputeOp struct {
	node   *recomputeNode
	inputs []operator
	index  *rowIndex // the keys
	bags   []*bag    // of each input
	begun  bool
	due    calendar // of keys
	// sessions is for a window of sessions.
	sessions sessionWatch
	cold     coldBags
}

func (o *recomputeOp) step(ctx context.Context, s *stepping) (Delta, error) {
	changes := make([]Delta, len(o.inputs))
	keys := make([][]uint32, len(o.inputs))
	var touched []uint32
	for i, in := range o.inputs {
		var err error
		if changes[i], err = in.step(ctx, s); err != nil {
			return Delta{}, err
		}
		if keys[i], err = o.keysOf(i, &changes[i]); err != nil {
			return Delta{}, err
		}
		touched = append(touched, keys[i]...)
	}
	if len(o.node.keyTypes) == 0 && !o.begun {
		touched, _ = o.index.assign(nil, 1) // there is an answer over no rows
	}
	touched = distinct(touched)
	out := noChange(o.node.cols)
	if len(touched) > 0 {
		var err error
		if out, err = o.replace(ctx, changes, keys, touched); err != nil {
			return Delta{}, err
		}
	}
	o.begun = true
	o.watch(touched)
	o.expire(s.final)
	o.trim(s.final)
	return out, o.forgetCold(s.final)
}

// keysOf finds the keys of an input's rows.
func (o *recomputeOp) keysOf(input int, d *Delta) ([]uint32, error) {
	if d.Rows == 0 {
		return nil, nil
	}
	values, err := evalKeys(o.node.keys[input], o.node.keyTypes, d)
	if err != nil {
		return nil, err
	}
	if err := o.cold.warm(o.index, values, d.Rows, o.absorb); err != nil {
		return nil, err
	}
	return o.assign(values, d.Rows), nil
}

// assign finds the keys of rows, and notes of those that are new when they can be forgotten.
func (o *recomputeOp) assign(values []arrow.Array, rows int) []uint32 {
	keys, fresh := o.index.assign(values, rows)
	if at := o.node.expires; at >= 0 {
		times := arrow.GetValues[int64](values[at].Data(), 1)
		for _, row := range fresh {
			if values[at].IsValid(int(row)) {
				o.due.add(times[row], keys[row])
			}
		}
	}
	o.cold.needed(keys, o.index)
	return keys
}

// replace takes the changes over and gives what they change in the answer for the touched keys.
func (o *recomputeOp) replace(ctx context.Context, changes []Delta, keys [][]uint32, touched []uint32) (Delta, error) {
	before := noChange(o.node.cols)
	if o.begun {
		var err error
		if before, err = o.answerFor(ctx, touched); err != nil {
			return Delta{}, err
		}
	}
	for i, b := range o.bags {
		if err := b.add(changes[i], keys[i]); err != nil {
			return Delta{}, err
		}
	}
	after, err := o.answerFor(ctx, touched)
	if err != nil {
		return Delta{}, err
	}
	o.dropEmpty(touched)
	both, err := sum(o.node.cols, before.negated(), after)
	return consolidate(both), err
}

// answerFor computes the node over the rows of keys.
func (o *recomputeOp) answerFor(ctx context.Context, keys []uint32) (Delta, error) {
	over := tables{}
	rows := 0
	for i, b := range o.bags {
		table := b.under(keys)
		over[fmt.Sprint(i)] = table
		rows += table.Rows
	}
	if rows == 0 && len(o.node.keyTypes) > 0 {
		return noChange(o.node.cols), nil
	}
	return answer(ctx, o.node.plan, over)
}

// dropEmpty frees the keys under which no row is left.
func (o *recomputeOp) dropEmpty(keys []uint32) {
	var gone []uint32
	for _, key := range keys {
		empty := len(o.node.keyTypes) > 0
		for _, b := range o.bags {
			empty = empty && b.empty(key)
		}
		if empty {
			gone = append(gone, key)
		}
	}
	o.index.remove(gone)
}

// expire forgets the keys that no row can touch any more. What was given for them stays.
func (o *recomputeOp) expire(final int64) {
	if o.node.expires < 0 || final == NoWatermark {
		return
	}
	var gone []uint32
	for _, e := range o.due.due(behind(final, o.node.lag)) {
		if o.index.live[e.slot] && o.timeOf(e.slot) == e.at {
			gone = append(gone, e.slot)
		}
	}
	gone = distinct(gone)
	for _, b := range o.bags {
		b.forget(gone)
	}
	o.index.remove(gone)
}

// timeOf is the time in a key.
func (o *recomputeOp) timeOf(key uint32) int64 {
	return o.index.vectors[o.node.expires].(*fixedVector[int64]).values[key]
}

func (o *recomputeOp) save(w *stateWriter) error {
	w.flag(o.begun)
	number, err := o.index.saveKeys(w)
	if err != nil {
		return err
	}
	for _, b := range o.bags {
		if err := b.save(w, number); err != nil {
			return err
		}
	}
	o.cold.save(w, len(o.bags))
	return nil
}

func (o *recomputeOp) load(r *stateReader) (err error) {
	if o.begun, err = r.flag(); err != nil {
		return err
	}
	values, rows, err := r.columns(typesOfKeys(o.node.keyTypes))
	if err != nil {
		return err
	}
	keys, fresh := o.index.assign(values, rows)
	if len(fresh) != rows {
		return errState("a key is there twice")
	}
	if at := o.node.expires; at >= 0 {
		for i, v := range arrow.GetValues[int64](values[at].Data(), 1) {
			if values[at].IsValid(i) {
				o.due.add(v, keys[i])
			}
		}
	}
	for i, b := range o.bags {
		if err := b.load(r, arrowTypes(o.node.ins[i].columns()), rows); err != nil {
			return err
		}
	}
	o.watch(keys)
	types := make([][]arrow.DataType, len(o.bags))
	for i := range types {
		types[i] = o.node.coldTypes(i)
	}
	return o.cold.load(r, types, o.restoreCold)
}

func (o *recomputeOp) bytes() int64 {
	total := o.cold.bytes() + o.index.bytes() + o.due.bytes() + o.sessions.checks.bytes() + int64(cap(o.sessions.pending))
	for _, b := range o.bags {
		total += b.bytes()
	}
	return total
}

func typesOfKeys(types []event.Type) []arrow.DataType {
	out := make([]arrow.DataType, len(types))
	for i, t := range types {
		out[i] = t.Arrow()
	}
	return out
}

func arrowTypes(columns []plan.Column) []arrow.DataType { return typesOfKeys(typesOf(columns)) }
