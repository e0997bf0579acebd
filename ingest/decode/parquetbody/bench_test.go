package parquetbody

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// BenchmarkAgainstNDJSON decodes the same rows from a Parquet file and from newline-delimited JSON.
func BenchmarkAgainstNDJSON(b *testing.B) {
	body := fileOf(b, samples(20_000), parquet.Compression(&parquet.Snappy))
	reader, err := NewReader(body, nil)
	require.NoError(b, err)
	first, err := reader.Next()
	require.NoError(b, err)
	schema, err := first.Infer("")
	require.NoError(b, err)
	lines := bytes.Join(first.RowTexts(), []byte("\n"))
	options := decode.Options{Mode: catalog.Strict}
	rate := func(b *testing.B, events int) { b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s") }
	b.Run("ndjson", func(b *testing.B) {
		events := 0
		for b.Loop() {
			rows, err := decode.NDJSON(lines, schema, options)
			require.NoError(b, err)
			events += rows.Count
		}
		rate(b, events)
	})
	b.Run("parquet", func(b *testing.B) {
		events := 0
		for b.Loop() {
			reader, err := NewReader(body, nil)
			for err == nil {
				var chunk *decode.Chunk
				if chunk, err = reader.Next(); err == nil {
					rows, err := chunk.Decode(schema, options, 0)
					require.NoError(b, err)
					events += rows.Count
				}
			}
			require.True(b, errors.Is(err, io.EOF))
		}
		rate(b, events)
	})
}
