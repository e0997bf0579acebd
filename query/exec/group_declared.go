package exec

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// newDeclaredKeys is the key column of a type that columns have only by declaration.
func newDeclaredKeys(t event.Type) keyColumn {
	switch t.Kind {
	case event.SmallInt:
		return newIntKeys(narrowKeys[int16], restoreNarrow[int16](t))
	case event.Integer, event.Date:
		return newIntKeys(narrowKeys[int32], restoreNarrow[int32](t))
	case event.Real:
		return newIntKeys(realKeys, restoreReals)
	case event.Bytea:
		return &binaryKeys{newTextKeys()}
	default:
		return &wordKeys{typ: t, table: newTextTable()}
	}
}

func narrowKeys[T int16 | int32](values arrow.Array, scratch []int64) []int64 {
	for i, v := range arrow.GetValues[T](values.Data(), 1) {
		scratch[i] = int64(v)
	}
	return scratch
}

func restoreNarrow[T int16 | int32](t event.Type) func([]int64, event.Bitmap) arrow.Array {
	return func(keys []int64, valid event.Bitmap) arrow.Array {
		out := make([]T, len(keys))
		for i, key := range keys {
			out[i] = T(key)
		}
		return event.NewFixed(t.Arrow(), out, valid)
	}
}

// realKeys makes all NaN one value, and the two zeros.
func realKeys(values arrow.Array, scratch []int64) []int64 {
	for i, v := range arrow.GetValues[float32](values.Data(), 1) {
		switch {
		case v != v:
			v = float32(math.NaN())
		case v == 0:
			v = 0
		}
		scratch[i] = int64(math.Float32bits(v))
	}
	return scratch
}

func restoreReals(keys []int64, valid event.Bitmap) arrow.Array {
	out := make([]float32, len(keys))
	for i, key := range keys {
		out[i] = math.Float32frombits(uint32(key))
	}
	return event.NewFixed(arrow.PrimitiveTypes.Float32, out, valid)
}

// wordKeys is the key column of NUMERIC and UUID: their 16 bytes are equal where the values are, since a column has one scale.
type wordKeys struct {
	typ   event.Type
	table *textTable
	words []decimal128.Num // by number
	null  nullCode
}

func (k *wordKeys) encode(values arrow.Array, codes []uint32) {
	for i, v := range event.Words(values) {
		if values.IsNull(i) {
			codes[i] = k.null.take(len(k.words))
			continue
		}
		word := event.UUIDBytes(v)
		number := k.table.insert(string(word[:]))
		if int(number) == len(k.words) {
			k.words = append(k.words, v)
		}
		codes[i] = k.null.code(number)
	}
}

func (k *wordKeys) count() int { return k.null.count(len(k.words)) }

func (k *wordKeys) decode(codes []uint32) (arrow.Array, error) {
	numbers, valid := k.null.numbers(codes)
	out := make([]decimal128.Num, len(codes))
	for i, number := range numbers {
		if valid.Valid(i) {
			out[i] = k.words[number]
		}
	}
	return event.NewFixed(k.typ.Arrow(), out, valid), nil
}

func (k *wordKeys) bytes() int64 { return k.table.bytes() + int64(16*cap(k.words)) }

// binaryKeys is the key column of BYTEA: text in another wrapping.
type binaryKeys struct{ text *textKeys }

func (k *binaryKeys) encode(values arrow.Array, codes []uint32) {
	k.text.encode(event.AsText(values.(*array.Binary)), codes)
}

func (k *binaryKeys) count() int   { return k.text.count() }
func (k *binaryKeys) bytes() int64 { return k.text.bytes() }

// decode copies the bytes of each code, because BYTEA has no dictionary form.
func (k *binaryKeys) decode(codes []uint32) (arrow.Array, error) {
	numbers, valid := k.text.null.numbers(codes)
	offsets := make([]int32, 1, len(codes)+1)
	var data []byte
	for i, number := range numbers {
		if valid.Valid(i) {
			data = append(data, k.text.table.at(uint32(number))...)
		}
		if len(data) > math.MaxInt32 {
			return nil, event.Errorf(event.CodeTooLarge, "the values of one GROUP BY column exceed 2 GiB")
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewBinaries(offsets, data, valid), nil
}

// declaredPrefix is prefixOf for the types that columns have only by declaration.
func declaredPrefix(column arrow.Array, t event.Type) (prefix func(row int) uint64, whole bool) {
	const sign = 1 << 63
	switch t.Kind {
	case event.SmallInt:
		values := arrow.GetValues[int16](column.Data(), 1)
		return func(row int) uint64 { return uint64(values[row]) ^ sign }, true
	case event.Integer, event.Date:
		values := arrow.GetValues[int32](column.Data(), 1)
		return func(row int) uint64 { return uint64(values[row]) ^ sign }, true
	case event.Real:
		values := arrow.GetValues[float32](column.Data(), 1)
		return func(row int) uint64 { return orderedReal(values[row]) }, true
	case event.Numeric: // the upper half: the lower one decides between values that are alike in it
		values := event.Words(column)
		return func(row int) uint64 { return uint64(values[row].HighBits()) ^ sign }, false
	case event.UUID:
		values := column.(*array.FixedSizeBinary)
		return func(row int) uint64 { return binary.BigEndian.Uint64(values.Value(row)) }, false
	case event.Bytea:
		values := event.AsText(column.(*array.Binary))
		return func(row int) uint64 { return textPrefix(values.Value(row)) }, false
	default:
		return func(int) uint64 { return 0 }, false
	}
}

// orderedReal is a REAL as an integer of the same order.
func orderedReal(v float32) uint64 {
	const sign = 1 << 63
	return uint64(kernel.OrderedBits(float64(v))) ^ sign
}
