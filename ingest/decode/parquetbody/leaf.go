package parquetbody

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// builder gives the values of the next n rows from the column's leaves.
type builder func(readers []*leaf, n int) (arrow.Array, error)

// leafType is how a leaf's values become an Arrow array.
type leafType struct {
	arrow     arrow.DataType
	extension string
	add       func(b array.Builder, v *parquet.Value) error
}

// columnOf chooses how a column of the rows is read.
func columnOf(c *parquet.Column) (arrow.Field, builder, error) {
	if c.Leaf() && !c.Repeated() {
		t, err := leafTypeOf(c)
		if err != nil {
			return arrow.Field{}, nil, err
		}
		return field(c.Name(), t), func(readers []*leaf, n int) (arrow.Array, error) { return readFlat(readers[0], t, n) }, nil
	}
	a, err := newAssembler(c)
	if err != nil {
		return arrow.Field{}, nil, err
	}
	json := leafType{arrow: arrow.BinaryTypes.String, extension: "arrow.json"}
	return field(c.Name(), json), a.build, nil
}

func field(name string, t leafType) arrow.Field {
	f := arrow.Field{Name: name, Type: t.arrow, Nullable: true}
	if t.extension != "" {
		f.Metadata = arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{t.extension})
	}
	return f
}

// readFlat reads n values of a column that has one for each row.
func readFlat(l *leaf, t leafType, n int) (arrow.Array, error) {
	if t.arrow.ID() == arrow.STRING {
		return readStrings(l, n)
	}
	b := array.NewBuilder(memory.DefaultAllocator, t.arrow)
	b.Reserve(n)
	for range n {
		v, ok, err := l.peek()
		if err != nil || !ok {
			return b.NewArray(), err
		}
		l.at++
		if v.IsNull() {
			b.AppendNull()
		} else if err := t.add(b, v); err != nil {
			return nil, err
		}
	}
	return b.NewArray(), nil
}

// readStrings is readFlat for texts.
func readStrings(l *leaf, n int) (arrow.Array, error) {
	offsets, data := make([]int32, 1, n+1), make([]byte, 0, l.stringBytes)
	var valid event.Bitmap
	for row := range n {
		v, ok, err := l.peek()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		l.at++
		switch null := v.IsNull(); {
		case null && valid == nil:
			valid = event.NewBitmap(n)
			for i := range row {
				valid.Set(i)
			}
		case !null:
			data = append(data, v.ByteArray()...)
			if valid != nil {
				valid.Set(row)
			}
		}
		if len(data) > math.MaxInt32 {
			return nil, errors.New("its texts are longer than can be read together")
		}
		offsets = append(offsets, int32(len(data)))
	}
	l.stringBytes = len(data) + len(data)/8
	return event.NewStrings(offsets, data, valid), nil
}

// leafTypeOf chooses an Arrow type by the logical type, else by the physical one.
func leafTypeOf(c *parquet.Column) (leafType, error) {
	kind := c.Type().Kind()
	if logical := c.Type().LogicalType(); logical != nil {
		switch lt := logical.Value.(type) {
		case *format.StringType, *format.EnumType:
			return leafType{arrow: arrow.BinaryTypes.String, add: addString}, nil
		case *format.JsonType:
			return leafType{arrow: arrow.BinaryTypes.String, extension: "arrow.json", add: addString}, nil
		case *format.UUIDType:
			return leafType{arrow: &arrow.FixedSizeBinaryType{ByteWidth: 16}, extension: "arrow.uuid", add: addFixed}, nil
		case *format.DecimalType:
			return decimalLeaf(lt, kind)
		case *format.DateType:
			return leafType{arrow: arrow.FixedWidthTypes.Date32, add: func(b array.Builder, v *parquet.Value) error {
				b.(*array.Date32Builder).Append(arrow.Date32(v.Int32()))
				return nil
			}}, nil
		case *format.TimeType:
			return timeLeaf(unitOf(lt.Unit), kind), nil
		case *format.TimestampType:
			return timestampLeaf(unitOf(lt.Unit)), nil
		case *format.IntType:
			if !lt.IsSigned {
				return unsignedLeaf(kind), nil
			}
		case *format.Float16Type:
			return leafType{arrow: arrow.FixedWidthTypes.Float16, add: func(b array.Builder, v *parquet.Value) error {
				b.(*array.Float16Builder).Append(float16.FromLEBytes(v.ByteArray()))
				return nil
			}}, nil
		}
	}
	return physicalLeaf(c.Name(), kind, c.Type().Length())
}

func addString(b array.Builder, v *parquet.Value) error {
	b.(*array.StringBuilder).BinaryBuilder.Append(v.ByteArray())
	return nil
}

func addFixed(b array.Builder, v *parquet.Value) error {
	b.(*array.FixedSizeBinaryBuilder).Append(v.ByteArray())
	return nil
}

func unitOf(u format.TimeUnit) arrow.TimeUnit {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return arrow.Millisecond
	case *format.NanoSeconds:
		return arrow.Nanosecond
	default:
		return arrow.Microsecond
	}
}

func timestampLeaf(unit arrow.TimeUnit) leafType {
	return leafType{arrow: &arrow.TimestampType{Unit: unit}, add: func(b array.Builder, v *parquet.Value) error {
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(v.Int64()))
		return nil
	}}
}

func timeLeaf(unit arrow.TimeUnit, kind parquet.Kind) leafType {
	if kind == parquet.Int32 {
		return leafType{arrow: arrow.FixedWidthTypes.Time32ms, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Time32Builder).Append(arrow.Time32(v.Int32()))
			return nil
		}}
	}
	return leafType{arrow: &arrow.Time64Type{Unit: unit}, add: func(b array.Builder, v *parquet.Value) error {
		b.(*array.Time64Builder).Append(arrow.Time64(v.Int64()))
		return nil
	}}
}

func unsignedLeaf(kind parquet.Kind) leafType {
	if kind == parquet.Int32 {
		return leafType{arrow: arrow.PrimitiveTypes.Uint32, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Uint32Builder).Append(uint32(v.Int32()))
			return nil
		}}
	}
	return leafType{arrow: arrow.PrimitiveTypes.Uint64, add: func(b array.Builder, v *parquet.Value) error {
		b.(*array.Uint64Builder).Append(uint64(v.Int64()))
		return nil
	}}
}

// decimalLeaf reads decimals, whose digits are an integer, or bytes of one, the highest first.
func decimalLeaf(t *format.DecimalType, kind parquet.Kind) (leafType, error) {
	if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
		return leafType{}, fmt.Errorf("decimals with %d digits, %d of them behind the point, cannot be stored", t.Precision, t.Scale)
	}
	add := func(b array.Builder, v *parquet.Value) error {
		out := b.(*array.Decimal128Builder)
		switch kind {
		case parquet.Int32:
			out.Append(decimal128.FromI64(int64(v.Int32())))
		case parquet.Int64:
			out.Append(decimal128.FromI64(v.Int64()))
		default:
			n, err := decimalOf(v.ByteArray())
			if err != nil {
				return err
			}
			out.Append(n)
		}
		return nil
	}
	return leafType{arrow: &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}, add: add}, nil
}

func decimalOf(digits []byte) (decimal128.Num, error) {
	n := new(big.Int).SetBytes(digits)
	if len(digits) > 0 && digits[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(digits))))
	}
	if n.BitLen() > 127 {
		return decimal128.Num{}, fmt.Errorf("a decimal of %d bits cannot be stored", n.BitLen())
	}
	return decimal128.FromBigInt(n), nil
}

// physicalLeaf is for leaves without a logical type, or with one that says nothing more.
func physicalLeaf(name string, kind parquet.Kind, length int) (leafType, error) {
	switch kind {
	case parquet.Boolean:
		return leafType{arrow: arrow.FixedWidthTypes.Boolean, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.BooleanBuilder).Append(v.Boolean())
			return nil
		}}, nil
	case parquet.Int32:
		return leafType{arrow: arrow.PrimitiveTypes.Int32, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Int32Builder).Append(v.Int32())
			return nil
		}}, nil
	case parquet.Int64:
		return leafType{arrow: arrow.PrimitiveTypes.Int64, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Int64Builder).Append(v.Int64())
			return nil
		}}, nil
	case parquet.Int96:
		return leafType{arrow: &arrow.TimestampType{Unit: arrow.Nanosecond}, add: addInt96}, nil
	case parquet.Float:
		return leafType{arrow: arrow.PrimitiveTypes.Float32, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Float32Builder).Append(v.Float())
			return nil
		}}, nil
	case parquet.Double:
		return leafType{arrow: arrow.PrimitiveTypes.Float64, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.Float64Builder).Append(v.Double())
			return nil
		}}, nil
	case parquet.ByteArray:
		return leafType{arrow: arrow.BinaryTypes.Binary, add: func(b array.Builder, v *parquet.Value) error {
			b.(*array.BinaryBuilder).Append(v.ByteArray())
			return nil
		}}, nil
	case parquet.FixedLenByteArray:
		return leafType{arrow: &arrow.FixedSizeBinaryType{ByteWidth: length}, add: addFixed}, nil
	default:
		return leafType{}, fmt.Errorf("column %q: values of type %s cannot be stored", name, kind)
	}
}

// addInt96 reads the old form of timestamps: nanoseconds of the day, and the Julian day.
func addInt96(b array.Builder, v *parquet.Value) error {
	const epoch, dayNanos = 2_440_588, 86_400_000_000_000
	raw := v.Int96()
	nanos := int64(binary.LittleEndian.Uint64(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, raw[0]), raw[1])))
	days := int64(raw[2]) - epoch
	if days > 106_000 || days < -106_000 || nanos < 0 || nanos > dayNanos {
		b.AppendNull() // a time that nanoseconds cannot tell, which writers use for none
		return nil
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(days*dayNanos + nanos))
	return nil
}
