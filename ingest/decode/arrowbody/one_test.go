package arrowbody

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
)

// BenchmarkOneRow reads a body of one row of plain columns, where what is done for each body weighs most.
func BenchmarkOneRow(b *testing.B) {
	var fields []arrow.Field
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: name + name, Type: arrow.BinaryTypes.String})
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for i, field := range builder.Fields() {
		if i%2 == 0 {
			field.(*array.Int64Builder).Append(int64(i))
		} else {
			field.(*array.StringBuilder).Append("some text")
		}
	}
	body := streamOf(b, builder.NewRecordBatch())
	for b.Loop() {
		reader, err := NewReader(bytes.NewReader(body), nil)
		require.NoError(b, err)
		_, err = reader.Next()
		require.NoError(b, err)
	}
}
