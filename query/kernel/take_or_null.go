package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// TakeOrNull is Take with NULL wherever a row is negative.
func TakeOrNull(values arrow.Array, rows []int32) arrow.Array {
	missing := 0
	for _, row := range rows {
		if row < 0 {
			missing++
		}
	}
	switch {
	case missing == 0:
		return Take(values, rows)
	case values.Len() == 0:
		return Take(oneNull(values), make([]int32, len(rows)))
	}
	keep, inside := event.NewBitmap(len(rows)), make([]int32, len(rows))
	for i, row := range rows {
		if row >= 0 {
			keep.Set(i)
			inside[i] = row
		}
	}
	return gather(values, inside, keep)
}

// oneNull is a NULL of the type of values, of which there are none to point at.
func oneNull(values arrow.Array) arrow.Array {
	if isText(values) {
		return event.NewStrings([]int32{0, 0}, nil, event.NewBitmap(1))
	}
	return array.MakeArrayOfNull(memory.DefaultAllocator, values.DataType(), 1)
}
