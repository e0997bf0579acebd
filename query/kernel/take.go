package kernel

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// Take gathers values[rows[0]], values[rows[1]] and so on. A dictionary stays one and shares its values.
func Take(values arrow.Array, rows []int32) arrow.Array {
	return gather(values, rows, nil)
}

// TakeValid is Take with NULL in place of rows that valid does not mark; those need only lie inside values.
func TakeValid(values arrow.Array, rows []int32, valid event.Bitmap) arrow.Array {
	return gather(values, rows, valid)
}

// gather is Take with more NULLs: row i of the result is NULL also where keep says so, and rows[i] is then not looked at
// beyond having to lie inside values.
func gather(values arrow.Array, rows []int32, keep event.Bitmap) arrow.Array {
	valid := gatherValidity(values, rows, keep)
	switch a := values.(type) {
	case *array.Boolean:
		return event.NewBooleans(gatherBits(a, rows), len(rows), valid)
	case *array.Int64, *array.Timestamp, *array.Time64:
		return gatherFixed[int64](values, rows, valid)
	case *array.Float64:
		return gatherFixed[float64](values, rows, valid)
	case *array.MonthDayNanoInterval:
		return gatherFixed[arrow.MonthDayNanoInterval](values, rows, valid)
	case *array.Int16:
		return gatherFixed[int16](values, rows, valid)
	case *array.Int32, *array.Date32:
		return gatherFixed[int32](values, rows, valid)
	case *array.Float32:
		return gatherFixed[float32](values, rows, valid)
	case *array.Decimal128, *array.FixedSizeBinary:
		return gatherFixed[decimal128.Num](values, rows, valid)
	case *array.Binary:
		return gatherBinaries(a, rows, valid)
	case *array.String:
		return gatherStrings(a, rows, valid)
	case *array.Dictionary:
		codes := gatherSlice(codesOf(a), rows)
		return event.NewDictionary(codes, a.Dictionary(), valid)
	case *array.List:
		return gatherLists(a, rows, valid)
	case *array.Null:
		return array.NewNull(len(rows))
	default:
		panic(fmt.Sprintf("kernel: no values of Arrow type %s", values.DataType()))
	}
}

func gatherFixed[T arrow.FixedWidthType](values arrow.Array, rows []int32, valid event.Bitmap) arrow.Array {
	return event.NewFixed(values.DataType(), gatherSlice(arrow.GetValues[T](values.Data(), 1), rows), valid)
}

func gatherSlice[T any](values []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

// gatherValidity is the validity of gathered values; nil where nothing is NULL.
func gatherValidity(values arrow.Array, rows []int32, keep event.Bitmap) event.Bitmap {
	if values.NullN() == 0 || values.DataType().ID() == arrow.NULL {
		return keep
	}
	bits, offset := values.NullBitmapBytes(), values.Data().Offset()
	out := event.NewBitmap(len(rows))
	for i, row := range rows {
		if keep.Valid(i) && bitutil.BitIsSet(bits, offset+int(row)) {
			out.Set(i)
		}
	}
	return out
}

// gatherBits writes eight rows at a time, so that no bit is read back.
func gatherBits(values *array.Boolean, rows []int32) event.Bitmap {
	out := event.NewBitmap(len(rows))
	if len(rows) == 0 {
		return out
	}
	bits, offset := values.Data().Buffers()[1].Bytes(), values.Data().Offset()
	if values.Len() <= len(rows)/2 {
		gatherRepeated(out, unpackBits(bits, offset, values.Len()), rows)
		return out
	}
	for i := range out {
		var packed byte
		for j, row := range rows[i*8 : min(i*8+8, len(rows))] {
			at := uint(offset) + uint(row)
			packed |= (bits[at>>3] >> (at & 7) & 1) << j
		}
		out[i] = packed
	}
	return out
}

// gatherBinaries copies bytes. Unlike text they have no form that holds more than one array can; only an argument repeated over a
// batch could be as long, and such rows are far above what a stream takes.
func gatherBinaries(values *array.Binary, rows []int32, valid event.Bitmap) arrow.Array {
	out := gatherStrings(event.AsText(values), rows, valid)
	if text, ok := out.(*array.String); ok {
		return event.AsBinary(text)
	}
	panic("kernel: more than 2 GiB of BYTEA in one batch")
}

// unpackBits spreads n bits over a byte each.
func unpackBits(bits []byte, offset, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		at := uint(offset) + uint(i)
		out[i] = bits[at>>3] >> (at & 7) & 1
	}
	return out
}

// gatherRepeated is gatherBits over values of a byte each, for few values and many rows.
func gatherRepeated(out event.Bitmap, values []byte, rows []int32) {
	whole := len(rows) / 8
	for i := range whole {
		r := (*[8]int32)(rows[i*8:])
		out[i] = values[r[0]] | values[r[1]]<<1 | values[r[2]]<<2 | values[r[3]]<<3 |
			values[r[4]]<<4 | values[r[5]]<<5 | values[r[6]]<<6 | values[r[7]]<<7
	}
	for j, row := range rows[whole*8:] {
		out[whole] |= values[row] << j
	}
}

// gatherStrings copies text. Values repeated beyond what one array can hold become a dictionary, which copies nothing.
func gatherStrings(values *array.String, rows []int32, valid event.Bitmap) arrow.Array {
	offsets := make([]int32, 1, len(rows)+1)
	from := values.ValueOffsets()
	total := 0
	for i, row := range rows {
		if valid.Valid(i) {
			total += int(from[row+1] - from[row])
		}
		offsets = append(offsets, int32(total))
	}
	if total > maxTextBytes {
		return event.NewDictionary(zeroInvalid(rows, valid), withoutNulls(values), valid)
	}
	data := make([]byte, 0, total)
	for i, row := range rows {
		if valid.Valid(i) {
			data = append(data, values.Value(int(row))...)
		}
	}
	return event.NewStrings(offsets, data, valid)
}

// gatherLists copies the elements of the rows that are wanted.
func gatherLists(values *array.List, rows []int32, valid event.Bitmap) arrow.Array {
	offsets := make([]int32, 1, len(rows)+1)
	var picks []int32
	for i, row := range rows {
		if valid.Valid(i) {
			start, end := values.ValueOffsets(int(row))
			for at := start; at < end; at++ {
				picks = append(picks, int32(at))
			}
		}
		offsets = append(offsets, int32(len(picks)))
	}
	return event.NewLists(offsets, Decode(Take(values.ListValues(), picks)), valid)
}
