package otlp

import (
	"iter"

	logs "go.opentelemetry.io/proto/slim/otlp/logs/v1"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// logShape is the columns of log records, in their order.
var logShape = newShape(append([]decode.Field{
	{Name: "time", Type: instant}, {Name: "observed_time", Type: instant}, {Name: "severity_number", Type: whole},
	{Name: "severity_text", Type: text}, {Name: "body", Type: text}, {Name: "attributes", Type: nested}, {Name: "trace_id", Type: text},
	{Name: "span_id", Type: text}, {Name: "flags", Type: whole}, {Name: "event_name", Type: text},
	{Name: "dropped_attributes", Type: whole},
}, originFields...))

// Logs gives a row for each log record, numbered through the request.
func Logs(request []*logs.ResourceLogs) iter.Seq[*decode.Chunk] {
	return chunks(logShape, func(b *batch) {
		r := newRow(logShape)
		for _, from := range request {
			for _, scope := range from.GetScopeLogs() {
				o := origin(logShape, from.GetResource(), scope.GetScope())
				for _, record := range scope.GetLogRecords() {
					if b.stopped {
						return
					}
					r.begin(o)
					r.log(record)
					b.add(r)
				}
			}
		}
	})
}

// log adds what a record says.
func (r *row) log(record *logs.LogRecord) {
	at := record.GetTimeUnixNano()
	if at == 0 { // as the data model says
		at = record.GetObservedTimeUnixNano()
	}
	r.time("time", at)
	r.time("observed_time", record.GetObservedTimeUnixNano())
	if n := record.GetSeverityNumber(); n != 0 {
		r.whole("severity_number", int64(n))
	}
	r.text("severity_text", record.GetSeverityText())
	r.body(record.GetBody())
	r.attributes("attributes", record.GetAttributes())
	r.id("trace_id", record.GetTraceId())
	r.id("span_id", record.GetSpanId())
	if f := record.GetFlags(); f != 0 {
		r.whole("flags", int64(f))
	}
	r.text("event_name", record.GetEventName())
	if n := record.GetDroppedAttributesCount(); n != 0 {
		r.whole("dropped_attributes", int64(n))
	}
}

// body adds a record's body: a text as it is, also an empty one, which differs from no body; anything else as the text of its JSON.
func (r *row) body(body *common.AnyValue) {
	switch v := body.GetValue().(type) {
	case nil:
	case *common.AnyValue_StringValue:
		r.quoted("body", v.StringValue)
	default:
		start := len(r.dst)
		r.value(body, 0)
		r.written("body", start)
	}
}
