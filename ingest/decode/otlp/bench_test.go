package otlp

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	collect "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// BenchmarkLogs decodes a request of 1,000 records as an application sends it.
func BenchmarkLogs(b *testing.B) {
	const records = 1000
	from := &logs.ResourceLogs{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{pair("service.name", text1("shop")), pair("host.name", text1("web-17"))}},
		ScopeLogs: []*logs.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "cart", Version: "1.4.0"}}},
	}
	for i := range records {
		from.ScopeLogs[0].LogRecords = append(from.ScopeLogs[0].LogRecords, &logs.LogRecord{
			TimeUnixNano: 1772355600000000000 + uint64(i), SeverityNumber: 9, SeverityText: "INFO", Body: text1(fmt.Sprintf("order %d was put into the cart", i)),
			Attributes: []*common.KeyValue{pair("route", text1("/cart/items")), pair("user.id", text1(fmt.Sprint("u", i%100))),
				pair("bytes", &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: int64(i)}})},
			TraceId: make([]byte, 16), SpanId: make([]byte, 8),
		})
	}
	body, err := proto.Marshal(&collect.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{from}})
	require.NoError(b, err)
	for chunk := range Logs([]*logs.ResourceLogs{from}) {
		schema, err := chunk.Infer("time")
		require.NoError(b, err)
		for b.Loop() {
			_ = LogBytes(body)
			request := &collect.ExportLogsServiceRequest{}
			require.NoError(b, proto.Unmarshal(body, request))
			for chunk := range Logs(request.GetResourceLogs()) {
				rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
				require.NoError(b, err)
				require.Equal(b, records, rows.Count)
			}
		}
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
}
