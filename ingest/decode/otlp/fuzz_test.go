package otlp

import (
	"testing"

	"github.com/stretchr/testify/require"
	collectlogs "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	collectmetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// FuzzLogs holds that whatever can be decoded becomes rows that can be stored.
func FuzzLogs(f *testing.F) {
	seed, err := proto.Marshal(&collectlogs.ExportLogsServiceRequest{ResourceLogs: requestOf(
		&logs.LogRecord{TimeUnixNano: 1, Body: list(text1("x")), TraceId: []byte("0123456789abcdef")})})
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, body []byte) {
		request := &collectlogs.ExportLogsServiceRequest{}
		bytes := LogBytes(body)
		if proto.Unmarshal(body, request) != nil {
			return
		}
		require.GreaterOrEqual(t, bytes, int64(len(request.GetResourceLogs())))
		var chunks []*decode.Chunk
		for chunk := range Logs(request.GetResourceLogs()) {
			chunks = append(chunks, chunk)
		}
		requireStored(t, chunks)
	})
}

// FuzzMetrics is FuzzLogs for metrics.
func FuzzMetrics(f *testing.F) {
	seed, err := proto.Marshal(&collectmetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{ScopeMetrics: []*metrics.ScopeMetrics{{
		Metrics: []*metrics.Metric{{Name: "m", Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{{TimeUnixNano: 1}}}}}},
	}}}}})
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, body []byte) {
		request := &collectmetrics.ExportMetricsServiceRequest{}
		bytes := MetricBytes(body)
		if proto.Unmarshal(body, request) != nil {
			return
		}
		require.GreaterOrEqual(t, bytes, int64(len(request.GetResourceMetrics())))
		var chunks []*decode.Chunk
		for chunk := range Metrics(request.GetResourceMetrics()) {
			chunks = append(chunks, chunk)
		}
		requireStored(t, chunks)
	})
}
