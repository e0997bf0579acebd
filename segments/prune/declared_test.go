package prune

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestDeclaredTypesThatMatchAreKept holds bounds to what they promise: a range around a value keeps it, and one beyond all values
// is left out.
func TestDeclaredTypesThatMatchAreKept(t *testing.T) {
	t.Parallel()
	numeric := event.Type{Kind: event.Numeric, Precision: 30, Scale: 2}
	rapid.Check(t, func(t *rapid.T) {
		ints := rapid.SliceOfN(rapid.Int16Range(-1000, 1000), 1, 8).Draw(t, "values")
		words := make([]decimal128.Num, len(ints))
		for i, v := range ints {
			words[i] = decimal128.FromI64(int64(v))
		}
		at := rapid.IntRange(0, len(ints)-1).Draw(t, "at")
		for _, c := range []struct {
			t    event.Type
			make func(from, to int) arrow.Array
			far  arrow.Array
		}{
			{event.Type{Kind: event.SmallInt}, func(from, to int) arrow.Array {
				return event.NewFixed(arrow.PrimitiveTypes.Int16, ints[from:to], nil)
			}, event.NewFixed(arrow.PrimitiveTypes.Int16, []int16{1001}, nil)},
			{numeric, func(from, to int) arrow.Array { return event.NewFixed(numeric.Arrow(), words[from:to], nil) },
				event.NewFixed(numeric.Arrow(), []decimal128.Num{decimal128.FromI64(1001)}, nil)},
		} {
			stats := Collect(c.make(0, len(ints)), c.t)
			require.True(t, stats.Bounded)
			require.False(t, excluded(stats, c.make(at, at+1), c.make(at, at+1)))
			require.True(t, excluded(stats, c.far, nil))
		}
	})
}

func TestNumericsBeyond64BitsHaveNoBounds(t *testing.T) {
	t.Parallel()
	numeric := event.Type{Kind: event.Numeric, Precision: 38, Scale: 2}
	values := event.NewFixed(numeric.Arrow(), []decimal128.Num{decimal128.FromI64(1), decimal128.New(1, 0)}, nil)
	require.False(t, Collect(values, numeric).Bounded)
	otherScale := event.Type{Kind: event.Numeric, Precision: 38, Scale: 3}
	stats := Collect(event.NewFixed(numeric.Arrow(), []decimal128.Num{decimal128.FromI64(100)}, nil), numeric)
	require.False(t, excluded(stats, event.NewFixed(otherScale.Arrow(), []decimal128.Num{decimal128.FromI64(101)}, nil), nil))
}

func TestUUIDBounds(t *testing.T) {
	t.Parallel()
	word := func(text string) decimal128.Num {
		v, ok := event.ParseUUID(text)
		require.True(t, ok)
		return event.UUIDWord(v)
	}
	uuid := event.Type{Kind: event.UUID}
	low, high := word("10000000-0000-0000-0000-000000000000"), word("f0000000-0000-0000-0000-000000000001")
	stats := Collect(event.NewUUIDs([]decimal128.Num{high, low}, nil), uuid)
	require.Equal(t, "10000000-0000-0000-0000-000000000000", stats.Min.Text)
	require.Equal(t, "f0000000-0000-0000-0000-000000000001", stats.Max.Text)
	beyond := event.NewUUIDs([]decimal128.Num{word("f0000000-0000-0000-0000-000000000002")}, nil)
	require.True(t, excluded(stats, beyond, beyond))
}
