package eventlog

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// BenchmarkEntryBytes writes batches of an access log's rows as columns and as records of JSON, and tells how many bytes each takes.
func BenchmarkEntryBytes(b *testing.B) {
	for _, rows := range []int{1, 2, 10, 100, 4096} {
		columns := accessRows(rows)
		texts := &Entry{Times: columns.Times}
		for row := range rows {
			text, err := columns.Columns.AppendJSON(nil, row)
			if err != nil {
				b.Fatal(err)
			}
			texts.Values = append(texts.Values, text)
		}
		for name, e := range map[string]*Entry{"columns": columns, "texts": texts} {
			b.Run(fmt.Sprintf("%s-%d", name, rows), func(b *testing.B) {
				var out []byte
				for b.Loop() {
					out, _ = appendEntry(out[:0], e)
				}
				b.ReportMetric(float64(len(out)), "bytes")
			})
		}
	}
}

// accessRows are rows of 13 columns, some of which hold long texts.
func accessRows(rows int) *Entry {
	schema := &event.Schema{Version: 1, TimeColumn: 1}
	var columns []arrow.Array
	add := func(name string, kind event.Kind, values arrow.Array) {
		schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(len(columns) + 1), Name: name, Type: event.Type{Kind: kind}})
		columns = append(columns, values)
	}
	text := func(v string) arrow.Array {
		offsets, data := make([]int32, 1, rows+1), []byte{}
		for range rows {
			data = append(data, v...)
			offsets = append(offsets, int32(len(data)))
		}
		return event.NewStrings(offsets, data, nil)
	}
	times, counts, fractions := make([]int64, rows), make([]int64, rows), make([]float64, rows)
	for i := range rows {
		times[i], counts[i], fractions[i] = 1_772_355_600_000_000+int64(i), 12_345, 12.345
	}
	add("ts", event.TimestampTZ, event.NewTimestamps(times, nil))
	for _, c := range [][2]string{
		{"event_id", "e0123456789abcdef"}, {"session", "s0123456789abcdef"}, {"user_id", "u001234"}, {"region", "eu-west"},
		{"service", "checkout"}, {"method", "GET"}, {"path", "/checkout/items/1234"},
		{"agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
	} {
		add(c[0], event.Text, text(c[1]))
	}
	add("status", event.BigInt, event.NewInt64s(counts, nil))
	add("bytes", event.BigInt, event.NewInt64s(counts, nil))
	add("latency_ms", event.Double, event.NewFloat64s(fractions, nil))
	add("cached", event.Boolean, event.NewBooleans(event.NewBitmap(rows), rows, nil))
	return &Entry{Times: milliseconds(times), Columns: NewColumns(schema, columns)}
}
