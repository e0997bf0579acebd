package decode_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// webEvents makes a chunk of n events of about 350 bytes, like those of a web service.
func webEvents(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"ts":"2024-05-01T10:%02d:%02d.%03dZ","level":"info","service":"checkout-%d","host":"ip-10-77-%d-%d",`+
			`"method":"GET","path":"/api/v1/customers/%d/orders?limit=50&sort=created","status":%d,"bytes":%d,"duration":%d.%03d,`+
			`"user_id":"u-%08d","trace":"4bf92f3577b34da6a3ce929d%08x","cached":%t,"agent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/124.0"}`+"\n",
			i/60%60, i%60, i%1000, i%7, i%255, i%13, i*7919%100000, 200+i%5, i*31%65536, i%250, i%1000, i*104729%100000000, i, i%3 == 0)
	}
	return b.Bytes()
}

func BenchmarkNDJSON(b *testing.B) {
	chunk := webEvents(750)
	schema, err := decode.Infer(chunk, "")
	require.NoError(b, err)
	for _, bench := range []struct {
		name  string
		chunk []byte
	}{
		{"chunk", chunk},
		{"row", chunk[:bytes.IndexByte(chunk, '\n')]},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.chunk)))
			b.ReportAllocs()
			for b.Loop() {
				rows, err := decode.NDJSON(bench.chunk, schema, decode.Options{Arrival: arrival, Mode: catalog.Evolve})
				if err != nil || rows.Drift || len(rows.Rejected) > 0 {
					b.Fatal("the chunk did not decode")
				}
			}
		})
	}
}

func BenchmarkInfer(b *testing.B) {
	chunk := webEvents(750)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := decode.Infer(chunk, ""); err != nil {
			b.Fatal(err)
		}
	}
}
