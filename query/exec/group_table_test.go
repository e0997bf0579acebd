package exec

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
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
