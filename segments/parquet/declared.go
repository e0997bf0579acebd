package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// This file is about the types that columns have only by declaration. SMALLINT, INTEGER and DATE are stored as INT32, REAL as FLOAT,
// NUMERIC as INT64 up to 18 digits and as 16 bytes beyond, UUID as 16 bytes, BYTEA as bytes.

const (
	// wordPrecision is how many digits a NUMERIC may have to be stored in 64 bits, as the format has it.
	wordPrecision = 18
	wideBytes     = 16
)

// annotate adds the logical type.
func annotate(element *format.SchemaElement, t event.Type) {
	switch t.Kind {
	case event.SmallInt:
		element.LogicalType.Value = &format.IntType{BitWidth: 16, IsSigned: true}
		element.ConvertedType = thrift.New(deprecated.Int16)
	case event.Integer:
		element.LogicalType.Value = &format.IntType{BitWidth: 32, IsSigned: true}
		element.ConvertedType = thrift.New(deprecated.Int32)
	case event.Date:
		element.LogicalType.Value = &format.DateType{}
		element.ConvertedType = thrift.New(deprecated.Date)
	case event.Numeric:
		element.LogicalType.Value = &format.DecimalType{Precision: t.Precision, Scale: t.Scale}
		element.ConvertedType = thrift.New(deprecated.Decimal)
		element.Precision, element.Scale = thrift.New(t.Precision), thrift.New(t.Scale)
	case event.UUID:
		element.LogicalType.Value = &format.UUIDType{}
	default: // the physical type says all
	}
	if element.Type.V == format.FixedLenByteArray {
		element.TypeLength = thrift.New(int32(wideBytes))
	}
}

// parseAnnotated reads back what annotate wrote; ok is false for other logical types.
func parseAnnotated(e format.SchemaElement) (t event.Type, ok bool, err error) {
	switch logical := e.LogicalType.Value.(type) {
	case *format.IntType:
		t.Kind = event.Integer
		if logical.BitWidth == 16 {
			t.Kind = event.SmallInt
		}
	case *format.DateType:
		t.Kind = event.Date
	case *format.UUIDType:
		t.Kind = event.UUID
	case *format.DecimalType:
		t = event.Type{Kind: event.Numeric, Precision: logical.Precision, Scale: logical.Scale}
		if t.Precision < 1 || t.Precision > event.MaxPrecision || t.Scale < 0 || t.Scale > t.Precision {
			return t, false, fmt.Errorf("unexpected type %s", logical)
		}
	default:
		return t, false, nil
	}
	if physical, _ := physicalType(t); physical != e.Type.V || (physical == format.FixedLenByteArray && e.TypeLength.V != wideBytes) {
		return t, false, fmt.Errorf("%s stored as %s", t, e.Type.V)
	}
	return t, true, nil
}

// storedForm is a column as its encoder takes it. For most types that is the column itself.
func storedForm(t event.Type, values arrow.Array) arrow.Array {
	switch {
	case t.Kind == event.SmallInt:
		from := arrow.GetValues[int16](values.Data(), 1)
		out := make([]int32, len(from))
		for i, v := range from {
			out[i] = int32(v)
		}
		return event.NewFixed(arrow.PrimitiveTypes.Int32, out, event.ValidityOf(values))
	case t.Kind == event.Bytea:
		return event.AsText(values.(*array.Binary))
	case t.Kind == event.Numeric && t.Precision <= wordPrecision:
		from := event.Words(values)
		out := make([]int64, len(from))
		for i, v := range from {
			out[i] = int64(v.LowBits())
		}
		return event.NewInt64s(out, event.ValidityOf(values))
	case t.Kind == event.Numeric:
		return event.NewUUIDs(reversed(event.Words(values)), event.ValidityOf(values))
	default:
		return values
	}
}

// reversed turns words between the order of bytes in memory and that of the format, which puts the most significant first.
func reversed(words []decimal128.Num) []decimal128.Num {
	out := make([]decimal128.Num, len(words))
	for i, v := range words {
		out[i] = decimal128.New(int64(bits.ReverseBytes64(v.LowBits())), bits.ReverseBytes64(uint64(v.HighBits())))
	}
	return out
}

// newDeclaredEncoder chooses by the stored form.
func newDeclaredEncoder(stored arrow.Array) encoder {
	switch stored.(type) {
	case *array.Int64:
		return newWordEncoder(event.Type{Kind: event.BigInt}, stored)
	case *array.String:
		return &textEncoder{}
	case *array.FixedSizeBinary:
		return &fixedEncoder[decimal128.Num]{}
	default:
		return &fixedEncoder[int32]{}
	}
}

// fixedEncoder is PLAIN for values of 4 or 16 bytes.
type fixedEncoder[T int32 | decimal128.Num] struct{ scratch []T }

func (*fixedEncoder[T]) encoding() format.Encoding { return format.Plain }

func (e *fixedEncoder[T]) encode(rows arrow.Array, _ int) ([]byte, error) {
	values := arrow.GetValues[T](rows.Data(), 1)
	if rows.NullN() == 0 {
		return arrow.GetBytes(values), nil
	}
	e.scratch = e.scratch[:0]
	for i, v := range values {
		if rows.IsValid(i) {
			e.scratch = append(e.scratch, v)
		}
	}
	return arrow.GetBytes(e.scratch), nil
}

func newDeclaredDecoder(c *chunk, rows int) decoder {
	t, v := c.column.Type, validity{rows: rows}
	switch physical, _ := physicalType(t); physical {
	case format.Int64:
		return &numericDecoder{wordDecoder: wordDecoder{kind: event.BigInt, validity: v}, typ: t}
	case format.ByteArray:
		return &binaryDecoder{textDecoder{offsets: make([]int32, 1, rows+1), validity: v, most: c.plain}}
	case format.FixedLenByteArray:
		return &fixedDecoder[decimal128.Num]{typ: t, validity: v}
	default:
		return &fixedDecoder[int32]{typ: t, validity: v}
	}
}

// numericDecoder gathers NUMERIC that is stored in 64 bits.
type numericDecoder struct {
	wordDecoder
	typ event.Type
}

func (d *numericDecoder) array() arrow.Array {
	out := make([]decimal128.Num, len(d.values))
	for i, v := range d.values {
		out[i] = decimal128.FromI64(v)
	}
	return event.NewFixed(d.typ.Arrow(), out, d.valid)
}

// binaryDecoder gathers BYTEA.
type binaryDecoder struct{ textDecoder }

func (d *binaryDecoder) array() arrow.Array {
	return event.AsBinary(d.textDecoder.array().(*array.String))
}

// fixedDecoder gathers values of 4 or 16 bytes.
type fixedDecoder[T int32 | decimal128.Num] struct {
	validity
	typ    event.Type
	values []T
}

func (d *fixedDecoder[T]) add(p rawPage) error {
	n, err := d.addLevels(p)
	if err != nil {
		return err
	}
	if d.values == nil {
		d.values = make([]T, d.rows)
	}
	dst := d.values[d.at : d.at+p.rows]
	if into := arrow.GetBytes(dst[:n]); p.encoding != format.Plain || len(p.values) != len(into) {
		return fmt.Errorf("%d bytes of encoding %s for %d values of %s", len(p.values), p.encoding, n, d.typ)
	}
	copy(arrow.GetBytes(dst[:n]), p.values)
	spread(dst, n, d.valid, d.at)
	d.at += p.rows
	return nil
}

func (d *fixedDecoder[T]) array() arrow.Array {
	switch values := any(d.values).(type) {
	case []decimal128.Num:
		if d.typ.Kind == event.Numeric {
			values = reversed(values)
		}
		return event.NewFixed(d.typ.Arrow(), values, d.valid)
	case []int32:
		if d.typ.Kind == event.SmallInt {
			out := make([]int16, len(values))
			for i, v := range values {
				out[i] = int16(v)
			}
			return event.NewFixed(d.typ.Arrow(), out, d.valid)
		}
		return event.NewFixed(d.typ.Arrow(), values, d.valid)
	default:
		panic("parquet: values of an unknown width")
	}
}

// declaredBound is boundBytes for these types.
func declaredBound(t event.Type, b prune.Bound) []byte {
	switch physical, _ := physicalType(t); {
	case t.Kind == event.UUID:
		v, _ := event.ParseUUID(b.Text)
		return v[:]
	case physical == format.FixedLenByteArray:
		out := binary.BigEndian.AppendUint64(nil, uint64(b.Int>>63))
		return binary.BigEndian.AppendUint64(out, uint64(b.Int))
	case physical == format.Float:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(b.Float)))
	case physical == format.Int32:
		return binary.LittleEndian.AppendUint32(nil, uint32(b.Int))
	default:
		return binary.LittleEndian.AppendUint64(nil, uint64(b.Int))
	}
}

// parseDeclaredBound undoes declaredBound.
func parseDeclaredBound(t event.Type, stored []byte) (bound prune.Bound, ok bool) {
	physical, _ := physicalType(t)
	size := map[format.Type]int{format.Int32: 4, format.Float: 4, format.Int64: 8, format.FixedLenByteArray: wideBytes}[physical]
	if len(stored) != size {
		return bound, false
	}
	switch {
	case t.Kind == event.UUID:
		bound.Text = event.FormatUUID(stored)
	case physical == format.FixedLenByteArray:
		bound.Int = int64(binary.BigEndian.Uint64(stored[8:]))
		return bound, int64(binary.BigEndian.Uint64(stored)) == bound.Int>>63
	case physical == format.Float:
		bound.Float = float64(math.Float32frombits(binary.LittleEndian.Uint32(stored)))
	case physical == format.Int32:
		bound.Int = int64(int32(binary.LittleEndian.Uint32(stored)))
	default:
		bound.Int = int64(binary.LittleEndian.Uint64(stored))
	}
	return bound, true
}
