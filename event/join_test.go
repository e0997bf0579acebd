package event

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestJoinArrays compares with what Arrow itself makes of parts of all lengths, among them slices of others.
func TestJoinArrays(t *testing.T) {
	t.Parallel()
	types := []arrow.DataType{
		arrow.PrimitiveTypes.Int64, Timestamp, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int16,
	}
	rapid.Check(t, func(t *rapid.T) {
		dt := rapid.SampledFrom(types).Draw(t, "type")
		var parts []arrow.Array
		rows := 0
		for range rapid.IntRange(1, 12).Draw(t, "parts") {
			part := drawArray(t, dt)
			parts = append(parts, part)
			rows += part.Len()
		}
		want, err := array.Concatenate(parts, memory.DefaultAllocator)
		require.NoError(t, err)
		got, err := joinArrays(parts, rows)
		require.NoError(t, err)
		require.True(t, arrow.TypeEqual(dt, got.DataType()))
		require.True(t, array.Equal(want, got), "%v, not %v", got, want)
		require.Equal(t, want.NullN(), got.NullN())
	})
}

// drawArray draws an array, or a part of one.
func drawArray(t *rapid.T, dt arrow.DataType) arrow.Array {
	builder := array.NewBuilder(memory.DefaultAllocator, dt)
	n, nulls := rapid.IntRange(0, 20).Draw(t, "rows"), rapid.Bool().Draw(t, "nulls")
	for range n {
		if nulls && rapid.Bool().Draw(t, "null") {
			builder.AppendNull()
			continue
		}
		switch b := builder.(type) {
		case *array.Int64Builder:
			b.Append(rapid.Int64().Draw(t, "value"))
		case *array.TimestampBuilder:
			b.Append(arrow.Timestamp(rapid.Int64().Draw(t, "value")))
		case *array.Float64Builder:
			b.Append(rapid.Float64().Draw(t, "value"))
		case *array.StringBuilder:
			b.Append(rapid.StringN(0, 20, -1).Draw(t, "value"))
		case *array.BooleanBuilder:
			b.Append(rapid.Bool().Draw(t, "value"))
		case *array.Int16Builder:
			b.Append(rapid.Int16().Draw(t, "value"))
		}
	}
	values := builder.NewArray()
	from := rapid.IntRange(0, n).Draw(t, "from")
	return array.NewSlice(values, int64(from), int64(rapid.IntRange(from, n).Draw(t, "to")))
}
