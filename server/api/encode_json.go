package api

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// jsonEncoder writes {"columns": [...], "rows": [[...], ...], "row_count": n, "stats": {...}}.
type jsonEncoder struct{ values jsonValues }

func (*jsonEncoder) contentType() string { return "application/json" }

func (*jsonEncoder) begin(dst []byte, columns []plan.Column) []byte {
	dst = append(dst, `{"columns":[`...)
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendJSONString(append(dst, `{"name":`...), c.Name)
		dst = event.AppendJSONString(append(dst, `,"type":`...), typeName(c.Type))
		dst = append(dst, '}')
	}
	return append(dst, `],"rows":[`...)
}

// typeName is the type as clients see it: a literal that took no other type is text.
func typeName(t event.Type) string {
	if t.Kind == event.Unknown {
		return "TEXT"
	}
	return t.String()
}

func (*jsonEncoder) row(dst []byte, appenders []appender, i int, n int64) []byte {
	if n > 0 {
		dst = append(dst, ',')
	}
	dst = append(dst, '\n', '[')
	for c, a := range appenders {
		if c > 0 {
			dst = append(dst, ',')
		}
		dst = a(dst, i)
	}
	return append(dst, ']')
}

func (*jsonEncoder) end(dst []byte, stats resultStats) []byte {
	dst = strconv.AppendInt(append(dst, `],"row_count":`...), stats.RowCount, 10)
	return append(appendJSON(append(dst, `,"stats":`...), stats), "}\n"...)
}

func (*jsonEncoder) fail(dst []byte, p problem) ([]byte, bool) {
	return append(appendJSON(append(dst, `],"error":`...), p), "}\n"...), true
}

func (e *jsonEncoder) appender(column plan.Column, batch *exec.Batch, index int) appender {
	return e.values.appender(column.Type, batch.Columns[index])
}

// appendJSON appends a value of ours that always can be encoded.
func appendJSON(dst []byte, v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		return append(dst, "null"...)
	}
	return append(dst, encoded...)
}

// ndjsonEncoder writes an object a row.
type ndjsonEncoder struct {
	values jsonValues
	// keys holds `{"name":` for the first column and `,"name":` for the others.
	keys [][]byte
}

func (*ndjsonEncoder) contentType() string { return "application/x-ndjson" }

func (e *ndjsonEncoder) begin(dst []byte, columns []plan.Column) []byte {
	for i, c := range columns {
		open := byte(',')
		if i == 0 {
			open = '{'
		}
		e.keys = append(e.keys, append(event.AppendJSONString([]byte{open}, c.Name), ':'))
	}
	return dst
}

func (e *ndjsonEncoder) row(dst []byte, appenders []appender, i int, _ int64) []byte {
	for c, a := range appenders {
		dst = a(append(dst, e.keys[c]...), i)
	}
	return append(dst, '}', '\n')
}

func (*ndjsonEncoder) end(dst []byte, _ resultStats) []byte { return dst }

func (*ndjsonEncoder) fail(dst []byte, p problem) ([]byte, bool) {
	return append(appendJSON(append(dst, `{"error":`...), p), "}\n"...), true
}

func (e *ndjsonEncoder) appender(column plan.Column, batch *exec.Batch, index int) appender {
	return e.values.appender(column.Type, batch.Columns[index])
}

// jsonValues renders values as JSON: TIMESTAMPTZ as RFC 3339 with microseconds, numbers and JSONB as they are, INTERVAL, DATE
// and UUID as text, BYTEA in base64.
type jsonValues struct {
	bigintAsText bool
	// zone is that of times; nil for UTC.
	zone *time.Location
}

func (v jsonValues) appender(t event.Type, values arrow.Array) appender {
	render := v.render(t, values)
	if values.NullN() == 0 {
		return render
	}
	return func(dst []byte, i int) []byte {
		if values.IsNull(i) {
			return append(dst, "null"...)
		}
		return render(dst, i)
	}
}

func (v jsonValues) render(t event.Type, values arrow.Array) appender {
	switch a := values.(type) {
	case *array.Boolean:
		return func(dst []byte, i int) []byte { return strconv.AppendBool(dst, a.Value(i)) }
	case *array.Int64:
		if v.bigintAsText {
			return quoted(func(dst []byte, i int) []byte { return strconv.AppendInt(dst, a.Value(i), 10) })
		}
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, a.Value(i), 10) }
	case *array.Float64:
		return func(dst []byte, i int) []byte { return event.AppendDouble(dst, a.Value(i)) }
	case *array.Timestamp:
		return quoted(func(dst []byte, i int) []byte { return appendTime(dst, int64(a.Value(i)), v.zone) })
	case *array.MonthDayNanoInterval:
		return quoted(func(dst []byte, i int) []byte { return append(dst, event.FormatInterval(a.Value(i))...) })
	case *array.List:
		return v.renderList(*t.Elem, a)
	case *array.Null:
		return func(dst []byte, _ int) []byte { return append(dst, "null"...) }
	}
	if declared := v.renderDeclared(t, values); declared != nil {
		return declared
	}
	if t.Kind == event.JSONB {
		return func(dst []byte, i int) []byte { return append(dst, event.StringAt(values, i)...) }
	}
	return func(dst []byte, i int) []byte { return event.AppendJSONString(dst, event.StringAt(values, i)) }
}

// appendTime appends a time as it is shown in a zone; in UTC where that is nil.
func appendTime(dst []byte, micros int64, zone *time.Location) []byte {
	if zone == nil || micros == event.InfiniteFuture || micros == event.InfinitePast {
		return event.AppendTimestamp(dst, micros)
	}
	return time.UnixMicro(micros).In(zone).AppendFormat(dst, "2006-01-02T15:04:05.000000Z07:00")
}

func quoted(render appender) appender {
	return func(dst []byte, i int) []byte { return append(render(append(dst, '"'), i), '"') }
}
