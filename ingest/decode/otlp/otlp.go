// Package otlp turns OpenTelemetry's logs and metrics into rows of two streams.
//
// What always holds: each log record and each data point is one row, or is refused with a reason; integers keep all their digits. The shape of a
// row is part of what users build on: columns are added, never renamed. What
// a request makes is given away chunk by chunk, so that a resource with many attributes is not held once for each of its rows. All functions are pure.
package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// maxDepth bounds the nesting of values, well within that of a row.
const maxDepth = 50

var (
	text    = event.Type{Kind: event.Text}
	whole   = event.Type{Kind: event.BigInt}
	double  = event.Type{Kind: event.Double}
	boolean = event.Type{Kind: event.Boolean}
	instant = event.Type{Kind: event.TimestampTZ}
	nested  = event.Type{Kind: event.JSONB}
)

// text adds a text that is not empty: an empty one says nothing in protocol buffers.
func (r *row) text(name, v string) {
	if v != "" {
		r.quoted(name, v)
	}
}

// quoted adds a text.
func (r *row) quoted(name, v string) {
	start := len(r.dst)
	r.dst = append(r.dst, v...)
	r.written(name, start)
}

func (r *row) whole(name string, v int64) {
	c := r.cell(name)
	c.number, c.count = v, 0
}

// count adds an unsigned integer.
func (r *row) count(name string, v uint64) {
	c := r.cell(name)
	if c.number, c.count = int64(v), 0; v > math.MaxInt64 {
		c.count, r.beyond = v, true
	}
}

func (r *row) double(name string, v float64) { r.cell(name).float = v }

func (r *row) boolean(name string, v bool) {
	c := r.cell(name)
	if c.number = 0; v {
		c.number = 1
	}
}

// latestNanos is the last nanosecond that a time of 64 bits with a sign can name.
const latestNanos = 1<<63 - 1

// time adds a time in nanoseconds since 1970; 0 is none.
func (r *row) time(name string, nanos uint64) {
	if nanos == 0 {
		return
	}
	if nanos > latestNanos {
		r.fault = outOfRange(name, nanos)
		return
	}
	r.whole(name, int64(nanos/1000))
}

func outOfRange(name string, nanos uint64) string {
	return fmt.Sprintf("%s: the time %d is out of range", name, nanos)
}

// id adds the id of a trace or span in hexadecimal digits.
func (r *row) id(name string, id []byte) {
	if len(id) > 0 {
		start := len(r.dst)
		r.dst = hex.AppendEncode(r.dst, id)
		r.written(name, start)
	}
}

// attributes adds attributes as an object, if there are any.
func (r *row) attributes(name string, list []*common.KeyValue) {
	if len(list) > 0 {
		start := len(r.dst)
		r.object(list, 0)
		r.written(name, start)
	}
}

func (r *row) object(list []*common.KeyValue, depth int) {
	r.dst = append(r.dst, '{')
	for i, pair := range list {
		if i > 0 {
			r.dst = append(r.dst, ',')
		}
		r.dst = append(event.AppendJSONString(r.dst, pair.GetKey()), ':')
		r.value(pair.GetValue(), depth+1)
	}
	r.dst = append(r.dst, '}')
}

// value appends any value as JSON.
func (r *row) value(v *common.AnyValue, depth int) {
	if depth > maxDepth {
		r.fault = fmt.Sprintf("a value is nested more than %d deep", maxDepth)
		r.dst = append(r.dst, "null"...)
		return
	}
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		r.dst = event.AppendJSONString(r.dst, v.StringValue)
	case *common.AnyValue_BoolValue:
		r.dst = strconv.AppendBool(r.dst, v.BoolValue)
	case *common.AnyValue_IntValue:
		r.dst = strconv.AppendInt(r.dst, v.IntValue, 10)
	case *common.AnyValue_DoubleValue:
		r.dst = decode.AppendDouble(r.dst, v.DoubleValue)
	case *common.AnyValue_BytesValue:
		r.dst = append(base64.StdEncoding.AppendEncode(append(r.dst, '"'), v.BytesValue), '"')
	case *common.AnyValue_KvlistValue:
		r.object(v.KvlistValue.GetValues(), depth)
	case *common.AnyValue_ArrayValue:
		r.dst = append(r.dst, '[')
		for i, element := range v.ArrayValue.GetValues() {
			if i > 0 {
				r.dst = append(r.dst, ',')
			}
			r.value(element, depth+1)
		}
		r.dst = append(r.dst, ']')
	default:
		r.dst = append(r.dst, "null"...)
	}
}

// origin is what all rows of a resource and scope share.
func origin(s *shape, from *resource.Resource, scope *common.InstrumentationScope) *row {
	r := newRow(s)
	for _, pair := range from.GetAttributes() {
		if pair.GetKey() == "service.name" {
			r.text("service_name", pair.GetValue().GetStringValue())
			break
		}
	}
	r.text("scope_name", scope.GetName())
	r.text("scope_version", scope.GetVersion())
	r.attributes("scope_attributes", scope.GetAttributes())
	r.attributes("resource", from.GetAttributes())
	return r
}

// originFields are the columns of origin.
var originFields = []decode.Field{
	{Name: "service_name", Type: text}, {Name: "scope_name", Type: text}, {Name: "scope_version", Type: text},
	{Name: "scope_attributes", Type: nested}, {Name: "resource", Type: nested},
}
