package api

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// csvEncoder writes RFC 4180 with a header row, other than that lines end with LF alone, as tools of the shell want them and other databases write
// them. NULL is an empty field, empty text a quoted empty one.
type csvEncoder struct{ zone *time.Location }

func (*csvEncoder) contentType() string { return "text/csv; charset=utf-8; header=present" }

func (*csvEncoder) begin(dst []byte, columns []plan.Column) []byte {
	for i, c := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendField(dst, c.Name)
	}
	return append(dst, '\n')
}

func (*csvEncoder) row(dst []byte, appenders []appender, i int, _ int64) []byte {
	for c, a := range appenders {
		if c > 0 {
			dst = append(dst, ',')
		}
		dst = a(dst, i)
	}
	return append(dst, '\n')
}

func (*csvEncoder) end(dst []byte, _ resultStats) []byte { return dst }

// fail has no place in CSV: a reader would take the message for a row.
func (*csvEncoder) fail([]byte, problem) ([]byte, bool) { return nil, false }

func (e *csvEncoder) appender(column plan.Column, batch *exec.Batch, index int) appender {
	values := batch.Columns[index]
	if _, isNull := values.(*array.Null); isNull {
		return func(dst []byte, _ int) []byte { return dst }
	}
	if column.Type.Kind == event.Text || column.Type.Kind == event.JSONB || column.Type.Kind == event.Unknown {
		return func(dst []byte, i int) []byte {
			if values.IsNull(i) {
				return dst
			}
			return appendField(dst, event.StringAt(values, i))
		}
	}
	render := jsonValues{zone: e.zone}.render(column.Type, values)
	if column.Type.Kind == event.Array {
		return func(dst []byte, i int) []byte {
			if values.IsNull(i) {
				return dst
			}
			return appendField(dst, string(render(nil, i)))
		}
	}
	return func(dst []byte, i int) []byte {
		if values.IsNull(i) {
			return dst
		}
		start := len(dst)
		dst = render(dst, i)
		if dst[start] == '"' { // JSON quotes times, CSV does not need to
			return append(dst[:start], dst[start+1:len(dst)-1]...)
		}
		return dst
	}
}

func appendField(dst []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, "\",\r\n") {
		return append(dst, s...)
	}
	return append(append(append(dst, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}
