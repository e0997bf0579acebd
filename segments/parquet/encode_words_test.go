package parquet

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestRepeatedNumbersHaveADictionaryOnceTheyAreOld writes numbers of few values with NULLs among them, reads them back, and has another
// implementation of the format read them.
func TestRepeatedNumbersHaveADictionaryOnceTheyAreOld(t *testing.T) {
	t.Parallel()
	const n = 30_000
	schema := &event.Schema{Version: 1, NextID: 4, Columns: []event.Column{
		{ID: 1, Name: "few", Type: event.Type{Kind: event.Double}}, {ID: 2, Name: "many", Type: event.Type{Kind: event.Double}},
		{ID: 3, Name: "level", Type: event.Type{Kind: event.BigInt}},
	}}
	few, many, level, zeros := make([]float64, n), make([]float64, n), make([]int64, n), make([]int64, n)
	valid := event.NewBitmap(n)
	for i := range n {
		few[i], many[i], level[i] = float64(i*7%300)/4, float64(i*i), int64(i*7919%60)<<20
		if i%7 != 3 {
			valid.Set(i)
		}
	}
	columns := []arrow.Array{
		event.NewFloat64s(few, valid), event.NewFloat64s(many, nil), event.NewInt64s(level, nil), event.NewInt64s(zeros, nil),
		event.NewInt64s(zeros, nil), event.NewTimestamps(zeros, nil), event.NewNulls(event.Type{Kind: event.TimestampTZ}, n),
	}
	sizes := map[Codec]int64{}
	for _, codec := range []Codec{Fresh, Archive} {
		var file bytes.Buffer
		info, err := Write(&file, schema, columns, testMeta(), Layout{PageRows: 4000, Codec: codec})
		require.NoError(t, err)
		sizes[codec] = info.Bytes
		r, err := Open(bytes.NewReader(file.Bytes()), info.Bytes, fmt.Sprint(codec), NewCaches(1<<20))
		require.NoError(t, err)
		require.Equal(t, codec == Archive, r.Archived())
		for i, dictionary := range []bool{codec == Archive, false, codec == Archive} {
			require.Equal(t, dictionary, r.groups[0].chunks[i].dictionary.size > 0, "column %d", i)
		}
		for _, rows := range [][2]int{{0, n}, {3999, 9001}} {
			read, _, err := r.Read(context.Background(), []event.FieldID{1, 2, 3}, 0, rows[0], rows[1], nil)
			require.NoError(t, err)
			for i := range read {
				requireEqual(t, event.Take(columns[i], ordinals(rows[0], rows[1])), read[i])
			}
		}
		foreign, err := pq.OpenFile(bytes.NewReader(file.Bytes()), info.Bytes)
		require.NoError(t, err)
		rows := make([]pq.Row, 1)
		reader := foreign.RowGroups()[0].Rows()
		for i := range 5000 {
			_, err := reader.ReadRows(rows)
			require.NoError(t, err)
			require.Equal(t, !valid.Valid(i), rows[0][0].IsNull())
			require.True(t, rows[0][0].IsNull() || rows[0][0].Double() == few[i])
			require.Equal(t, level[i], rows[0][2].Int64())
		}
		require.NoError(t, reader.Close())
		want := map[Codec]format.CompressionCodec{Fresh: format.Lz4Raw, Archive: format.Zstd}[codec]
		require.Equal(t, want, foreign.Metadata().RowGroups[0].Columns[0].MetaData.Codec)
	}
	require.Less(t, sizes[Archive], sizes[Fresh]*2/3)
}

func ordinals(from, to int) []int32 {
	out := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, int32(i))
	}
	return out
}
