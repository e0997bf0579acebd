package event

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Words are the values of a NUMERIC or UUID column as 16-byte words.
func Words(values arrow.Array) []decimal128.Num {
	return arrow.GetValues[decimal128.Num](values.Data(), 1)
}

// NewUUIDs wraps words as UUID.
func NewUUIDs(words []decimal128.Num, valid Bitmap) arrow.Array {
	return NewFixed(UUIDType, words, valid)
}

// NewBinaries wraps bytes as BYTEA, laid out as NewStrings has it.
func NewBinaries(offsets []int32, data []byte, valid Bitmap) arrow.Array {
	return AsBinary(NewStrings(offsets, data, valid).(*array.String))
}

// AsText shows a BYTEA column as if it were text, sharing its memory: code that looks at bytes alone then serves both.
func AsText(values *array.Binary) *array.String {
	return array.NewStringData(withType(values.Data(), arrow.BinaryTypes.String))
}

// AsBinary undoes AsText.
func AsBinary(values *array.String) *array.Binary {
	return array.NewBinaryData(withType(values.Data(), arrow.BinaryTypes.Binary))
}

func withType(data arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	return array.NewData(t, data.Len(), data.Buffers(), nil, data.NullN(), data.Offset())
}
