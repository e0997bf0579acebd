package api

import (
	"encoding/base64"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// renderDeclared is render for the types that columns have only by declaration; nil for others. NUMERIC has all digits of its scale,
// and is text where BIGINT is: readers that lose digits of one lose those of the other too.
func (v jsonValues) renderDeclared(t event.Type, values arrow.Array) appender {
	switch a := values.(type) {
	case *array.Int16:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }
	case *array.Int32:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }
	case *array.Float32:
		return func(dst []byte, i int) []byte { return event.AppendReal(dst, a.Value(i)) }
	case *array.Decimal128:
		render := func(dst []byte, i int) []byte { return event.AppendNumeric(dst, a.Value(i), t.Scale) }
		if v.bigintAsText {
			return quoted(render)
		}
		return render
	case *array.Date32:
		return quoted(func(dst []byte, i int) []byte { return event.AppendDate(dst, int32(a.Value(i))) })
	case *array.Time64:
		return quoted(func(dst []byte, i int) []byte { return event.AppendTimeOfDay(dst, int64(a.Value(i))) })
	case *array.FixedSizeBinary:
		return quoted(func(dst []byte, i int) []byte { return event.AppendUUID(dst, a.Value(i)) })
	case *array.Binary:
		return quoted(func(dst []byte, i int) []byte { return base64.StdEncoding.AppendEncode(dst, a.Value(i)) })
	default:
		return nil
	}
}
