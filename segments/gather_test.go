package segments

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// TestGatheredRowsAreTheRows of the parts, one by one, for columns of every form in which parts come.
func TestGatheredRowsAreTheRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]event.Kind{event.Boolean, event.BigInt, event.Double, event.Text, event.Bytea}).Draw(t, "kind")
		values := event.Type{Kind: kind}
		parts := make([]arrow.Array, rapid.IntRange(1, 3).Draw(t, "parts"))
		for i := range parts {
			parts[i] = drawColumn(t, kind)
		}
		var order []place
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			batch := rapid.IntRange(0, len(parts)-1).Draw(t, "batch")
			row := rapid.IntRange(0, parts[batch].Len()-1).Draw(t, "row")
			order = append(order, place{batch: int32(batch), row: int32(row)})
		}
		var g gatherer
		rows := newSortedRows([]event.Column{{Type: values}}, [][]arrow.Array{parts}, order, parquet.Layout{PageText: rapid.IntRange(1, 100).Draw(t, "page text")})
		text := rows.TextBytes(0, 0, len(order))
		got, err := g.gather(values, parts, order, text)
		require.NoError(t, err)
		require.Equal(t, len(order), got.Len())
		got = event.PlainText(got)
		for i, p := range order {
			from := event.PlainText(parts[p.batch])
			require.True(t, array.SliceEqual(got, int64(i), int64(i+1), from, int64(p.row), int64(p.row+1)), "row %d of %s from %s", i, got, from)
		}
	})
}

// drawColumn makes a column of some rows, or of a slice of them.
func drawColumn(t *rapid.T, kind event.Kind) arrow.Array {
	n := rapid.IntRange(1, 20).Draw(t, "n")
	valid := event.Bitmap(nil)
	if rapid.Bool().Draw(t, "nulls") {
		valid = event.Bitmap(rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "valid"))
	}
	var out arrow.Array
	switch kind {
	case event.Boolean:
		out = event.NewBooleans(event.Bitmap(rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "bits")), n, valid)
	case event.BigInt:
		values := rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "values")
		if step := rapid.Int64Range(-1, 2).Draw(t, "step"); step >= 0 { // as offsets, partitions and times of arrival are
			for i := range values {
				values[i] = values[0] + step*int64(i)
			}
		}
		out = event.NewInt64s(values, valid)
	case event.Double:
		out = event.NewFloat64s(rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "values"), valid)
	default:
		offsets, data := []int32{0}, []byte{}
		for range n {
			data = append(data, rapid.StringN(0, 40, 40).Draw(t, "text")...)
			offsets = append(offsets, int32(len(data)))
		}
		switch {
		case kind == event.Bytea:
			out = event.NewBinaries(offsets, data, valid)
		case rapid.Bool().Draw(t, "dictionary"):
			out = event.NewDictionary(make([]int32, n), event.NewStrings(offsets, data, nil), valid)
		default:
			out = event.NewStrings(offsets, data, valid)
		}
	}
	from := rapid.IntRange(0, n-1).Draw(t, "from")
	return array.NewSlice(out, int64(from), int64(rapid.IntRange(from+1, n).Draw(t, "to")))
}
