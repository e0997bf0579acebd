package views

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
)

// rows are some rows by column. They never change.
type rows struct {
	columns []arrow.Array
	count   int
}

// hasher tells rows apart by 128 bits of their values. Its seed is drawn at every start, so that nobody can make rows that meet.
type hasher struct {
	seed   uint64
	buffer []byte
}

func (h *hasher) hash(columns []arrow.Array, row int) xxh3.Uint128 {
	h.buffer = h.buffer[:0]
	for _, c := range columns {
		h.buffer = appendValue(h.buffer, c, row)
	}
	return xxh3.Hash128Seed(h.buffer, h.seed)
}

// appendValue writes a value so that two are equal exactly where their bytes are, and no value is the beginning of another.
func appendValue(dst []byte, values arrow.Array, row int) []byte {
	if values.IsNull(row) {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	switch a := values.(type) {
	case *array.Boolean:
		if a.Value(row) {
			return append(dst, 1)
		}
		return append(dst, 0)
	case *array.Int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(row)))
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(row)))
	case *array.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(a.Value(row)))
	case *array.Float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(a.Value(row)))
	case *array.Int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(a.Value(row)))
	case *array.Date32:
		return binary.LittleEndian.AppendUint32(dst, uint32(a.Value(row)))
	case *array.Int16:
		return binary.LittleEndian.AppendUint16(dst, uint16(a.Value(row)))
	case *array.Decimal128:
		v := a.Value(row)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.LowBits()), uint64(v.HighBits()))
	case *array.FixedSizeBinary:
		return append(dst, a.Value(row)...)
	case *array.Binary:
		return appendSized(dst, string(a.Value(row)))
	case *array.String, *array.Dictionary:
		return appendSized(dst, event.StringAt(values, row))
	default:
		panic("views: " + values.DataType().String() + " is not a type that a view stores")
	}
}

func appendSized(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// plain writes dictionary columns out, so that a column has one form wherever it is stored.
func plain(values arrow.Array) arrow.Array {
	d, ok := values.(*array.Dictionary)
	if !ok {
		return values
	}
	offsets, data := make([]int32, 1, d.Len()+1), []byte(nil)
	for i := range d.Len() {
		if d.IsValid(i) {
			data = append(data, event.StringAt(d, i)...)
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, event.ValidityOf(d))
}

// take gathers some of the rows.
func (r rows) take(places []int32) rows {
	out := rows{columns: make([]arrow.Array, len(r.columns)), count: len(places)}
	for i, c := range r.columns {
		out.columns[i] = event.Take(c, places)
	}
	return out
}

// bytes is about the memory that the rows take.
func (r rows) bytes() int64 {
	total := int64(0)
	for _, c := range r.columns {
		total += event.ArrayBytes(c)
	}
	return total
}
