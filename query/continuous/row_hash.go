package continuous

import (
	"hash/maphash"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// seed keeps clients from choosing values that collide. Hashes are never stored.
var (
	seed        = maphash.MakeSeed()
	seedWord    = maphash.String(seed, "words")
	nullWord    = maphash.String(seed, "null")
	firstWord64 = maphash.String(seed, "first")
)

// mixed folds the 128-bit product of a seeded word with an odd constant (the golden ratio's), as wyhash does.
func mixed(hash, word uint64) uint64 {
	high, low := bits.Mul64(hash^word^seedWord, 0x9e3779b97f4a7c15)
	return high ^ low
}

// hashRows gives one hash for each row over all columns, which are no dictionaries. Rows of equal bits have equal hashes.
func hashRows(columns []arrow.Array, rows int) []uint64 {
	out := make([]uint64, rows)
	for i := range out {
		out[i] = firstWord64
	}
	for _, c := range columns {
		hashColumn(c, out)
	}
	return out
}

func hashColumn(values arrow.Array, hashes []uint64) {
	switch c := values.(type) {
	case *array.Null:
	case *array.Boolean:
		for i, h := range hashes {
			word := uint64(0)
			if c.Value(i) {
				word = 1
			}
			hashes[i] = nullOr(c, i, h, mixed(h, word))
		}
	case *array.Int16:
		hashFixed(c, hashes, func(v int16) uint64 { return uint64(v) })
	case *array.Int32, *array.Date32, *array.Float32:
		hashFixed(c, hashes, func(v int32) uint64 { return uint64(v) })
	case *array.Int64, *array.Timestamp, *array.Time64, *array.Float64:
		hashFixed(c, hashes, func(v int64) uint64 { return uint64(v) })
	case *array.MonthDayNanoInterval:
		hashFixed(c, hashes, func(v arrow.MonthDayNanoInterval) uint64 {
			return mixed(mixed(firstWord64, uint64(uint32(v.Months))<<32|uint64(uint32(v.Days))), uint64(v.Nanoseconds))
		})
	case *array.Decimal128, *array.FixedSizeBinary:
		// One half after the other: put together at once, n and -n-1 would have one hash.
		hashFixed(c, hashes, func(v decimal128.Num) uint64 { return mixed(mixed(firstWord64, v.LowBits()), uint64(v.HighBits())) })
	case *array.List:
		hashLists(c, hashes)
	default:
		texts := textOf(values)
		for i, h := range hashes {
			hashes[i] = nullOr(texts, i, h, mixed(h, maphash.String(seed, texts.Value(i))))
		}
	}
}

func hashFixed[T arrow.FixedWidthType](values arrow.Array, hashes []uint64, word func(T) uint64) {
	in := arrow.GetValues[T](values.Data(), 1)
	if values.NullN() == 0 {
		for i, h := range hashes {
			hashes[i] = mixed(h, word(in[i]))
		}
		return
	}
	for i, h := range hashes {
		hashes[i] = nullOr(values, i, h, mixed(h, word(in[i])))
	}
}

func nullOr(values arrow.Array, i int, before, hash uint64) uint64 {
	if values.IsNull(i) {
		return mixed(before, nullWord)
	}
	return hash
}
