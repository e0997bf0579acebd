package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Decode turns a dictionary column into plain text; any other array is returned as it is.
func Decode(values arrow.Array) arrow.Array {
	d, ok := values.(*array.Dictionary)
	if !ok {
		return values
	}
	if d.Dictionary().Len() == 0 {
		return event.NewStrings(make([]int32, d.Len()+1), nil, event.NewBitmap(d.Len()))
	}
	return gather(d.Dictionary(), codesOf(d), validityOf(d))
}

// repeatText makes rows copies of a text value as a dictionary of one.
func repeatText(value arrow.Array, rows int) arrow.Array {
	if isNull(value) {
		return event.NewDictionary(make([]int32, rows), noText, event.NewBitmap(rows))
	}
	return event.NewDictionary(make([]int32, rows), Decode(value), nil)
}

// noText is a dictionary's values where all rows are NULL.
var noText = event.NewStrings([]int32{0}, nil, nil)

// withoutNulls drops the validity of text that is to serve as a dictionary's values. What stands in place of a NULL no code refers to.
func withoutNulls(values *array.String) arrow.Array {
	if values.NullN() == 0 {
		return values
	}
	var data []byte
	if b := values.Data().Buffers()[2]; b != nil {
		data = b.Bytes()
	}
	return event.NewStrings(values.ValueOffsets(), data, nil)
}
