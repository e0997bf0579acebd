package event

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
)

func TestTimesOfABatch(t *testing.T) {
	t.Parallel()
	schema := &Schema{Version: 1, TimeColumn: 2, Columns: []Column{
		{ID: 1, Name: "n", Type: Type{Kind: BigInt}}, {ID: 2, Name: "at", Type: Type{Kind: TimestampTZ}},
	}}
	batch := func(schema *Schema, times arrow.Array) *Batch {
		n := times.Len()
		offsets := make([]int64, n)
		for i := range offsets {
			offsets[i] = int64(i)
		}
		columns := []arrow.Array{NewInt64s(offsets, nil), times}
		for _, h := range Hidden {
			columns = append(columns, NewNulls(h.Type, n))
		}
		columns[len(schema.Columns)+1] = NewInt64s(offsets, nil)
		b, err := NewBatch(schema, 0, columns)
		require.NoError(t, err)
		return b
	}
	whole := batch(schema, NewTimestamps([]int64{30, -10, 20}, nil))
	for range 2 {
		low, high, ok := whole.Times()
		require.Equal(t, [3]any{int64(-10), int64(30), true}, [3]any{low, high, ok})
	}
	low, high, ok := whole.From(2).Times()
	require.Equal(t, [3]any{int64(20), int64(20), true}, [3]any{low, high, ok})
	joined, err := Concat([]*Batch{whole, whole})
	require.NoError(t, err)
	low, high, ok = joined.Times()
	require.Equal(t, [3]any{int64(-10), int64(30), true}, [3]any{low, high, ok})

	one := NewBitmap(2)
	one.Set(0)
	_, _, ok = batch(schema, NewTimestamps([]int64{1, 2}, one)).Times()
	require.False(t, ok, "a row without a time")
	timeless := *schema
	timeless.TimeColumn = 0
	_, _, ok = batch(&timeless, NewTimestamps([]int64{1}, nil)).Times()
	require.False(t, ok, "no column of times")
}
