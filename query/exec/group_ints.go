package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// intKeys is the key column of a type that has an integer for each distinct value.
type intKeys struct {
	integers func(values arrow.Array, scratch []int64) []int64
	restore  func(keys []int64, valid event.Bitmap) arrow.Array
	table    *intTable
	values   []int64 // by number in table
	null     nullCode
	scratch  []int64
}

func newIntKeys(
	integers func(arrow.Array, []int64) []int64, restore func([]int64, event.Bitmap) arrow.Array,
) *intKeys {
	return &intKeys{integers: integers, restore: restore, table: newIntTable()}
}

func (k *intKeys) encode(values arrow.Array, codes []uint32) {
	if len(codes) == 0 {
		return
	}
	k.scratch = resized(k.scratch, len(codes))
	keys := k.integers(values, k.scratch)
	if values.NullN() > 0 {
		k.encodeNulls(values, keys, codes)
		return
	}
	last, lastCode := keys[0], k.code(keys[0])
	for i, key := range keys {
		if i%touchAhead == 0 {
			k.table.touch(keys[i:min(i+touchAhead, len(keys))])
		}
		if key != last { // sorted data repeats a key many times in a row
			last, lastCode = key, k.code(key)
		}
		codes[i] = lastCode
	}
}

func (k *intKeys) encodeNulls(values arrow.Array, keys []int64, codes []uint32) {
	for i, key := range keys {
		if values.IsNull(i) {
			codes[i] = k.null.take(len(k.values))
		} else {
			codes[i] = k.code(key)
		}
	}
}

func (k *intKeys) code(key int64) uint32 {
	number := k.table.insert(key)
	if int(number) == len(k.values) {
		k.values = append(k.values, key)
	}
	return k.null.code(number)
}

// reset forgets all values and keeps the memory.
func (k *intKeys) reset() {
	k.table.reset()
	k.values, k.null = k.values[:0], nullCode{}
}

func (k *intKeys) count() int { return k.null.count(len(k.values)) }

func (k *intKeys) decode(codes []uint32) (arrow.Array, error) {
	numbers, valid := k.null.numbers(codes)
	out := make([]int64, len(codes))
	for i, number := range numbers {
		if valid.Valid(i) {
			out[i] = k.values[number]
		}
	}
	return k.restore(out, valid), nil
}

func (k *intKeys) bytes() int64 { return k.table.bytes() + int64(8*(cap(k.values)+cap(k.scratch))) }

func integerKeys(values arrow.Array, _ []int64) []int64 {
	return arrow.GetValues[int64](values.Data(), 1)
}

func booleanKeys(values arrow.Array, scratch []int64) []int64 {
	b := values.(*array.Boolean)
	for i := range scratch {
		scratch[i] = 0
		if b.Value(i) {
			scratch[i] = 1
		}
	}
	return scratch
}

func restoreBooleans(keys []int64, valid event.Bitmap) arrow.Array {
	out := event.NewBitmap(len(keys))
	for i, key := range keys {
		if key == 1 {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, len(keys), valid)
}

// doubleKeys makes all NaN one value, and the two zeros.
func doubleKeys(values arrow.Array, scratch []int64) []int64 {
	for i, v := range arrow.GetValues[float64](values.Data(), 1) {
		switch {
		case v != v:
			v = math.NaN()
		case v == 0:
			v = 0
		}
		scratch[i] = int64(math.Float64bits(v))
	}
	return scratch
}

func restoreDoubles(keys []int64, valid event.Bitmap) arrow.Array {
	out := make([]float64, len(keys))
	for i, key := range keys {
		out[i] = math.Float64frombits(uint64(key))
	}
	return event.NewFloat64s(out, valid)
}

// nullKeys is the key column of an expression that is always NULL.
type nullKeys struct{}

func (nullKeys) encode(_ arrow.Array, codes []uint32) { clear(codes) }
func (nullKeys) count() int                           { return 1 }
func (nullKeys) bytes() int64                         { return 0 }

func (nullKeys) decode(codes []uint32) (arrow.Array, error) { return array.NewNull(len(codes)), nil }
