package otlp

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

func text1(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
}

func list(values ...*common.AnyValue) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: values}}}
}

func pair(key string, v *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: v}
}

func requestOf(records ...*logs.LogRecord) []*logs.ResourceLogs {
	return []*logs.ResourceLogs{{ScopeLogs: []*logs.ScopeLogs{{LogRecords: records}}}}
}

// requireStored holds that every row is one that the decoder takes under the columns that come with it.
func requireStored(t *testing.T, chunks []*decode.Chunk) {
	t.Helper()
	for _, chunk := range chunks {
		schema, err := chunk.Infer("time")
		require.NoError(t, err)
		rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
		require.NoError(t, err)
		require.Len(t, chunk.Texts, rows.Count)
		require.Len(t, rows.Rejected, len(chunk.Refused))
	}
}

func TestLogRecords(t *testing.T) {
	t.Parallel()
	deep := text1("x")
	for range maxDepth + 2 {
		deep = list(deep)
	}
	for name, c := range map[string]struct {
		record *logs.LogRecord
		want   string // or the reason for which it is refused, behind an exclamation mark
	}{
		"nothing":       {&logs.LogRecord{}, `{}`},
		"observed":      {&logs.LogRecord{ObservedTimeUnixNano: 1_000_001_999}, `{"time":"1970-01-01T00:00:01.000001Z","observed_time":"1970-01-01T00:00:01.000001Z"}`},
		"own time":      {&logs.LogRecord{TimeUnixNano: 1e9, ObservedTimeUnixNano: 2e9}, `{"time":"1970-01-01T00:00:01.000000Z","observed_time":"1970-01-01T00:00:02.000000Z"}`},
		"no such time":  {&logs.LogRecord{TimeUnixNano: 1 << 63}, `!time: the time 9223372036854775808 is out of range`},
		"a text":        {&logs.LogRecord{Body: text1("a \"b\"\n")}, `{"body":"a \"b\"\n"}`},
		"an empty text": {&logs.LogRecord{Body: text1("")}, `{"body":""}`},
		"a list":        {&logs.LogRecord{Body: list(text1("a"), nil)}, `{"body":"[\"a\",null]"}`},
		"too deep":      {&logs.LogRecord{Body: deep}, `!a value is nested more than 50 deep`},
		"ids":           {&logs.LogRecord{TraceId: []byte{0, 1, 0xff}, SpanId: []byte{0x10}}, `{"trace_id":"0001ff","span_id":"10"}`},
		"numbers": {&logs.LogRecord{SeverityNumber: 9, Flags: 1, DroppedAttributesCount: 3, EventName: "e"},
			`{"severity_number":9,"flags":1,"event_name":"e","dropped_attributes":3}`},
		"attributes of all types": {&logs.LogRecord{Attributes: []*common.KeyValue{
			pair("i", &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: math.MinInt64}}),
			pair("d", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: math.NaN()}}),
			pair("b", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}}),
			pair("y", &common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{0xff}}}),
			pair("o", &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{pair("", nil)}}}}),
		}}, `{"attributes":{"i":-9223372036854775808,"d":"NaN","b":true,"y":"/w==","o":{"":null}}}`},
	} {
		chunks := Logs(requestOf(c.record))
		require.Len(t, chunks, 1, name)
		if reason, refused := strings.CutPrefix(c.want, "!"); refused {
			require.Empty(t, chunks[0].Texts, name)
			require.Equal(t, reason, chunks[0].Refused[0].Reason, name)
			continue
		}
		require.Equal(t, c.want, string(chunks[0].Texts[0]), name)
		requireStored(t, chunks)
	}
}

// TestChunksNumberTheRequest: rows keep their number in the request across resources, scopes and chunks, with those refused among them.
func TestChunksNumberTheRequest(t *testing.T) {
	t.Parallel()
	request := []*logs.ResourceLogs{{}}
	for r := range 3 {
		var records []*logs.LogRecord
		for i := range 700 {
			record := &logs.LogRecord{SeverityNumber: logs.SeverityNumber(r + 1)}
			if i == 650 {
				record.TimeUnixNano = math.MaxUint64
			}
			records = append(records, record)
		}
		request = append(request, &logs.ResourceLogs{
			Resource:  &resource.Resource{Attributes: []*common.KeyValue{pair("service.name", text1("shop")), pair("n", text1("x"))}},
			ScopeLogs: []*logs.ScopeLogs{{Scope: &common.InstrumentationScope{Name: "s", Version: "1"}, LogRecords: records}},
		})
	}
	chunks := Logs(request)
	require.Len(t, chunks, 3)
	var numbers, refused []int64
	for _, c := range chunks {
		numbers = append(numbers, c.Numbers...)
		for _, r := range c.Refused {
			refused = append(refused, int64(r.Line))
		}
	}
	require.Equal(t, []int64{650, 1350, 2050}, refused)
	require.Len(t, numbers, 2097)
	require.EqualValues(t, 2099, numbers[2096])
	require.Equal(t, `{"severity_number":1,"service_name":"shop","scope_name":"s","scope_version":"1","resource":{"service.name":"shop","n":"x"}}`,
		string(chunks[0].Texts[0]))
	requireStored(t, chunks)
	require.Empty(t, Logs(nil))
	require.Empty(t, Metrics(nil))
}

func TestDataPoints(t *testing.T) {
	t.Parallel()
	sum := 2.5
	points := []*metrics.Metric{
		{Name: "g", Unit: "By", Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{
			{Value: &metrics.NumberDataPoint_AsInt{AsInt: 9007199254740993}}, {Value: &metrics.NumberDataPoint_AsDouble{AsDouble: math.Inf(-1)}}, {},
		}}}},
		{Name: "s", Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 1, DataPoints: []*metrics.NumberDataPoint{
			{TimeUnixNano: 1e9, Exemplars: []*metrics.Exemplar{{}, {Value: &metrics.Exemplar_AsInt{AsInt: 7}, TraceId: []byte{1}}}},
		}}}},
		{Name: "h", Data: &metrics.Metric_Histogram{Histogram: &metrics.Histogram{AggregationTemporality: 2, DataPoints: []*metrics.HistogramDataPoint{
			{Count: math.MaxUint64, Sum: &sum, ExplicitBounds: []float64{1}, BucketCounts: []uint64{0, 1}}, {},
		}}}},
		{Name: "q", Data: &metrics.Metric_Summary{Summary: &metrics.Summary{DataPoints: []*metrics.SummaryDataPoint{{Count: 1, Sum: 1}}}}},
		{Name: "of no kind"},
	}
	chunks := Metrics([]*metrics.ResourceMetrics{{ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: points}}}})
	require.Len(t, chunks, 1)
	var got []string
	for _, text := range chunks[0].Texts {
		got = append(got, string(text))
	}
	require.Equal(t, []string{
		`{"kind":"gauge","name":"g","unit":"By","value":9.007199254740992e+15,"int_value":9007199254740993}`,
		`{"kind":"gauge","name":"g","unit":"By","value":"-Infinity"}`,
		`{"kind":"gauge","name":"g","unit":"By"}`,
		`{"time":"1970-01-01T00:00:01.000000Z","kind":"sum","name":"s","exemplars":[{},{"value":7,"trace_id":"01"}],"temporality":"delta","monotonic":false}`,
		`{"kind":"histogram","name":"h","count":18446744073709551615,"sum":2.5,"buckets":{"bounds":[1],"counts":[0,1]},"temporality":"cumulative"}`,
		`{"kind":"histogram","name":"h","count":0,"temporality":"cumulative"}`,
		`{"kind":"summary","name":"q","count":1,"sum":1}`,
	}, got)
}
