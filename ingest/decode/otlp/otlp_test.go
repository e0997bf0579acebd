package otlp

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
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
		require.Len(t, chunk.RowTexts(), rows.Count)
		texts := &decode.Chunk{Texts: chunk.RowTexts(), Numbers: chunk.Numbers, Refused: chunk.Refused}
		byText, err := texts.Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
		require.NoError(t, err)
		for i := range byText.Columns {
			text := event.PlainText(byText.Columns[i])
			require.True(t, array.Equal(text, rows.Columns[i]), "column %s:\n%v\n%v", schema.Columns[i].Name, text, rows.Columns[i])
		}
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
		chunks := slices.Collect(Logs(requestOf(c.record)))
		require.Len(t, chunks, 1, name)
		if reason, refused := strings.CutPrefix(c.want, "!"); refused {
			require.Zero(t, chunks[0].Rows, name)
			require.Equal(t, reason, chunks[0].Refused[0].Reason, name)
			continue
		}
		require.Equal(t, c.want, string(chunks[0].RowTexts()[0]), name)
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
	chunks := slices.Collect(Logs(request))
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
		string(chunks[0].RowTexts()[0]))
	requireStored(t, chunks)
	require.Empty(t, slices.Collect(Logs(nil)))
	require.Empty(t, slices.Collect(Metrics(nil)))
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
	chunks := slices.Collect(Metrics([]*metrics.ResourceMetrics{{ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: points}}}}))
	require.Len(t, chunks, 3) // a number beyond BIGINT is read as text
	require.Nil(t, chunks[1].Columns)
	var got []string
	for _, chunk := range chunks {
		for _, text := range chunk.RowTexts() {
			got = append(got, string(text))
		}
	}
	requireStored(t, chunks[:1])
	requireStored(t, chunks[2:])
	require.Equal(t, []string{
		`{"name":"g","kind":"gauge","unit":"By","value":9.007199254740992e+15,"int_value":9007199254740993}`,
		`{"name":"g","kind":"gauge","unit":"By","value":"-Infinity"}`,
		`{"name":"g","kind":"gauge","unit":"By"}`,
		`{"time":"1970-01-01T00:00:01.000000Z","name":"s","kind":"sum","temporality":"delta","monotonic":false,"exemplars":[{},{"value":7,"trace_id":"01"}]}`,
		`{"name":"h","kind":"histogram","count":18446744073709551615,"sum":2.5,"temporality":"cumulative","buckets":{"bounds":[1],"counts":[0,1]}}`,
		`{"name":"h","kind":"histogram","count":0,"temporality":"cumulative"}`,
		`{"name":"q","kind":"summary","count":1,"sum":1}`,
	}, got)
}

// TestLargeResources: what a resource says is held once for the rows of a chunk, of which there are few then, and no further than somebody asks.
func TestLargeResources(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 400_000)
	request := []*logs.ResourceLogs{{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{pair("long", text1(long))}},
		ScopeLogs: []*logs.ScopeLogs{{LogRecords: make([]*logs.LogRecord, 1_000_000)}}, // 400 GB as rows
	}}
	rows := 0
	for chunk := range Logs(request) {
		require.Less(t, chunk.Bytes(), 2*chunkBytes)
		if rows += chunk.Rows; rows > 10 {
			break
		}
	}
	require.Equal(t, 12, rows)
}

// TestDecodedSize bounds what requests take once they are decoded.
func TestDecodedSize(t *testing.T) {
	t.Parallel()
	record := int64(unsafe.Sizeof(logs.LogRecord{}))
	records := bytes.Repeat([]byte{2<<3 | 2, 0}, 1000) // log records with nothing in them
	scope := protowire.AppendBytes([]byte{2<<3 | 2}, records)
	request := protowire.AppendBytes([]byte{1<<3 | 2}, scope)
	require.Greater(t, LogBytes(request), 1000*record)
	require.Less(t, LogBytes(request), 1500*record)
	require.Greater(t, JSONBytes([]byte("["+strings.Repeat("{},", 1000)+"{}]")), 1000*record)
	text := protowire.AppendBytes([]byte{2<<3 | 2}, protowire.AppendBytes([]byte{3<<3 | 2}, make([]byte, 1<<20)))
	require.Less(t, LogBytes(protowire.AppendBytes([]byte{1<<3 | 2}, protowire.AppendBytes([]byte{2<<3 | 2}, text))), int64(3<<20))
	for n := range len(request) { // of damaged ones it counts what can be read
		require.LessOrEqual(t, LogBytes(request[:n]), LogBytes(request))
	}
	require.Positive(t, MetricBytes(request))
}
