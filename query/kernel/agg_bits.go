package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// registerBits has bool_and and bool_or as well: on 0 and 1 they are the same operations as on the bits of integers.
func registerBits(all map[string]func() Accumulator) {
	and := func(a, b int64) int64 { return a & b }
	or := func(a, b int64) int64 { return a | b }
	xor := func(a, b int64) int64 { return a ^ b }
	for _, c := range []struct {
		signature string
		form      orderedForm
		combine   func(a, b int64) int64
	}{
		{"bit_and(BIGINT)", bigintForm, and}, {"bit_or(BIGINT)", bigintForm, or}, {"bit_xor(BIGINT)", bigintForm, xor},
		{"bool_and(BOOLEAN)", booleanForm, and}, {"bool_or(BOOLEAN)", booleanForm, or},
	} {
		all[c.signature] = func() Accumulator { return &bitAccumulator{form: c.form, combine: c.combine} }
	}
}

// bitAccumulator combines integers by an operation whose order does not matter.
type bitAccumulator struct {
	form    orderedForm
	combine func(a, b int64) int64
	bits    []int64
	seen    []bool
	scratch []int64
}

func (a *bitAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.grow(groups.Count)
	if args[0].Const {
		args = []Operand{{Array: args[0].Expand(rows)}}
	}
	a.scratch = grown(a.scratch, rows, 0)
	keys, valid := a.form.keys(args[0], rows, a.scratch[:rows]), args[0].validity(rows)
	for i, k := range keys {
		if valid.Valid(i) {
			a.add(groupOf(groups, i), k)
		}
	}
	return nil
}

func (a *bitAccumulator) add(g uint32, k int64) {
	if !a.seen[g] {
		a.seen[g], a.bits[g] = true, k
		return
	}
	a.bits[g] = a.combine(a.bits[g], k)
}

func (a *bitAccumulator) grow(count int) {
	a.bits = grown(a.bits, count, 0)
	a.seen = grown(a.seen, count, false)
}

func (a *bitAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.grow(count)
	o := other.(*bitAccumulator)
	for g, k := range o.bits {
		if o.seen[g] {
			a.add(mapping[g], k)
		}
	}
	return nil
}

func (a *bitAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.grow(reach(groups))
	return seenColumn(wordType, a.bits, a.seen, groups), nil
}

func (a *bitAccumulator) Restore(state []arrow.Array) (err error) {
	a.bits, a.seen, err = openSeen[int64](state, wordType)
	return err
}

func (a *bitAccumulator) Result(groups int) (arrow.Array, error) {
	a.grow(groups)
	keys, valid := make([]int64, groups), event.NewBitmap(groups)
	for g := range keys {
		if a.seen[g] {
			keys[g] = a.bits[g]
			valid.Set(g)
		}
	}
	return a.form.restore(keys, valid), nil
}

func (a *bitAccumulator) Bytes() int64 { return sizeOf(a.bits) + sizeOf(a.seen) + sizeOf(a.scratch) }
