package csvbody

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// BenchmarkOneRow reads bodies of a header and a row, for a stream that has the columns.
func BenchmarkOneRow(b *testing.B) {
	body := []byte("ts,event_id,session,user_id,region,service,method,path,status,bytes,latency_ms,cached,agent\n" +
		"2026-03-01T09:00:00.123000Z,e-000001,s-42,u-7,eu-west,checkout,GET,/api/v1/orders/17,200,5120,12.5,true,Mozilla/5.0 (X11; Linux x86_64)\n")
	schema := &event.Schema{TimeColumn: 1, NextID: 14}
	header, _, _ := bytes.Cut(body, []byte("\n"))
	for i, name := range strings.Split(string(header), ",") {
		kind := event.Text
		switch name {
		case "ts":
			kind = event.TimestampTZ
		case "status", "bytes":
			kind = event.BigInt
		case "latency_ms":
			kind = event.Double
		case "cached":
			kind = event.Boolean
		}
		schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: name, Type: event.Type{Kind: kind}})
	}
	options := Options{Schema: func() *event.Schema { return schema }}
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(body), options)
		chunk, err := r.Next()
		require.NoError(b, err)
		require.Equal(b, 1, chunk.Rows)
		_, err = r.Next()
		require.Error(b, err)
		chunk.Free()
	}
}
