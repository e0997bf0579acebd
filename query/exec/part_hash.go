package exec

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// partHasher gives rows hashes of their keys, good while the process lives: rows that are equal in all of them have equal hashes. It belongs
// to one goroutine.
type partHasher struct {
	types []event.Type
	// integers, by key, are of equal values the same; nil where some key has none.
	integers []func(values arrow.Array, scratch []int64) []int64
	scratch  []int64
}

func newPartHasher(types []event.Type) *partHasher {
	h := &partHasher{types: types}
	for _, t := range types {
		switch k := newKeyColumn(t).(type) {
		case *intKeys:
			h.integers = append(h.integers, k.integers)
		case *textKeys:
			h.integers = append(h.integers, new(textHasher).hashes)
		default:
			h.integers = nil
			return h
		}
	}
	return h
}

func (h *partHasher) hashes(keys []arrow.Array, count int) ([]uint64, error) {
	if h.integers == nil && len(keys) > 0 {
		return kernel.Hashes(keys, h.types, count)
	}
	out := make([]uint64, count)
	h.scratch = resized(h.scratch, count)
	for i, column := range keys {
		nulls := column.NullN() > 0
		for row, v := range h.integers[i](column, h.scratch) {
			if nulls && column.IsNull(row) {
				v = 0
			}
			high, low := bits.Mul64(out[row]^uint64(v)^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
			out[row] = high ^ low
		}
	}
	return out, nil
}

// textHasher hashes texts. An entry of a dictionary is hashed once for as long as batches with the same dictionary follow each other.
type textHasher struct {
	dictionary arrow.ArrayData // of the latest batch; held, so that its address names nothing else meanwhile
	known      []int64         // by dictionary code; 0 if not hashed yet
}

func (h *textHasher) hashes(values arrow.Array, scratch []int64) []int64 {
	d, ok := values.(*array.Dictionary)
	if !ok {
		texts := values.(*array.String)
		for i := range scratch {
			scratch[i] = int64(xxh3.HashString(texts.Value(i)))
		}
		return scratch
	}
	entries := d.Dictionary().(*array.String)
	if data := entries.Data(); data != h.dictionary {
		h.dictionary = data
		h.known = resized(h.known, entries.Len())
		clear(h.known)
	}
	nulls := d.NullN() > 0
	for i, entry := range arrow.GetValues[int32](d.Data(), 1) {
		if nulls && d.IsNull(i) {
			continue
		}
		if h.known[entry] == 0 {
			h.known[entry] = int64(xxh3.HashString(entries.Value(int(entry))))
		}
		scratch[i] = h.known[entry]
	}
	return scratch
}
