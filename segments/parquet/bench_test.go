package parquet

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/tidemarkdb/tidemark/event"
)

const benchRows = 1 << 20

func BenchmarkWrite(b *testing.B) {
	schema, columns := numbered(benchRows)
	for b.Loop() {
		if _, err := Write(io.Discard, schema, columns, testMeta(), Layout{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkRead(b *testing.B) {
	_, _, file := writeNumbered(b, benchRows, Layout{})
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(1<<20))
	if err != nil {
		b.Fatal(err)
	}
	for name, id := range map[string]event.FieldID{"delta": 1, "nullable": 2, "dictionary": 3, "text": 4, "double": 5} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for from := 0; from < benchRows; from += 2 * DefaultPageRows {
					if _, _, err := r.Read(context.Background(), []event.FieldID{id}, 0, from, from+2*DefaultPageRows, nil); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}
