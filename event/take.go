package event

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Take gathers rows of a column, in the order given and as often as given. Dictionary columns keep their dictionary.
func Take(values arrow.Array, rows []int32) arrow.Array {
	valid := takeValidity(values, rows)
	switch a := values.(type) {
	case *array.Boolean:
		return takeBooleans(a, rows, valid)
	case *array.Int64:
		return NewInt64s(takeFixed(a.Int64Values(), rows), valid)
	case *array.Float64:
		return NewFloat64s(takeFixed(a.Float64Values(), rows), valid)
	case *array.Timestamp:
		return NewFixed(Timestamp, takeFixed(a.TimestampValues(), rows), valid)
	case *array.Time64:
		return NewFixed(a.DataType(), takeFixed(a.Time64Values(), rows), valid)
	case *array.MonthDayNanoInterval:
		return NewFixed(a.DataType(), takeFixed(a.MonthDayNanoIntervalValues(), rows), valid)
	case *array.Int16:
		return NewFixed(a.DataType(), takeFixed(a.Int16Values(), rows), valid)
	case *array.Int32:
		return NewFixed(a.DataType(), takeFixed(a.Int32Values(), rows), valid)
	case *array.Date32:
		return NewFixed(a.DataType(), takeFixed(a.Date32Values(), rows), valid)
	case *array.Float32:
		return NewFixed(a.DataType(), takeFixed(a.Float32Values(), rows), valid)
	case *array.Decimal128, *array.FixedSizeBinary:
		return NewFixed(a.DataType(), takeFixed(Words(a), rows), valid)
	case *array.Binary:
		return AsBinary(takeStrings(AsText(a), rows, valid).(*array.String))
	case *array.Dictionary:
		return NewDictionary(takeFixed(a.Indices().(*array.Int32).Int32Values(), rows), a.Dictionary(), valid)
	case *array.String:
		return takeStrings(a, rows, valid)
	case *array.Null:
		return array.NewNull(len(rows))
	default:
		panic("event.Take: " + values.DataType().String() + " is not a column type")
	}
}

func takeValidity(values arrow.Array, rows []int32) Bitmap {
	if values.NullN() == 0 {
		return nil
	}
	out := NewBitmap(len(rows))
	for i, row := range rows {
		if values.IsValid(int(row)) {
			out.Set(i)
		}
	}
	return out
}

func takeFixed[T any](values []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

func takeBooleans(values *array.Boolean, rows []int32, valid Bitmap) arrow.Array {
	out := NewBitmap(len(rows))
	for i, row := range rows {
		if values.Value(int(row)) {
			out.Set(i)
		}
	}
	return NewBooleans(out, len(rows), valid)
}

func takeStrings(values *array.String, rows []int32, valid Bitmap) arrow.Array {
	offsets := make([]int32, len(rows)+1)
	total := 0
	for i, row := range rows {
		total += values.ValueLen(int(row))
		offsets[i+1] = int32(total)
	}
	data := make([]byte, 0, total)
	for _, row := range rows {
		data = append(data, values.Value(int(row))...)
	}
	return NewStrings(offsets, data, valid)
}
