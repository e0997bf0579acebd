package event

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// joinArrays joins arrays of one type, which have so many rows together, into one with memory of its own. It is array.Concatenate, which needs about as long
// for an array of one row as for one of a thousand, where single rows are joined they are most of what there is to do.
func joinArrays(parts []arrow.Array, rows int) (arrow.Array, error) {
	switch parts[0].(type) {
	case *array.Int64, *array.Timestamp:
		return joinFixed[int64](parts, rows), nil
	case *array.Float64:
		return joinFixed[float64](parts, rows), nil
	case *array.String:
		if texts, ok := joinTexts(parts, rows); ok {
			return texts, nil
		}
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}

func joinFixed[T int64 | float64](parts []arrow.Array, rows int) arrow.Array {
	values := make([]T, 0, rows)
	for _, part := range parts {
		values = append(values, arrow.GetValues[T](part.Data(), 1)...)
	}
	return NewFixed(parts[0].DataType(), values, joinValid(parts, rows))
}

// joinTexts joins columns of text; ok is false if they are more than one can have.
func joinTexts(parts []arrow.Array, rows int) (joined arrow.Array, ok bool) {
	bytes := 0
	for _, part := range parts {
		bytes += len(part.(*array.String).ValueBytes())
	}
	if bytes > math.MaxInt32 {
		return nil, false
	}
	offsets, data := make([]int32, 1, rows+1), make([]byte, 0, bytes)
	for _, part := range parts {
		texts := part.(*array.String)
		if texts.Len() == 0 {
			continue
		}
		from := texts.ValueOffsets()
		for _, end := range from[1:] {
			offsets = append(offsets, int32(len(data))+end-from[0])
		}
		data = append(data, texts.ValueBytes()...)
	}
	return NewStrings(offsets, data, joinValid(parts, rows)), true
}

// joinValid is which rows of parts are valid; nil where all are.
func joinValid(parts []arrow.Array, rows int) (valid Bitmap) {
	at := 0
	for _, part := range parts {
		if part.NullN() > 0 && valid == nil {
			valid = NewBitmap(rows)
			for i := range at {
				valid.Set(i)
			}
		}
		for i := 0; valid != nil && i < part.Len(); i++ {
			if part.IsValid(i) {
				valid.Set(at + i)
			}
		}
		at += part.Len()
	}
	return valid
}
