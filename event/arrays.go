package event

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Bitmap marks which rows of a column are valid (not NULL): bit i of byte i/8, least significant first, as Arrow has it.
// A nil Bitmap means that all are.
type Bitmap []byte

// NewBitmap makes a Bitmap for n rows, all NULL.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+7)/8) }

// Set marks row i as valid.
func (b Bitmap) Set(i int) { b[i>>3] |= 1 << (i & 7) }

// Clear marks row i as NULL.
func (b Bitmap) Clear(i int) { b[i>>3] &^= 1 << (i & 7) }

// Valid reports whether row i is not NULL.
func (b Bitmap) Valid(i int) bool { return b == nil || b[i>>3]&(1<<(i&7)) != 0 }

// Nulls counts the NULLs among the first n rows.
func (b Bitmap) Nulls(n int) int {
	if b == nil {
		return 0
	}
	valid := 0
	for i := 0; i < n>>3; i++ {
		valid += bits.OnesCount8(b[i])
	}
	if rest := n & 7; rest != 0 {
		valid += bits.OnesCount8(b[n>>3] & (1<<rest - 1))
	}
	return n - valid
}

// NewFixed wraps values as an Arrow array of a fixed-width type without copying. The caller must not change values or valid
// afterwards. T must be the type's in-memory form: int16, int32 and int64 for the integers, float32 and float64 for REAL and DOUBLE
// PRECISION, decimal128.Num for NUMERIC and UUID, int32 for DATE, int64 or arrow.Timestamp for TIMESTAMPTZ,
// arrow.MonthDayNanoInterval for INTERVAL, int32 for dictionary codes.
func NewFixed[T arrow.FixedWidthType](dt arrow.DataType, values []T, valid Bitmap) arrow.Array {
	return wrapValues(dt, len(values), valid, arrow.GetBytes(values))
}

// NewInt64s wraps values as BIGINT.
func NewInt64s(values []int64, valid Bitmap) arrow.Array {
	return NewFixed(arrow.PrimitiveTypes.Int64, values, valid)
}

// NewFloat64s wraps values as DOUBLE PRECISION.
func NewFloat64s(values []float64, valid Bitmap) arrow.Array {
	return NewFixed(arrow.PrimitiveTypes.Float64, values, valid)
}

// NewTimestamps wraps microseconds since 1970 as TIMESTAMPTZ.
func NewTimestamps(micros []int64, valid Bitmap) arrow.Array {
	return wrapValues(Timestamp, len(micros), valid, arrow.GetBytes(micros))
}

// NewBooleans wraps a bitmap of n values, 1 for true, as BOOLEAN.
func NewBooleans(values Bitmap, n int, valid Bitmap) arrow.Array {
	return wrapValues(arrow.FixedWidthTypes.Boolean, n, valid, values)
}

// NewStrings wraps text as TEXT or JSONB: value i is data[offsets[i]:offsets[i+1]], so there is one more offset than values.
func NewStrings(offsets []int32, data []byte, valid Bitmap) arrow.Array {
	w := &textWrapping{}
	w.offsets.Reset(arrow.GetBytes(offsets))
	w.text.Reset(data)
	w.buffers = [...]*memory.Buffer{nil, &w.offsets, &w.text}
	return wrap(&w.data, arrow.BinaryTypes.String, len(offsets)-1, valid, w.buffers[:])
}

// TextLayout is the memory of a text column: value i is data[offsets[i]:offsets[i+1]]. Neither may be changed.
func TextLayout(values *array.String) (offsets []int32, data []byte) {
	if values.Len() == 0 {
		return []int32{0}, nil
	}
	if buffer := values.Data().Buffers()[2]; buffer != nil {
		data = buffer.Bytes()
	}
	return values.ValueOffsets(), data
}

// DictionaryType is the Arrow type of dictionary-encoded TEXT and JSONB columns.
var DictionaryType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// NewDictionary wraps codes into a string array as a dictionary column. values has no NULLs and may hold a value twice;
// codes of NULL rows are 0 and are not looked at.
func NewDictionary(codes []int32, values arrow.Array, valid Bitmap) arrow.Array {
	return array.NewDictionaryArray(DictionaryType, NewFixed(arrow.PrimitiveTypes.Int32, codes, valid), values)
}

// Nulls makes columns of so many NULLs. Those of one type are one array, so that the thousands of columns that most rows of a wide stream lack take no
// more than one. It is used by one goroutine at a time.
type Nulls struct {
	Rows int

	made []nullColumn // of few types
}

type nullColumn struct {
	of     Type
	values arrow.Array
}

// Of gives a column of a type.
func (n *Nulls) Of(t Type) arrow.Array {
	for i := range n.made {
		if n.made[i].of.Equal(t) {
			return n.made[i].values
		}
	}
	values := NewNulls(t, n.Rows)
	n.made = append(n.made, nullColumn{t, values})
	return values
}

// NewNulls makes n NULLs of a type.
func NewNulls(t Type, n int) arrow.Array {
	return array.MakeArrayOfNull(memory.DefaultAllocator, t.Arrow(), n)
}

// valueWrapping and textWrapping are what an array has around the memory of its values, in one piece: requests of one row make little else.
type (
	valueWrapping struct {
		data    array.Data
		buffers [2]*memory.Buffer
		values  memory.Buffer
	}
	textWrapping struct {
		data          array.Data
		buffers       [3]*memory.Buffer
		offsets, text memory.Buffer
	}
)

// wrapValues builds an array of a type with one buffer of values.
func wrapValues(dt arrow.DataType, n int, valid Bitmap, values []byte) arrow.Array {
	w := &valueWrapping{}
	w.values.Reset(values)
	w.buffers = [...]*memory.Buffer{nil, &w.values}
	return wrap(&w.data, dt, n, valid, w.buffers[:])
}

// wrap builds an array of data that is zero, over a validity bitmap, which gets the first of the buffers, and those of the type.
func wrap(data *array.Data, dt arrow.DataType, n int, valid Bitmap, buffers []*memory.Buffer) arrow.Array {
	nulls := valid.Nulls(n)
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	data.Reset(dt, n, buffers, nil, nulls, 0)
	data.Retain() // as NewData has it
	return array.MakeFromData(data)
}
