package exec

import (
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

func TestGroupsTakeEqualValuesTogether(t *testing.T) {
	t.Parallel()
	days := event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, []arrow.MonthDayNanoInterval{
		{Months: 1}, {Days: 30}, {Days: 29, Nanoseconds: 86400e9}, {Days: 1}, {Months: 1, Nanoseconds: 1},
		{Nanoseconds: -1}, {Days: -1, Nanoseconds: 86400e9 - 1},
	}, nil)
	require.Equal(t, []uint32{0, 0, 0, 1, 2, 3, 3}, codesOf(event.Interval, days))
	nan := math.Float64frombits(0x7ff8000000000123)
	doubles := event.NewFloat64s([]float64{0, math.Copysign(0, -1), math.NaN(), nan, 1, math.Inf(1)}, nil)
	require.Equal(t, []uint32{0, 0, 1, 1, 2, 3}, codesOf(event.Double, doubles))
	valid := event.Bitmap{0b101101}
	ints := event.NewInt64s([]int64{7, 0, 0, 7, 0, 9}, valid)
	require.Equal(t, []uint32{0, 1, 2, 0, 1, 3}, codesOf(event.BigInt, ints))
}

func codesOf(kind event.Kind, values arrow.Array) []uint32 {
	codes := make([]uint32, values.Len())
	newKeyColumn(event.Type{Kind: kind}).encode(values, codes)
	return codes
}

// TestGroupsAfterResetAreThoseOfANewTable: what a table knew before it was reset, of dictionaries too, does not show.
func TestGroupsAfterResetAreThoseOfANewTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		types := rapid.SampledFrom([][]event.Type{
			{{Kind: event.Text}}, {{Kind: event.BigInt}}, {{Kind: event.Text}, {Kind: event.BigInt}}, {{Kind: event.Integer}, {Kind: event.BigInt}},
			{{Kind: event.BigInt}, {Kind: event.Text}}, {{Kind: event.Text}, {Kind: event.Text}, {Kind: event.TimestampTZ}},
		}).Draw(t, "types")
		used := newGroupTable(types)
		if rapid.Bool().Draw(t, "fused") {
			used.fuse()
		}
		entries := []arrow.Array{drawTexts(t), drawTexts(t)}
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			fresh := newGroupTable(types)
			for range rapid.IntRange(0, 4).Draw(t, "batches") {
				rows := rapid.IntRange(1, 40).Draw(t, "rows")
				keys := make([]arrow.Array, len(types))
				for i, of := range types {
					keys[i] = drawGroupKeys(t, of, rows, entries)
				}
				want, got := make([]uint32, rows), make([]uint32, rows)
				fresh.assign(keys, want)
				used.assign(keys, got)
				require.Equal(t, want, got)
			}
			want, err := fresh.keys()
			require.NoError(t, err)
			got, err := used.keys()
			require.NoError(t, err)
			for i := range want {
				require.True(t, array.Equal(kernel.Decode(want[i]), kernel.Decode(got[i])))
			}
			require.True(t, used.reset())
		}
	})
}

func drawTexts(t *rapid.T) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i := range rapid.IntRange(1, 30).Draw(t, "entries") {
		b.Append(fmt.Sprintf("%0*d", rapid.IntRange(1, 14).Draw(t, "width"), i))
	}
	return b.NewArray()
}

// drawGroupKeys is a column with few values and a NULL here and there; texts may be over one of some dictionaries.
func drawGroupKeys(t *rapid.T, of event.Type, rows int, entries []arrow.Array) arrow.Array {
	values, valid := make([]int64, rows), event.NewBitmap(rows)
	known := entries[rapid.IntRange(0, len(entries)-1).Draw(t, "dictionary")]
	least := rapid.IntRange(0, 1).Draw(t, "nulls")
	for i := range values {
		values[i] = rapid.Int64Range(0, int64(known.Len())-1).Draw(t, "value")
		if rapid.IntRange(least, 8).Draw(t, "valid") > 0 {
			valid.Set(i)
		}
	}
	switch of.Kind {
	case event.Text:
		codes := make([]int32, rows)
		for i, v := range values {
			codes[i] = int32(v)
		}
		d := event.NewDictionary(codes, known, valid)
		if rapid.Bool().Draw(t, "plain") {
			return kernel.Decode(d)
		}
		return d
	case event.Integer:
		narrow := make([]int32, rows)
		for i, v := range values {
			narrow[i] = int32(v)
		}
		return event.NewFixed(arrow.PrimitiveTypes.Int32, narrow, valid)
	case event.TimestampTZ:
		return event.NewTimestamps(values, valid)
	default:
		return event.NewInt64s(values, valid)
	}
}
