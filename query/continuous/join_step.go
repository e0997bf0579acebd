package continuous

import (
	"context"
	"errors"
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
	// moved is scratch: by row of the left side, its place plus one among those that a step touched.
	moved []int32
	pairs pairing
	cold  coldJoin
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
	p := &o.pairs
	p.op, p.out = o, nil
	if err := o.pairUp(ctx, p, moved); err != nil {
		return Delta{}, err
	}
	if err := o.pairRuns(ctx, p, moved); err != nil {
		return Delta{}, err
	}
	for side := range o.sides {
		o.padded(p, side, o.sides[side].order)
		o.sides[side].order = o.sides[side].order[:0]
	}
	var keys []uint32
	for side, m := range moved {
		for _, row := range m.rows {
			keys = append(keys, o.sides[side].rows.key[row])
		}
		o.sides[side].rows.sweep(m.rows)
		o.dropAlone(side, m.rows)
		keys = append(keys, o.sides[side].forget(s.final)...)
	}
	dropEmpty(o.index, distinct(keys), o.sides[leftSide].rows, o.sides[rightSide].rows)
	if err := errors.Join(o.forgetCold(s.final), o.forgetRuns(s.final)); err != nil {
		return Delta{}, err
	}
	return sum(o.node.cols, p.out...)
}

// take puts the rows of a step under their keys.
func (o *joinOp) take(side int, d *Delta) (touched, error) {
	if d.Rows == 0 {
		return touched{}, nil
	}
	values, err := o.keysOf(side, d)
	if err != nil {
		return touched{}, err
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
	if err := o.warm(values, whole.Rows); err != nil {
		return touched{}, err
	}
	keys, _ := o.index.assign(values, whole.Rows)
	o.note(keys)
	rows := o.sides[side]
	out := rows.rows.apply(&whole, keys)
	rows.schedule(out.rows, out.before)
	for i, row := range out.rows {
		rows.note(row, out.before[i])
	}
	return out, nil
}

// keysOf are the keys of rows of a side, canonical.
func (o *joinOp) keysOf(side int, d *Delta) ([]arrow.Array, error) {
	return evalKeys(o.node.keys[side], o.node.keyTypes, d)
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

// dropAlone forgets rows that have a NULL among their keys, where rows never go: they have been given without a pair, and are not asked for
// again.
func (o *joinOp) dropAlone(side int, rows []uint32) {
	b := o.sides[side].rows
	if b.found != nil || !o.sides[side].pads {
		return
	}
	for _, row := range rows {
		if o.nullKey(b.key[row]) {
			b.release(row)
		}
	}
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
	o.noteMoved(moved[leftSide])
	defer o.forgetMoved(moved[leftSide])
	near := o.gaps()
	var scratch []uint32
	for i, l := range moved[leftSide].rows {
		change := left.rows.weights[l] - moved[leftSide].before[i]
		key := left.rows.key[l]
		if change == 0 && moved[leftSide].before[i] != 0 || o.nullKey(key) {
			continue
		}
		scratch = right.rows.list(key, scratch[:0])
		for _, r := range scratch {
			if !near.hold(l, r) {
				continue
			}
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
			was := left.rows.weights[l]
			if at := o.moved[l]; at > 0 {
				was = moved[leftSide].before[at-1]
			}
			if was == 0 || !near.hold(l, r) {
				continue
			}
			fresh := moved[rightSide].before[i] == 0
			if err := p.add(ctx, [2]uint32{l, r}, [2]int64{was, change}, [2]bool{true, fresh}); err != nil {
				return err
			}
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	p.emit()
	return nil
}

// noteMoved and forgetMoved mark the rows of the left side that a step touched, and take the marks away.
func (o *joinOp) noteMoved(t touched) {
	o.moved = lengthened(o.moved, len(o.sides[leftSide].rows.weights))
	for i, row := range t.rows {
		o.moved[row] = int32(i + 1)
	}
}

func (o *joinOp) forgetMoved(t touched) {
	for _, row := range t.rows {
		o.moved[row] = 0
	}
}

// padded gives those of some rows of a side that come out without a pair, or in a mark join all of them, as far as the step changed that.
func (o *joinOp) padded(p *pairing, side int, changed []uint32) {
	s := o.sides[side]
	var rows []uint32
	var weights []int64
	var marks []bool
	give := func(row uint32, weight int64, paired bool) {
		if weight != 0 && (!paired || o.node.kind == plan.MarkJoin) {
			rows, weights, marks = append(rows, row), append(weights, weight), append(marks, paired)
		}
	}
	for _, row := range changed {
		before, now := s.changed[row], padding{s.rows.weights[row], s.pairs[row]}
		delete(s.changed, row)
		if before.weight == now.weight && (before.pairs > 0) == (now.pairs > 0) {
			continue
		}
		give(row, -before.weight, before.pairs > 0)
		give(row, now.weight, now.pairs > 0)
	}
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

func (o *joinOp) save(w *stateWriter) error {
	number, err := o.index.saveKeys(w)
	if err != nil {
		return err
	}
	for _, s := range o.sides {
		if err := s.save(w, number); err != nil {
			return err
		}
	}
	o.saveCold(w)
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
	return o.loadCold(r)
}

func (o *joinOp) bytes() int64 {
	return o.index.bytes() + o.sides[leftSide].bytes() + o.sides[rightSide].bytes() + int64(4*cap(o.moved)) + o.pairs.bytes() + o.cold.bytes()
}
