package lineproto

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// BenchmarkAgainstNDJSON decodes the same rows from line protocol and from newline-delimited JSON.
func BenchmarkAgainstNDJSON(b *testing.B) {
	body := points(10_000)
	rows, _, err := NewReader(bytes.NewReader(body), Options{}).Next()
	require.NoError(b, err)
	schema, err := rows[0].Chunk.Infer("time")
	require.NoError(b, err)
	lines := bytes.Join(rows[0].Chunk.RowTexts(), []byte("\n"))
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
	b.Run("points", func(b *testing.B) {
		events := 0
		for b.Loop() {
			reader := NewReader(bytes.NewReader(body), Options{})
			for parts, _, err := reader.Next(); err == nil; parts, _, err = reader.Next() {
				for _, part := range parts {
					rows, err := part.Chunk.Decode(schema, options, 0)
					require.NoError(b, err)
					events += rows.Count
				}
			}
		}
		rate(b, events)
	})
}

// points are requests to a few services, as an access log has them.
func points(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var out bytes.Buffer
	for i := range n {
		service := random.IntN(12)
		fmt.Fprintf(&out, "access,region=r%d,service=service%d,method=GET event_id=\"e%016x\",session=\"s%016x\",user_id=\"u%06d\",path=\"/service%d/items/%d\","+
			"status=%di,bytes=%di,latency_ms=%.3f,cached=%t,agent=\"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\" %d000\n",
			random.IntN(8), service, random.Uint64(), random.Uint64(), random.IntN(200_000), service, random.IntN(5000), 200+random.IntN(5),
			random.IntN(60_000), random.ExpFloat64()*20, random.IntN(3) == 0, 1_772_355_600_000_000+i*1000-random.IntN(1000))
	}
	return out.Bytes()
}
