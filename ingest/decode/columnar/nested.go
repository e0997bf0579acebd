package columnar

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// nesting is how deep a type is. A map is an object, or an array of objects.
func nesting(t arrow.DataType, above int) int {
	if above > maxNesting { // deep enough to refuse; types from outside may be deeper than the stack
		return above
	}
	deepest := above
	if nested, ok := t.(arrow.NestedType); ok {
		for _, f := range nested.Fields() {
			deepest = max(deepest, nesting(f.Type, above+1))
		}
	}
	return deepest
}

// convertNested writes lists, structs, maps and unions as JSON.
func convertNested(p *part, values arrow.Array) (arrow.Array, error) {
	out := newStrings(p)
	for i := range p.rows {
		if values.IsValid(i) {
			n := nested{dst: out.data, limit: len(out.data) + decode.MaxRowBytes}
			n.value(values, i)
			out.data = n.dst
			if n.fault != "" {
				p.refuse(i, "%s", n.fault)
				out.data = append(out.data[:out.offsets[i]], "null"...)
			}
		}
		if err := out.end(p); err != nil {
			return nil, err
		}
	}
	return event.NewStrings(out.offsets, out.data, event.ValidityOf(values)), nil
}

// AppendJSON appends value i of an array of any type as JSON, as it stands inside of nested values. It says what is wrong with a value
// that cannot be stored.
func AppendJSON(dst []byte, values arrow.Array, i int) (out []byte, fault string) {
	n := nested{dst: dst, limit: len(dst) + decode.MaxRowBytes}
	n.value(values, i)
	return n.dst, n.fault
}

// nested writes one nested value.
type nested struct {
	dst   []byte
	limit int
	fault string
}

// value appends value i of any type, or null.
func (n *nested) value(values arrow.Array, i int) {
	if len(n.dst) > n.limit {
		n.fault = fmt.Sprintf("the value has more than the %d bytes allowed", decode.MaxRowBytes)
	}
	if n.fault != "" {
		return
	}
	if values.IsNull(i) {
		n.dst = append(n.dst, "null"...)
		return
	}
	switch a := values.(type) {
	case array.ExtensionArray:
		n.value(a.Storage(), i)
	case *array.Dictionary:
		n.value(a.Dictionary(), a.GetValueIndex(i))
	case *array.RunEndEncoded:
		n.value(a.Values(), a.GetPhysicalIndex(i))
	case *array.Struct:
		n.object(a, i)
	case *array.Map:
		n.entries(a, i)
	case array.ListLike:
		n.list(a, i)
	case array.Union:
		n.value(a.Field(a.ChildID(i)), unionIndex(a, i))
	default:
		n.scalar(values, i)
	}
}

// unionIndex is where the value of row i is among its child's.
func unionIndex(a array.Union, i int) int {
	if dense, ok := a.(*array.DenseUnion); ok {
		return int(dense.ValueOffset(i))
	}
	return i + a.Data().Offset()
}

func (n *nested) list(a array.ListLike, i int) {
	from, to := a.ValueOffsets(i)
	n.dst = append(n.dst, '[')
	for at := from; at < to && n.fault == ""; at++ {
		if at > from {
			n.dst = append(n.dst, ',')
		}
		n.value(a.ListValues(), int(at))
	}
	n.dst = append(n.dst, ']')
}

func (n *nested) object(a *array.Struct, i int) {
	fields := a.DataType().(*arrow.StructType).Fields()
	n.dst = append(n.dst, '{')
	for f := range fields {
		if f > 0 {
			n.dst = append(n.dst, ',')
		}
		n.key(fields[f].Name)
		n.value(a.Field(f), i)
	}
	n.dst = append(n.dst, '}')
}

func (n *nested) key(name string) {
	if !utf8.ValidString(name) {
		n.fault = "a name is not valid UTF-8"
	}
	n.dst = append(event.AppendJSONString(n.dst, name), ':')
}

// entries writes a map: an object if its keys are texts, else an array of objects.
func (n *nested) entries(a *array.Map, i int) {
	from, to := a.ValueOffsets(i)
	keys, isText := a.Keys().(array.StringLike)
	open, end := byte('['), byte(']')
	if isText {
		open, end = '{', '}'
	}
	n.dst = append(n.dst, open)
	for at := from; at < to && n.fault == ""; at++ {
		if at > from {
			n.dst = append(n.dst, ',')
		}
		if isText {
			n.key(keys.Value(int(at)))
			n.value(a.Items(), int(at))
			continue
		}
		n.dst = append(n.dst, `{"key":`...)
		n.value(a.Keys(), int(at))
		n.dst = append(n.dst, `,"value":`...)
		n.value(a.Items(), int(at))
		n.dst = append(n.dst, '}')
	}
	n.dst = append(n.dst, end)
}

// scalar writes a value that holds no others, spelled as a column of its type is.
func (n *nested) scalar(values arrow.Array, i int) {
	switch a := values.(type) {
	case *array.Boolean:
		n.dst = strconv.AppendBool(n.dst, a.Value(i))
	case *array.Int64:
		n.dst = strconv.AppendInt(n.dst, a.Value(i), 10)
	case *array.Int32:
		n.dst = strconv.AppendInt(n.dst, int64(a.Value(i)), 10)
	case *array.Float64:
		n.dst = decode.AppendShortDouble(n.dst, a.Value(i))
	case array.StringLike:
		text := a.Value(i)
		if !utf8.ValidString(text) {
			n.fault = "invalid UTF-8"
		}
		n.dst = event.AppendJSONString(n.dst, text)
	case binaries:
		n.dst = append(base64.StdEncoding.AppendEncode(append(n.dst, '"'), bytesAt(values, i)), '"')
	default:
		n.other(values, i)
	}
}

// other writes the rarer types by way of the columns that they would be.
func (n *nested) other(values arrow.Array, i int) {
	t, convert, err := conversion(values.DataType(), "")
	if err != nil || convert == nil {
		n.fault = fmt.Sprintf("values of type %s cannot be stored", values.DataType())
		return
	}
	one := array.NewSlice(values, int64(i), int64(i)+1)
	defer one.Release()
	p := &part{rows: 1}
	converted, err := convert(p, one)
	if err != nil || len(p.refused) > 0 {
		n.fault = fmt.Sprintf("a value of type %s is out of range", values.DataType())
		return
	}
	if t.Kind == event.Numeric { // inside of JSON a number may be one
		n.dst = event.AppendNumeric(n.dst, converted.(*array.Decimal128).Value(0), t.Scale)
		return
	}
	n.dst = decode.TextWriterOf(converted, event.StoredAs(t))(n.dst, 0)
}
