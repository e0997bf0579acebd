package app

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otellog "go.opentelemetry.io/otel/log"
	otelmetric "go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/protobuf/encoding/protowire"
)

// TestOpenTelemetryExporters sends with the exporters that OpenTelemetry's own library has.
func TestOpenTelemetryExporters(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	host := strings.TrimPrefix(s.URL(), "http://")
	from := resource.NewSchemaless(attribute.String("service.name", "shop"), attribute.Int("pid", 7))

	logs, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpoint(host), otlploghttp.WithInsecure(),
		otlploghttp.WithCompression(otlploghttp.GzipCompression))
	require.NoError(t, err)
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(from), sdklog.WithProcessor(sdklog.NewSimpleProcessor(logs)))
	var record otellog.Record
	record.SetTimestamp(time.UnixMicro(1772355600123456))
	record.SetSeverity(otellog.SeverityWarn)
	record.SetSeverityText("WARN")
	record.SetBody(attribute.StringValue("stock is \"low\""))
	record.AddAttributes(attribute.Int64("item", 9007199254740993), attribute.StringSlice("tags", []string{"a", "b"}))
	logger := provider.Logger("inventory", otellog.WithInstrumentationVersion("1.2"))
	logger.Emit(t.Context(), record)
	record.SetBody(attribute.BoolValue(true))
	logger.Emit(t.Context(), record)
	require.NoError(t, provider.Shutdown(t.Context()))
	require.Equal(t, `["2026-03-01T09:00:00.123456Z",13,"WARN","stock is \"low\"",{"item":9007199254740993,"tags":["a","b"]},"shop","inventory","1.2",{"pid":7,"service.name":"shop"}]`+"\n"+
		`["2026-03-01T09:00:00.123456Z",13,"WARN","true",{"item":9007199254740993,"tags":["a","b"]},"shop","inventory","1.2",{"pid":7,"service.name":"shop"}]`+"\n",
		s.query("SELECT time, severity_number, severity_text, body, attributes, service_name, "+
			" scope_name, scope_version, resource FROM otel_logs ORDER BY _offset").text())

	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpoint(host), otlpmetrichttp.WithInsecure())
	require.NoError(t, err)
	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithResource(from), sdkmetric.WithReader(reader), sdkmetric.WithView(sdkmetric.NewView(
		sdkmetric.Instrument{Name: "size"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 3}})))
	measure(t.Context(), t, meters)
	require.NoError(t, meters.Shutdown(t.Context()))
	require.Equal(t, `["depth","gauge",-2.5,null,null,null]`+"\n"+`["latency","histogram",null,null,null,"cumulative"]`+"\n"+
		`["orders","sum",5,5,true,"cumulative"]`+"\n"+`["size","exponential_histogram",null,null,null,"cumulative"]`+"\n",
		s.query("SELECT name, kind, value, int_value, monotonic, temporality FROM otel_metrics ORDER BY name").text())
	require.Equal(t, `[2,110,10,100,{"bounds":[20,200],"counts":[1,1,0]},"ms",{"route":"/"},"shop"]`+"\n",
		s.query(`SELECT count, "sum", "min", "max", buckets, unit, attributes, service_name FROM otel_metrics WHERE name = 'latency'`).text())
	require.Equal(t, "[3,3]\n", s.query(`SELECT count, buckets->'scale' FROM otel_metrics WHERE name = 'size'`).text())
}

func measure(ctx context.Context, t *testing.T, meters otelmetric.MeterProvider) {
	t.Helper()
	meter := meters.Meter("shop")
	orders, err := meter.Int64Counter("orders")
	require.NoError(t, err)
	orders.Add(ctx, 5)
	depth, err := meter.Float64Gauge("depth")
	require.NoError(t, err)
	depth.Record(ctx, -2.5)
	latency, err := meter.Float64Histogram("latency", otelmetric.WithUnit("ms"), otelmetric.WithExplicitBucketBoundaries(20, 200))
	require.NoError(t, err)
	for _, v := range []float64{10, 100} {
		latency.Record(ctx, v, otelmetric.WithAttributes(attribute.String("route", "/")))
	}
	size, err := meter.Float64Histogram("size")
	require.NoError(t, err)
	for range 3 {
		size.Record(ctx, 4)
	}
}

func TestOpenTelemetryJSON(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const body = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},"scopeLogs":[{"logRecords":[
		{"timeUnixNano":"1772355600000000000","severityNumber":9,"body":{"stringValue":"hello"},"traceId":"5b8efff798038103d269b633813fc60c",
			"spanId":"eee19b7ec3c1b174","unknown":1},
		{"timeUnixNano":"18446744073709551615","body":{"stringValue":"late"}},
		{"observedTimeUnixNano":"1772355601000000000","body":{"intValue":"42"}}]}]}]}`
	answer := s.do("POST", "/v1/logs", body, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.JSONEq(t, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"item 1: time: the time 18446744073709551615 is out of range"}}`, string(answer.body))
	require.Equal(t, `["2026-03-01T09:00:00.000000Z","hello","5b8efff798038103d269b633813fc60c","eee19b7ec3c1b174","web"]`+"\n"+`["2026-03-01T09:00:01.000000Z","42",null,null,"web"]`+"\n",
		s.query("SELECT time, body, trace_id, span_id, service_name FROM otel_logs ORDER BY time").text())

	answer = s.do("POST", "/v1/metrics", `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"t","summary":{"dataPoints":[
		{"timeUnixNano":"1772355600000000000","count":"2","sum":3.5,"quantileValues":[{"quantile":0.5,"value":1}]}]}}]}]}]}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Equal(t, `["t","summary",2,3.5,{"quantiles":[{"quantile":0.5,"value":1}]}]`+"\n", s.query(`SELECT name, kind, count, "sum", buckets FROM otel_metrics`).text())

	for _, c := range []struct {
		body, media string
		want        int
	}{
		{"{", "application/json", 400},
		{"\xff\xff", "application/x-protobuf", 400},
		{"{}", "text/plain", 415},
		{"", "application/x-protobuf", 200},
		{`{"resourceLogs":` + strings.Repeat("[", 10_000), "application/json", 400},
		{strings.Repeat(" ", 17<<20), "application/json", 413},
		{`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 60) + "{}" + strings.Repeat("]}}", 60) + `}]}]}]}`, "application/json", 200}, // refused in partial_success
	} {
		require.Equal(t, c.want, s.do("POST", "/v1/logs", c.body, "Content-Type", c.media).status, "%.60s", c.body)
	}
}

// TestTracesAreRefused: as exporters understand it, so that they do not try again.
func TestTracesAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	answer := s.do("POST", "/v1/traces", `{"resourceSpans":[]}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), "traces are not taken: this server stores logs and metrics")
	answer = s.do("POST", "/v1/traces", "", "Content-Type", "application/x-protobuf")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Equal(t, "application/x-protobuf", answer.header.Get("Content-Type"))
	_, _, n := protowire.ConsumeTag(answer.body)
	message, _ := protowire.ConsumeString(answer.body[n:])
	require.Contains(t, message, "traces are not taken")
}

// TestOpenTelemetryIsStoredOnceUnderItsKey repeats a request with a key.
func TestOpenTelemetryIsStoredOnceUnderItsKey(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	body := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1772355600000000000","body":{"stringValue":"a"}},{"body":{"stringValue":"b"}}]}]}]}`
	for range 2 {
		answer := s.do("POST", "/v1/logs", body, "Content-Type", "application/json", "Idempotency-Key", "k")
		require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	}
	require.Equal(t, "[2]\n", s.query("SELECT count(*) FROM otel_logs").text())
}

// TestOpenTelemetryOutOfProportion refuses small requests that stand for very much: a resource that is said once and is in each row, and messages of
// two bytes.
func TestOpenTelemetryOutOfProportion(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	send := func(resource string, records int) response {
		value := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), resource)
		attribute := protowire.AppendBytes(protowire.AppendTag(protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "k"),
			2, protowire.BytesType), value)
		from := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), attribute)
		logs := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), from)
		logs = protowire.AppendBytes(protowire.AppendTag(logs, 2, protowire.BytesType), bytes.Repeat([]byte{2<<3 | 2, 0}, records))
		request := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), logs)
		return s.do("POST", "/v1/logs", string(request), "Content-Type", "application/x-protobuf")
	}
	require.Equal(t, http.StatusOK, send("small", 1000).status)
	large := send(strings.Repeat("x", 400_000), 200_000)
	require.Equal(t, http.StatusRequestEntityTooLarge, large.status, string(large.body))
	require.Contains(t, string(large.body), "out of all proportion")
	many := send("small", 4<<20)
	require.Equal(t, http.StatusRequestEntityTooLarge, many.status, string(many.body))
	require.Contains(t, string(many.body), "when they are decoded")
}
