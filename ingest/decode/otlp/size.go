package otlp

import (
	"bytes"
	"unsafe"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/protowire"
)

// A message of two bytes can be decoded into a structure of hundreds. So it is known what a request will take before it is decoded: the messages in it
// are counted by the numbers of their fields, as the .proto files of OTLP 1.x have them.

// message is what is to be known of one sort: what a decoded one takes, and which of its fields are messages.
type message struct {
	bytes  int64
	fields map[protowire.Number]*message
	// packed is set where a byte of a field can become a number of eight.
	packed bool
}

// held is what a decoded message takes beside its structure: a place in a list that has grown, and a wrapper where it is one of several.
const held = 40

func of[T any](fields map[protowire.Number]*message) *message {
	var zero T
	return &message{bytes: int64(unsafe.Sizeof(zero)) + held, fields: fields}
}

func numbers(m *message) *message {
	m.packed = true
	return m
}

type fields = map[protowire.Number]*message

// Requests of logs and of metrics.
var (
	anyValue = nestedValue()
	keyValue = of[common.KeyValue](fields{2: anyValue})
	source   = of[resource.Resource](fields{1: keyValue, 3: of[common.EntityRef](nil)})
	scope    = of[common.InstrumentationScope](fields{3: keyValue})

	logRequest = &message{fields: fields{1: of[logs.ResourceLogs](fields{1: source, 2: of[logs.ScopeLogs](fields{
		1: scope, 2: of[logs.LogRecord](fields{5: anyValue, 6: keyValue}),
	})})}}

	exemplar    = of[metrics.Exemplar](fields{7: keyValue})
	number      = of[metrics.NumberDataPoint](fields{7: keyValue, 5: exemplar})
	histogram   = of[metrics.HistogramDataPoint](fields{9: keyValue, 8: exemplar})
	buckets     = numbers(of[metrics.ExponentialHistogramDataPoint_Buckets](nil))
	exponential = of[metrics.ExponentialHistogramDataPoint](fields{1: keyValue, 8: buckets, 9: buckets, 11: exemplar})
	quantile    = of[metrics.SummaryDataPoint_ValueAtQuantile](nil)
	summary     = of[metrics.SummaryDataPoint](fields{7: keyValue, 6: quantile})

	metricRequest = &message{fields: fields{1: of[metrics.ResourceMetrics](fields{1: source, 2: of[metrics.ScopeMetrics](fields{
		1: scope, 2: of[metrics.Metric](fields{
			5: of[metrics.Gauge](fields{1: number}), 7: of[metrics.Sum](fields{1: number}),
			9: of[metrics.Histogram](fields{1: histogram}), 10: of[metrics.ExponentialHistogram](fields{1: exponential}),
			11: of[metrics.Summary](fields{1: summary}), 12: keyValue,
		}),
	})})}}
)

// nestedValue is a value, which may hold others.
func nestedValue() *message {
	value := of[common.AnyValue](fields{})
	value.fields[5] = of[common.ArrayValue](fields{1: value})
	value.fields[6] = of[common.KeyValueList](fields{1: of[common.KeyValue](fields{2: value})})
	return value
}

// scalarBytes is what a scalar field can take: a place in a list, of eight bytes, that has grown, and a wrapper.
const scalarBytes = 48

// packed is what a byte can become: a number of eight in a list that has grown.
const packed = 10

// LogBytes bounds the memory that a request of logs in protocol buffers takes when it is decoded, MetricBytes that of metrics.
func LogBytes(request []byte) int64 { return logRequest.size(request, 0) }

// MetricBytes is LogBytes for metrics.
func MetricBytes(request []byte) int64 { return metricRequest.size(request, 0) }

// size is what a message takes. Of one that is damaged it counts what comes before that: decoding ends there too.
func (m *message) size(src []byte, depth int) int64 {
	total := m.bytes
	for len(src) > 0 {
		field, kind, n := protowire.ConsumeTag(src)
		if n < 0 {
			return total
		}
		src = src[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, kind, src); n < 0 {
				return total
			}
			src = src[n:]
			total += scalarBytes
			continue
		}
		value, n := protowire.ConsumeBytes(src)
		if n < 0 {
			return total
		}
		src = src[n:]
		if inner := m.fields[field]; inner != nil && depth < 2*maxDecoded {
			total += inner.size(value, depth+1)
		} else {
			total += scalarBytes + 2*int64(len(value))
			if m.packed {
				total += packed * int64(len(value))
			}
		}
	}
	return total
}

// maxDecoded is the nesting beyond which a request is not decoded.
const maxDecoded = 128

// JSONBytes is LogBytes and MetricBytes for requests in JSON, in which each object may be any message and each comma may part elements of a list.
func JSONBytes(request []byte) int64 {
	const largest, element = int64(unsafe.Sizeof(metrics.ExponentialHistogramDataPoint{}) + held), 32
	objects := bytes.Count(request, []byte{'{'})
	return largest*int64(objects) + element*int64(bytes.Count(request, []byte{','})+bytes.Count(request, []byte{'['})) + 2*int64(len(request))
}
