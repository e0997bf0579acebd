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

// Faults of values that refuse their row, and no other.
const (
	FaultUTF8 = "invalid UTF-8"
	FaultJSON = "not valid JSON"
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
			start := len(out.data)
			n := nested{dst: out.data, limit: start + decode.MaxRowBytes}
			n.value(values, i)
			if n.embeds && n.fault == "" && !decode.IsJSON(n.dst[start:]) { // each part is, so all of it is too deep
				n.fault = "nested too deep"
			}
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

// AppendJSON appends value i of an array of any type as JSON, as it stands inside of nested values; extension is the name of the extension type that
// its values have, or "". It says what is wrong with a value that cannot be stored.
func AppendJSON(dst []byte, values arrow.Array, i int, extension string) (out []byte, fault string) {
	n := nested{dst: dst, limit: len(dst) + decode.MaxRowBytes}
	n.extended(values, i, extension)
	return n.dst, n.fault
}

// nested writes one nested value.
type nested struct {
	dst   []byte
	limit int
	fault string
	// embeds says that values of the extension arrow.json are among what was written.
	embeds bool
}

// value appends value i of any type, or null.
func (n *nested) value(values arrow.Array, i int) {
	if len(n.dst) > n.limit {
		n.fault = fmt.Sprintf("the value has more than the %d bytes allowed", decode.MaxRowBytes)
	}
	if n.fault != "" {
		return
	}
	if values.IsNull(i) || values.DataType().ID() == arrow.NULL { // arrays of nulls have no bits that say so
		n.dst = append(n.dst, "null"...)
		return
	}
	switch a := values.(type) {
	case array.ExtensionArray:
		n.extended(a.Storage(), i, a.ExtensionType().ExtensionName())
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
		child := a.ChildID(i)
		n.member(a.DataType().(arrow.UnionType).Fields()[child], a.Field(child), unionIndex(a, i))
	default:
		n.scalar(values, i)
	}
}

// member appends value i of what a field of a nested type holds.
func (n *nested) member(f arrow.Field, values arrow.Array, i int) {
	if !f.HasMetadata() {
		n.value(values, i)
		return
	}
	n.extended(values, i, extension(f))
}

// extended appends value i of an extension type by what it is stored as: JSON is taken in as it is, and not as a text of it.
func (n *nested) extended(values arrow.Array, i int, extension string) {
	if extension == "" || values.IsNull(i) {
		n.value(values, i)
		return
	}
	switch a := values.(type) {
	case *array.Dictionary:
		n.extended(a.Dictionary(), a.GetValueIndex(i), extension)
	case *array.RunEndEncoded:
		n.extended(a.Values(), a.GetPhysicalIndex(i), extension)
	case array.StringLike:
		if extension != "arrow.json" {
			n.value(values, i)
			return
		}
		n.json(a.Value(i))
	case *array.FixedSizeBinary:
		if extension != "arrow.uuid" || a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth != 16 {
			n.value(values, i)
			return
		}
		n.dst = append(event.AppendUUID(append(n.dst, '"'), a.Value(i)), '"')
	default:
		n.value(values, i)
	}
}

func (n *nested) json(text string) {
	compact, ok := decode.CompactJSON(text)
	if !ok && n.fault == "" {
		n.fault = FaultJSON
	}
	n.dst, n.embeds = append(n.dst, compact...), true
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
	element := a.DataType().(arrow.ListLikeType).ElemField()
	n.dst = append(n.dst, '[')
	for at := from; at < to && n.fault == ""; at++ {
		if at > from {
			n.dst = append(n.dst, ',')
		}
		n.member(element, a.ListValues(), int(at))
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
		n.member(fields[f], a.Field(f), i)
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
	key, item := a.DataType().(*arrow.MapType).KeyField(), a.DataType().(*arrow.MapType).ItemField()
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
			n.member(item, a.Items(), int(at))
			continue
		}
		n.dst = append(n.dst, `{"key":`...)
		n.member(key, a.Keys(), int(at))
		n.dst = append(n.dst, `,"value":`...)
		n.member(item, a.Items(), int(at))
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
			n.fault = FaultUTF8
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
