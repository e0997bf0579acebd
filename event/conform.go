package event

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Source says where the values of a column are among the columns that a batch or file holds: under its present id, or under a
// former one, which then has to be widened.
type Source struct {
	ID   FieldID
	Type Type
}

// Sources lists where the column may be found, the present id first.
func (c Column) Sources() []Source {
	out := make([]Source, 0, 1+len(c.Former))
	out = append(out, Source{ID: c.ID, Type: c.Type})
	for _, f := range c.Former {
		out = append(out, Source{ID: f.ID, Type: f.Type})
	}
	return out
}

// Conform gives the wanted columns of a batch under a later version of its schema: columns that the batch does not have
// are NULL, narrower ones are widened.
func (b *Batch) Conform(schema *Schema, wanted []FieldID) ([]arrow.Array, error) {
	at := make(map[FieldID]int, len(b.Schema.Columns)+len(Hidden))
	for i, c := range b.Schema.All() {
		at[c.ID] = i
	}
	out := make([]arrow.Array, len(wanted))
	none := Nulls{Rows: b.Rows()}
	last := -1
	for i, id := range wanted {
		column, ok := schema.behind(&last, id)
		if !ok {
			return nil, fmt.Errorf("conform batch: no column with id %d in schema version %d", id, schema.Version)
		}
		values, err := b.find(at, column, &none)
		if err != nil {
			return nil, err
		}
		out[i] = values
	}
	return out, nil
}

// behind is ByID for ids that are asked for in about the order of the columns: it looks behind the one found last before it looks everywhere. In a
// stream of 2,048 columns whose types have changed, looking everywhere for each of them takes longer than all else that is done to a batch.
func (s *Schema) behind(last *int, id FieldID) (Column, bool) {
	for _, at := range [...]int{*last + 1, int(id) - 1} {
		if at >= 0 && at < len(s.Columns) && s.Columns[at].ID == id {
			*last = at
			return s.Columns[at], true
		}
	}
	at := slices.IndexFunc(s.Columns, func(c Column) bool { return c.ID == id })
	if at < 0 {
		return s.ByID(id)
	}
	*last = at
	return s.Columns[at], true
}

func (b *Batch) find(at map[FieldID]int, column Column, none *Nulls) (arrow.Array, error) {
	for _, source := range column.Sources() {
		if i, ok := at[source.ID]; ok {
			return Widen(b.Record.Column(i), source.Type, column.Type)
		}
	}
	return none.Of(column.Type), nil
}

// Widen converts values to the wider type that their column has taken since, without loss: BIGINT to DOUBLE PRECISION, UUID to TEXT, and
// anything to JSONB.
func Widen(values arrow.Array, from, to Type) (arrow.Array, error) {
	switch {
	case from.Equal(to):
		return values, nil
	case from.Kind == BigInt && to.Kind == Double:
		return widenToDouble(values.(*array.Int64)), nil
	case from.Kind == UUID && to.Kind == Text:
		return widenUUIDs(values.(*array.FixedSizeBinary)), nil
	case to.Kind == JSONB:
		return widenToJSON(values, from)
	default:
		return nil, fmt.Errorf("widen %s to %s: not a widening", from, to)
	}
}

// CanWiden reports whether values of one type can become those of another by Widen, or are of it.
func CanWiden(from, to Type) bool {
	return from.Equal(to) || to.Kind == JSONB || (from.Kind == BigInt && to.Kind == Double) || (from.Kind == UUID && to.Kind == Text)
}

func widenToDouble(values *array.Int64) arrow.Array {
	out := make([]float64, values.Len())
	for i, v := range values.Int64Values() {
		out[i] = float64(v)
	}
	return NewFloat64s(out, ValidityOf(values))
}

func widenUUIDs(values *array.FixedSizeBinary) arrow.Array {
	offsets := make([]int32, 1, values.Len()+1)
	var data []byte
	for i := range values.Len() {
		if values.IsValid(i) {
			data = AppendUUID(data, values.Value(i))
		}
		offsets = append(offsets, int32(len(data)))
	}
	return NewStrings(offsets, data, ValidityOf(values))
}

func widenToJSON(values arrow.Array, from Type) (arrow.Array, error) {
	offsets := make([]int32, 1, values.Len()+1)
	var data []byte
	for i := range values.Len() {
		if values.IsValid(i) {
			var err error
			if data, err = AppendJSONValue(data, values, i, from); err != nil {
				return nil, err
			}
		}
		offsets = append(offsets, int32(len(data)))
	}
	return NewStrings(offsets, data, ValidityOf(values)), nil
}

// Every integer of a magnitude below these is a value of the type.
const (
	exactReals   = 1 << 24
	exactDoubles = 1 << 53
)

// appendStored writes large values with an exponent, as a column would otherwise take them for integers that it would have to round.
func appendStored(dst []byte, v float64, exact float64, bits int) []byte {
	switch wide := math.Abs(v); {
	case wide >= exact && !math.IsInf(wide, 0):
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	case bits == 32:
		return AppendReal(dst, float32(v))
	default:
		return AppendDouble(dst, v)
	}
}

// AppendJSONValue appends value i of a column as JSON; the row must be valid. Times are RFC 3339 strings with microseconds,
// NUMERIC is a number with all digits of its scale, BYTEA a string in base64.
func AppendJSONValue(dst []byte, values arrow.Array, i int, t Type) ([]byte, error) {
	switch t.Kind {
	case Boolean:
		return strconv.AppendBool(dst, values.(*array.Boolean).Value(i)), nil
	case BigInt:
		return strconv.AppendInt(dst, values.(*array.Int64).Value(i), 10), nil
	case SmallInt:
		return strconv.AppendInt(dst, int64(values.(*array.Int16).Value(i)), 10), nil
	case Integer:
		return strconv.AppendInt(dst, int64(values.(*array.Int32).Value(i)), 10), nil
	case Real:
		return appendStored(dst, float64(values.(*array.Float32).Value(i)), exactReals, 32), nil
	case Numeric:
		return AppendNumeric(dst, values.(*array.Decimal128).Value(i), t.Scale), nil
	case Double:
		return appendStored(dst, values.(*array.Float64).Value(i), exactDoubles, 64), nil
	case Text:
		return AppendJSONString(dst, StringAt(values, i)), nil
	case TimestampTZ:
		dst = AppendTimestamp(append(dst, '"'), int64(values.(*array.Timestamp).Value(i)))
		return append(dst, '"'), nil
	case Date:
		dst = AppendDate(append(dst, '"'), int32(values.(*array.Date32).Value(i)))
		return append(dst, '"'), nil
	case Time:
		dst = AppendTimeOfDay(append(dst, '"'), int64(values.(*array.Time64).Value(i)))
		return append(dst, '"'), nil
	case UUID:
		dst = AppendUUID(append(dst, '"'), values.(*array.FixedSizeBinary).Value(i))
		return append(dst, '"'), nil
	case Bytea:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), values.(*array.Binary).Value(i))
		return append(dst, '"'), nil
	case JSONB:
		return append(dst, StringAt(values, i)...), nil
	case Array:
		return appendJSONList(dst, values.(*array.List), i, *t.Elem)
	default:
		return nil, fmt.Errorf("write %s as JSON: not a stored type", t)
	}
}

// ValidityOf copies an array's validity into a Bitmap that starts at bit 0; nil where nothing is NULL.
func ValidityOf(values arrow.Array) Bitmap {
	if values.NullN() == 0 {
		return nil
	}
	out, at := NewBitmap(values.Len()), values.Data().Offset()
	if marks := values.Data().Buffers(); at&7 == 0 && len(marks) > 0 && marks[0] != nil {
		copy(out, marks[0].Bytes()[at>>3:])
		if rest := values.Len() & 7; rest != 0 {
			out[len(out)-1] &= 1<<rest - 1
		}
		return out
	}
	for i := range values.Len() {
		if values.IsValid(i) {
			out.Set(i)
		}
	}
	return out
}

// PlainText looks up the codes of a dictionary of texts, and leaves other arrays as they are.
func PlainText(values arrow.Array) arrow.Array {
	if _, ok := values.(*array.Dictionary); !ok {
		return values
	}
	offsets := make([]int32, 1, values.Len()+1)
	var data []byte
	for i := range values.Len() {
		if values.IsValid(i) {
			data = append(data, StringAt(values, i)...)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return NewStrings(offsets, data, ValidityOf(values))
}

// StringAt is value i of a TEXT or JSONB column in either of its two forms. The row must be valid.
func StringAt(values arrow.Array, i int) string {
	switch a := values.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Dictionary:
		return a.Dictionary().(*array.String).Value(a.GetValueIndex(i))
	default:
		panic(fmt.Sprintf("event.StringAt: %s is not a string column", values.DataType()))
	}
}
