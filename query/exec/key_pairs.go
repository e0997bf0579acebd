package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// keyPairs numbers the distinct pairs of a dense number and a value of a key column, in order of first appearance. While there are few,
// the column numbers its values and an array is indexed by both numbers. When they have become too many for that and the
// column has an integer for each value, number and integer are looked up together.
type keyPairs struct {
	column keyColumn
	pairs  *pairTable
	codes  []uint32 // scratch

	integers *intKeys // says how values become integers and come back; its own table is empty
	fused    *fusedTable
}

// fusedNull marks a left whose value is NULL: there are fewer groups than 2^31, since rows are counted in 32 bits with a sign.
const fusedNull = 1 << 31

func newKeyPairs(t event.Type) *keyPairs {
	return &keyPairs{column: newKeyColumn(t), pairs: &pairTable{}}
}

// combine replaces each left by the number of its pair with the value.
func (k *keyPairs) combine(lefts []uint32, values arrow.Array) {
	if k.fused != nil {
		k.combineFused(lefts, values)
		return
	}
	k.codes = resized(k.codes, len(lefts))
	k.column.encode(values, k.codes)
	k.pairs.combine(lefts, k.codes)
	if ints, ok := k.column.(*intKeys); ok && k.pairs.table != nil {
		k.fuse(ints)
	}
}

// fuse moves the pairs met so far, which keep their numbers.
func (k *keyPairs) fuse(ints *intKeys) {
	lefts, rights := k.pairs.split(sequenceOf(k.pairs.count()))
	numbers, valid := ints.null.numbers(rights)
	keys := make([]int64, len(numbers))
	for i, number := range numbers {
		if valid.Valid(i) {
			keys[i] = ints.values[number]
		} else {
			lefts[i] |= fusedNull
		}
	}
	k.fused = newFusedTable()
	k.fused.combine(lefts, keys)
	k.integers = newIntKeys(ints.integers, ints.restore)
	k.column, k.pairs, k.codes = nil, nil, nil
}

func (k *keyPairs) combineFused(lefts []uint32, values arrow.Array) {
	k.integers.scratch = resized(k.integers.scratch, len(lefts))
	keys := k.integers.integers(values, k.integers.scratch)
	if values.NullN() > 0 {
		keys = append([]int64(nil), keys...) // they may be the batch's own
		for i := range keys {
			if values.IsNull(i) {
				keys[i] = 0
				lefts[i] |= fusedNull
			}
		}
	}
	k.fused.combine(lefts, keys)
}

// reset forgets all pairs and keeps the memory, if the column can.
func (k *keyPairs) reset() bool {
	if k.fused != nil {
		k.fused.reset()
		return true
	}
	column, ok := k.column.(resettable)
	if ok {
		column.reset()
		k.pairs.reset()
	}
	return ok
}

func (k *keyPairs) count() int {
	if k.fused != nil {
		return k.fused.count()
	}
	return k.pairs.count()
}

// split gives the two sides of pairs.
func (k *keyPairs) split(ids []uint32) (lefts []uint32, values arrow.Array, err error) {
	if k.fused == nil {
		lefts, rights := k.pairs.split(ids)
		values, err := k.column.decode(rights)
		return lefts, values, err
	}
	lefts = make([]uint32, len(ids))
	keys := make([]int64, len(ids))
	nulls := 0
	for i, id := range ids {
		lefts[i], keys[i] = k.fused.lefts[id], k.fused.keys[id]
		nulls += int(lefts[i] >> 31)
	}
	var valid event.Bitmap
	if nulls > 0 {
		valid = event.NewBitmap(len(ids))
		for i, left := range lefts {
			if left < fusedNull {
				valid.Set(i)
			}
			lefts[i] = left &^ fusedNull
		}
	}
	return lefts, k.integers.restore(keys, valid), nil
}

func (k *keyPairs) bytes() int64 {
	if k.fused != nil {
		return k.fused.bytes() + int64(8*cap(k.integers.scratch))
	}
	return k.column.bytes() + k.pairs.bytes() + int64(4*cap(k.codes))
}

// sequenceOf is the numbers below n.
func sequenceOf(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}
