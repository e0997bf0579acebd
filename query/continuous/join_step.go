package continuous

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// joinOp keeps both sides of a join. With L and R for what the sides held before a step and dL and dR for what it brings, the pairs
// change by dL with R + dR, and L with dR.
type joinOp struct {
	node   *joinNode
	inputs []operator
	index  *rowIndex // keys
	sides  [2]*joinSide
}

func (o *joinOp) step(ctx context.Context, s *stepping) (Delta, error) {
	var moved [2]touched
	for side, in := range o.inputs {
		d, err := in.step(ctx, s)
		if err != nil {
			return Delta{}, err
		}
		if moved[side], err = o.take(side, &d); err != nil {
			return Delta{}, err
		}
	}
	p := &pairing{op: o}
	if err := o.pairUp(ctx, p, moved); err != nil {
		return Delta{}, err
	}
	for side := range o.sides {
		o.padded(p, side)
	}
	var keys []uint32
	for side, m := range moved {
		for _, row := range m.rows {
			keys = append(keys, o.sides[side].rows.key[row])
		}
		o.sides[side].rows.sweep(m.rows)
		keys = append(keys, o.sides[side].forget(s.final)...)
	}
	o.dropEmpty(keys)
	return sum(o.node.cols, p.out...)
}

// take puts the rows of a step under their keys.
func (o *joinOp) take(side int, d *Delta) (touched, error) {
	if d.Rows == 0 {
		return touched{}, nil
	}
	values, err := evalAll(steady, o.node.keys[side], d)
	if err != nil {
		return touched{}, err
	}
	for i, v := range values {
		values[i] = canonical(v, o.node.keyTypes[i])
	}
	// A row with a NULL among its keys pairs with nothing.
	whole := *d
	if alone := rowsWithNull(values, d.Rows); len(alone) > 0 && !o.sides[side].pads {
		kept := without(alone, d.Rows)
		whole = d.take(kept)
		for i, v := range values {
			values[i] = kernel.Take(v, kept)
		}
	}
	keys, _ := o.index.assign(values, whole.Rows)
	rows := o.sides[side]
	out := rows.rows.apply(&whole, keys)
	rows.schedule(out.rows, out.before)
	for i, row := range out.rows {
		rows.note(row, out.before[i])
	}
	return out, nil
}

// rowsWithNull marks the rows for which one of the values is NULL; empty where none is.
func rowsWithNull(values []arrow.Array, rows int) []bool {
	var out []bool
	for _, v := range values {
		if v.NullN() == 0 {
			continue
		}
		out = lengthened(out, rows)
		for i := range rows {
			out[i] = out[i] || v.IsNull(i)
		}
	}
	return out
}

func without(marked []bool, rows int) []int32 {
	var out []int32
	for i := range rows {
		if !marked[i] {
			out = append(out, int32(i))
		}
	}
	return out
}

// nullKey reports whether one of the values of a key is NULL.
func (o *joinOp) nullKey(key uint32) bool {
	for _, v := range o.index.vectors {
		if v.isNull(key) {
			return true
		}
	}
	return false
}

// pairUp finds the pairs that change.
func (o *joinOp) pairUp(ctx context.Context, p *pairing, moved [2]touched) error {
	left, right := o.sides[leftSide], o.sides[rightSide]
	before := weightsBefore(moved[leftSide])
	var scratch []uint32
	for i, l := range moved[leftSide].rows {
		change := left.rows.weights[l] - moved[leftSide].before[i]
		key := left.rows.key[l]
		if change == 0 && moved[leftSide].before[i] != 0 || o.nullKey(key) {
			continue
		}
		scratch = right.rows.list(key, scratch[:0])
		for _, r := range scratch {
			fresh := moved[leftSide].before[i] == 0
			if err := p.add(ctx, [2]uint32{l, r}, [2]int64{change, right.rows.weights[r]}, [2]bool{fresh, true}); err != nil {
				return err
			}
		}
	}
	for i, r := range moved[rightSide].rows {
		change := right.rows.weights[r] - moved[rightSide].before[i]
		key := right.rows.key[r]
		if change == 0 || o.nullKey(key) {
			continue
		}
		scratch = left.rows.list(key, scratch[:0])
		for _, l := range scratch {
			was, ok := before[l]
			if !ok {
				was = left.rows.weights[l]
			}
			if was == 0 {
				continue
			}
			fresh := moved[rightSide].before[i] == 0
			if err := p.add(ctx, [2]uint32{l, r}, [2]int64{was, change}, [2]bool{true, fresh}); err != nil {
				return err
			}
		}
	}
	return p.flush(ctx)
}

func weightsBefore(t touched) map[uint32]int64 {
	out := make(map[uint32]int64, len(t.rows))
	for i, row := range t.rows {
		out[row] = t.before[i]
	}
	return out
}

// pairing collects pairs and keeps those that meet the conditions.
type pairing struct {
	op          *joinOp
	left, right []uint32
	weights     [2][]int64 // by pair: what of the left row, and of the right row, is paired
	// counts says for which side's row the pair is one more: it is not for a row that was there before the other side's was, and only
	// changed its own weight.
	counts [2][]bool
	out    []Delta
}

// fewPairs is how many pairs are looked at together.
const fewPairs = 16 << 10

func (p *pairing) add(ctx context.Context, rows [2]uint32, weights [2]int64, counts [2]bool) error {
	p.left, p.right = append(p.left, rows[leftSide]), append(p.right, rows[rightSide])
	for side := range weights {
		p.weights[side], p.counts[side] = append(p.weights[side], weights[side]), append(p.counts[side], counts[side])
	}
	if len(p.left) < fewPairs {
		return nil
	}
	return p.flush(ctx)
}

// flush keeps those of the collected pairs that meet the conditions.
func (p *pairing) flush(ctx context.Context) error {
	if len(p.left) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return event.Errorf(event.CodeCancelled, "the step was cancelled")
	}
	o := p.op
	pairs := Delta{Rows: len(p.left)}
	for _, v := range o.sides[leftSide].rows.vectors {
		pairs.Columns = append(pairs.Columns, v.gather(p.left))
	}
	for _, v := range o.sides[rightSide].rows.vectors {
		pairs.Columns = append(pairs.Columns, v.gather(p.right))
	}
	kept, err := kernel.Filter(steady, o.node.rest, pairs.Columns, pairs.Rows)
	if err != nil {
		return err
	}
	p.count(kept)
	if o.node.kind != plan.MarkJoin {
		p.emit(pairs, kept)
	}
	p.left, p.right = p.left[:0], p.right[:0]
	for side := range p.weights {
		p.weights[side], p.counts[side] = p.weights[side][:0], p.counts[side][:0]
	}
	return nil
}

// emit gives pairs, each as often as both of its rows come.
func (p *pairing) emit(pairs Delta, kept []int32) {
	var rows []int32
	var weights []int64
	for _, i := range kept {
		if w := p.weights[leftSide][i] * p.weights[rightSide][i]; w != 0 {
			rows, weights = append(rows, i), append(weights, w)
		}
	}
	if len(rows) > 0 {
		out := pairs.take(rows)
		out.Weights = weights
		p.out = append(p.out, out)
	}
}

// count adds pairs to what the rows of both sides are paired with: a row counts the weights of the others as they are after the step.
func (p *pairing) count(kept []int32) {
	for _, i := range kept {
		rows := [2]uint32{p.left[i], p.right[i]}
		for side, s := range p.op.sides {
			if s.pads && p.counts[side][i] {
				s.note(rows[side], s.rows.weights[rows[side]])
				s.pairs[rows[side]] += p.weights[1-side][i]
			}
		}
	}
}

// padded gives the rows of a side that come out without a pair, or in a mark join all of them, as far as the step changed that.
func (o *joinOp) padded(p *pairing, side int) {
	s := o.sides[side]
	var rows []uint32
	var weights []int64
	var marks []bool
	give := func(row uint32, weight int64, paired bool) {
		if weight != 0 && (!paired || o.node.kind == plan.MarkJoin) {
			rows, weights, marks = append(rows, row), append(weights, weight), append(marks, paired)
		}
	}
	for _, row := range s.order {
		before, now := s.changed[row], padding{s.rows.weights[row], s.pairs[row]}
		if before.weight == now.weight && (before.pairs > 0) == (now.pairs > 0) {
			continue
		}
		give(row, -before.weight, before.pairs > 0)
		give(row, now.weight, now.pairs > 0)
	}
	clear(s.changed)
	s.order = s.order[:0]
	if len(rows) == 0 {
		return
	}
	own := s.rows.vectorsOf(rows)
	out := Delta{Weights: weights, Rows: len(rows)}
	switch {
	case o.node.kind == plan.MarkJoin:
		bits := event.NewBitmap(len(marks))
		for i, m := range marks {
			if m {
				bits.Set(i)
			}
		}
		out.Columns = slices.Concat(own, []arrow.Array{event.NewBooleans(bits, len(marks), nil)})
	case side == leftSide:
		out.Columns = slices.Concat(own, o.nulls(rightSide, len(rows)))
	default:
		out.Columns = slices.Concat(o.nulls(leftSide, len(rows)), own)
	}
	p.out = append(p.out, out)
}

// nulls are the columns of a side for rows without a pair.
func (o *joinOp) nulls(side, rows int) []arrow.Array {
	var out []arrow.Array
	for _, c := range o.node.ins[side].columns() {
		out = append(out, event.NewNulls(c.Type, rows))
	}
	return out
}

// dropEmpty frees the keys under which neither side has a row.
func (o *joinOp) dropEmpty(keys []uint32) {
	var gone []uint32
	for _, key := range distinct(keys) {
		if o.index.live[key] && o.sides[leftSide].rows.empty(key) && o.sides[rightSide].rows.empty(key) {
			gone = append(gone, key)
		}
	}
	o.index.remove(gone)
}

func (o *joinOp) save(w *stateWriter) error {
	keys := o.index.all()
	number := make([]uint32, o.index.slots())
	for i, key := range keys {
		number[key] = uint32(i)
	}
	if err := w.columns(o.index.gather(keys), len(keys)); err != nil {
		return err
	}
	for _, s := range o.sides {
		if err := s.save(w, number); err != nil {
			return err
		}
	}
	return nil
}

func (o *joinOp) load(r *stateReader) error {
	values, count, err := r.columns(typesOfKeys(o.node.keyTypes))
	if err != nil {
		return err
	}
	if _, fresh := o.index.assign(values, count); len(fresh) != count {
		return errState("a key is there twice")
	}
	for side, s := range o.sides {
		if err := s.load(r, arrowTypes(o.node.ins[side].columns()), count); err != nil {
			return err
		}
	}
	return nil
}

func (o *joinOp) bytes() int64 {
	return o.index.bytes() + o.sides[leftSide].bytes() + o.sides[rightSide].bytes()
}
