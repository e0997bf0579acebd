package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// The forms of types narrower than 64 bits.
var (
	smallintForm = orderedForm{name: "SMALLINT", keys: narrowKeys[int16], restore: restoreNarrow[int16](event.SmallInt)}
	integerForm  = orderedForm{name: "INTEGER", keys: narrowKeys[int32], restore: restoreNarrow[int32](event.Integer)}
	dateForm     = orderedForm{name: "DATE", keys: narrowKeys[int32], restore: restoreNarrow[int32](event.Date)}
	realForm     = orderedForm{name: "REAL", keys: realKeys, restore: restoreReals}
)

func narrowKeys[T int16 | int32](o Operand, rows int, scratch []int64) []int64 {
	for i, v := range fixed[T](o).values[:rows] {
		scratch[i] = int64(v)
	}
	return scratch
}

func restoreNarrow[T int16 | int32](kind event.Kind) func(keys []int64, valid event.Bitmap) arrow.Array {
	return func(keys []int64, valid event.Bitmap) arrow.Array {
		out := make([]T, len(keys))
		for i, k := range keys {
			out[i] = T(k)
		}
		return event.NewFixed(event.Type{Kind: kind}.Arrow(), out, valid)
	}
}

func realKeys(o Operand, rows int, scratch []int64) []int64 {
	for i, v := range fixed[float32](o).values[:rows] {
		scratch[i] = OrderedBits(float64(v))
	}
	return scratch
}

func restoreReals(keys []int64, valid event.Bitmap) arrow.Array {
	out := make([]float32, len(keys))
	for i, k := range keys {
		out[i] = float32(math.Float64frombits(uint64(flipNegative(k))))
	}
	return event.NewFixed(arrow.PrimitiveTypes.Float32, out, valid)
}
