package parquetbody

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// leafTypeOf chooses an Arrow type by the logical type, else by the physical one. logical has those of all leaves.
func leafTypeOf(c *parquet.Column, logical []any) (leafType, error) {
	kind, width := c.Type().Kind(), width(c.Type())
	if at := c.Index(); at < len(logical) {
		if _, half := logical[at].(*format.Float16Type); half {
			return halfLeaf(kind, width)
		}
	}
	if logical := c.Type().LogicalType(); logical != nil {
		switch lt := logical.Value.(type) {
		case *format.StringType, *format.EnumType:
			return textLeaf(c.Name(), kind, "")
		case *format.JsonType:
			return textLeaf(c.Name(), kind, "arrow.json")
		case *format.UUIDType:
			return fixedLeaf(&arrow.FixedSizeBinaryType{ByteWidth: 16}, "arrow.uuid", kind, width)
		case *format.DecimalType:
			return decimalLeaf(lt, kind, width)
		case *format.DateType:
			return numberLeaf(arrow.FixedWidthTypes.Date32, kind, parquet.Int32)
		case *format.TimeType:
			if kind == parquet.Int32 {
				return numberLeaf(arrow.FixedWidthTypes.Time32ms, kind, parquet.Int32)
			}
			return numberLeaf(&arrow.Time64Type{Unit: unitOf(lt.Unit)}, kind, parquet.Int64)
		case *format.TimestampType:
			return numberLeaf(&arrow.TimestampType{Unit: unitOf(lt.Unit)}, kind, parquet.Int64)
		case *format.IntType:
			if !lt.IsSigned && kind == parquet.Int32 {
				return numberLeaf(arrow.PrimitiveTypes.Uint32, kind, parquet.Int32)
			} else if !lt.IsSigned {
				return numberLeaf(arrow.PrimitiveTypes.Uint64, kind, parquet.Int64)
			}
		}
	}
	if kind == noKind {
		return leafType{arrow: arrow.Null, make: func(_ *gathered, n int, _ event.Bitmap) (arrow.Array, error) { return array.NewNull(n), nil }}, nil
	}
	if converted := c.Type().ConvertedType(); converted != nil && *converted == deprecated.Interval {
		return intervalLeaf(kind, width)
	}
	return physicalLeaf(c.Name(), kind, width)
}

var errPhysical = errors.New("a column whose logical type does not go with its physical one")

// numberLeaf is for numbers that lie as Arrow has them.
func numberLeaf(t arrow.DataType, kind, want parquet.Kind) (leafType, error) {
	if kind != want {
		return leafType{}, errPhysical
	}
	return leafType{arrow: t, make: wordsOf(t)}, nil
}

func textLeaf(name string, kind parquet.Kind, extension string) (leafType, error) {
	if kind != parquet.ByteArray {
		return leafType{}, fmt.Errorf("column %q: %w", name, errPhysical)
	}
	return leafType{arrow: arrow.BinaryTypes.String, extension: extension, make: makeStrings}, nil
}

// fixedLeaf is for bytes of a width.
func fixedLeaf(t *arrow.FixedSizeBinaryType, extension string, kind parquet.Kind, width int) (leafType, error) {
	if kind != parquet.FixedLenByteArray || width != t.ByteWidth || width < 1 {
		return leafType{}, errPhysical
	}
	return leafType{arrow: t, extension: extension, make: func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		return array.MakeFromData(array.NewData(t, n, []*memory.Buffer{
			memory.NewBufferBytes(valid), memory.NewBufferBytes(spreadBytes(g.data, width, n, valid)),
		}, nil, valid.Nulls(n), 0)), nil
	}}, nil
}

func halfLeaf(kind parquet.Kind, width int) (leafType, error) {
	if kind != parquet.FixedLenByteArray || width != 2 {
		return leafType{}, errPhysical
	}
	t := arrow.FixedWidthTypes.Float16
	return leafType{arrow: t, make: func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		return array.MakeFromData(array.NewData(t, n, []*memory.Buffer{
			memory.NewBufferBytes(valid), memory.NewBufferBytes(spreadBytes(g.data, width, n, valid)),
		}, nil, valid.Nulls(n), 0)), nil
	}}, nil
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

// decimalLeaf reads decimals, whose digits are an integer, or bytes of one, the highest first.
func decimalLeaf(t *format.DecimalType, kind parquet.Kind, width int) (leafType, error) {
	if t.Precision < 1 || t.Precision > 76 || t.Scale < 0 || t.Scale > t.Precision {
		return leafType{}, event.Errorf(event.CodeNotSupported, "decimals with %d digits, %d of them behind the point, cannot be stored", t.Precision, t.Scale)
	}
	if t.Precision > 38 {
		return wideDecimalLeaf(t, kind, width), nil
	}
	ours := &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}
	return leafType{arrow: ours, make: func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		out := make([]decimal128.Num, 0, n)
		for _, v := range g.words32 {
			out = append(out, decimal128.FromI64(int64(int32(v))))
		}
		for _, v := range g.words64 {
			out = append(out, decimal128.FromI64(int64(v)))
		}
		start := 0
		for next := range g.values(kind, width) {
			v, err := decimalOf(g.data[start:next])
			if err != nil {
				return nil, err
			}
			out, start = append(out, v), next
		}
		return event.NewFixed(ours, spread(out, n, valid), valid), nil
	}}, nil
}

// wideDecimalLeaf reads decimals of more digits than NUMERIC has.
func wideDecimalLeaf(t *format.DecimalType, kind parquet.Kind, width int) leafType {
	ours := &arrow.Decimal256Type{Precision: t.Precision, Scale: t.Scale}
	return leafType{arrow: ours, make: func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		out, start := make([]decimal256.Num, 0, n), 0
		for next := range g.values(kind, width) {
			digits := bigDecimal(g.data[start:next])
			if digits.BitLen() > 255 {
				return nil, fmt.Errorf("a decimal of %d bits cannot be stored", digits.BitLen())
			}
			out, start = append(out, decimal256.FromBigInt(digits)), next
		}
		return event.NewFixed(ours, spread(out, n, valid), valid), nil
	}}
}

// bigDecimal is the number of which these are the bytes, the highest first.
func bigDecimal(digits []byte) *big.Int {
	n := new(big.Int).SetBytes(digits)
	if len(digits) > 0 && digits[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(digits))))
	}
	return n
}

// values gives where each value among the bytes ends.
func (g *gathered) values(kind parquet.Kind, width int) func(yield func(end int) bool) {
	return func(yield func(end int) bool) {
		if kind == parquet.ByteArray {
			for _, end := range g.offsets[1:] {
				if !yield(int(end)) {
					return
				}
			}
			return
		}
		for end := width; width > 0 && end <= len(g.data); end += width {
			if !yield(end) {
				return
			}
		}
	}
}

func decimalOf(digits []byte) (decimal128.Num, error) {
	if len(digits) <= 16 {
		var word [16]byte
		if len(digits) > 0 && digits[0]&0x80 != 0 {
			for i := range word {
				word[i] = 0xff
			}
		}
		copy(word[16-len(digits):], digits)
		return decimal128.New(int64(binary.BigEndian.Uint64(word[:])), binary.BigEndian.Uint64(word[8:])), nil
	}
	n := bigDecimal(digits)
	if n.BitLen() > 127 {
		return decimal128.Num{}, fmt.Errorf("a decimal of %d bits cannot be stored", n.BitLen())
	}
	return decimal128.FromBigInt(n), nil
}

// intervalLeaf reads the three numbers of INTERVAL: months, days and milliseconds.
func intervalLeaf(kind parquet.Kind, width int) (leafType, error) {
	if kind != parquet.FixedLenByteArray || width != 12 {
		return leafType{}, errPhysical
	}
	t := arrow.FixedWidthTypes.MonthDayNanoInterval
	return leafType{arrow: t, make: func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		out := make([]arrow.MonthDayNanoInterval, 0, n)
		for raw := g.data; len(raw) >= width; raw = raw[width:] {
			if raw[3]|raw[7] >= 0x80 {
				return nil, errors.New("an interval of more months or days than can be stored")
			}
			out = append(out, arrow.MonthDayNanoInterval{
				Months: int32(binary.LittleEndian.Uint32(raw)), Days: int32(binary.LittleEndian.Uint32(raw[4:])),
				Nanoseconds: int64(binary.LittleEndian.Uint32(raw[8:])) * 1e6,
			})
		}
		return event.NewFixed(t, spread(out, n, valid), valid), nil
	}}, nil
}

// physicalLeaf is for leaves without a logical type, or with one that says nothing more.
func physicalLeaf(name string, kind parquet.Kind, width int) (leafType, error) {
	switch kind {
	case parquet.Boolean:
		return leafType{arrow: arrow.FixedWidthTypes.Boolean, make: makeBooleans}, nil
	case parquet.Int32:
		return numberLeaf(arrow.PrimitiveTypes.Int32, kind, kind)
	case parquet.Int64:
		return numberLeaf(arrow.PrimitiveTypes.Int64, kind, kind)
	case parquet.Int96:
		return leafType{arrow: &arrow.TimestampType{Unit: arrow.Nanosecond}, make: makeInt96}, nil
	case parquet.Float:
		return numberLeaf(arrow.PrimitiveTypes.Float32, kind, kind)
	case parquet.Double:
		return numberLeaf(arrow.PrimitiveTypes.Float64, kind, kind)
	case parquet.ByteArray:
		return leafType{arrow: arrow.BinaryTypes.Binary, make: makeBinaries}, nil
	case parquet.FixedLenByteArray:
		return fixedLeaf(&arrow.FixedSizeBinaryType{ByteWidth: width}, "", kind, width)
	default:
		return leafType{}, fmt.Errorf("column %q: values of type %s cannot be stored", name, kind)
	}
}

// makeInt96 reads the old form of timestamps: nanoseconds of the day, and the Julian day. A time that nanoseconds cannot tell, which writers use
// for none, is NULL.
func makeInt96(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
	const epoch, dayNanos, width = 2_440_588, 86_400_000_000_000, 12
	out := make([]int64, n)
	kept := event.NewBitmap(n)
	raw := g.data
	for i := range out {
		if !valid.Valid(i) {
			continue
		}
		nanos, days := int64(binary.LittleEndian.Uint64(raw)), int64(binary.LittleEndian.Uint32(raw[8:]))-epoch
		raw = raw[width:]
		if days <= 106_000 && days >= -106_000 && nanos >= 0 && nanos <= dayNanos {
			out[i] = days*dayNanos + nanos
			kept.Set(i)
		}
	}
	return event.NewFixed(&arrow.TimestampType{Unit: arrow.Nanosecond}, out, kept), nil
}
