package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// encoder turns the rows of one page into bytes; NULLs are left out. It is chosen once for a column of a row group.
type encoder interface {
	encoding() format.Encoding
	// encode renders a page. first is the page's first row in the row group. The result is valid until the next call.
	encode(rows arrow.Array, first int) ([]byte, error)
}

// newEncoder chooses by type, and for numbers and text by what the values look like.
func newEncoder(t event.Type, values arrow.Array) encoder {
	switch t.Kind {
	case event.Boolean:
		return &booleanEncoder{}
	case event.BigInt, event.TimestampTZ, event.Double:
		return newWordEncoder(t, values)
	case event.SmallInt, event.Integer, event.Date, event.Real, event.Numeric, event.UUID, event.Bytea:
		return newDeclaredEncoder(values)
	default:
		if d := newDictionaryEncoder(values); d != nil {
			return d
		}
		return &lengthsEncoder{}
	}
}

// int64s is a column of 8-byte values as whole numbers; doubles as their bits.
func int64s(values arrow.Array) []int64 {
	switch a := values.(type) {
	case *array.Int64:
		return a.Int64Values()
	case *array.Timestamp:
		return arrow.GetData[int64](arrow.GetBytes(a.TimestampValues()))
	case *array.Float64:
		return arrow.GetData[int64](arrow.GetBytes(a.Float64Values()))
	default:
		panic(fmt.Sprintf("parquet: %s is not a column of 8-byte values", values.DataType()))
	}
}

// newWordEncoder takes differences where they are short enough to be worth their slower decoding: about 40 bits, where they take less
// space and memory bandwidth than LZ4 over plain values.
func newWordEncoder(t event.Type, values arrow.Array) encoder {
	const maxBits = 40
	if t.Kind != event.Double && deltaBits(int64s(values)) <= maxBits {
		return &deltaEncoder{}
	}
	return &plainEncoder{}
}

// deltaBits guesses from a sample how many bits a difference takes.
func deltaBits(values []int64) int {
	const samples = 8192
	step := max(1, (len(values)-1)/samples)
	total, n := 0, 0
	for i := 1; i < len(values); i += step {
		d := values[i] - values[i-1]
		total += bits.Len64(uint64(d ^ d>>63))
		n++
	}
	return (total + n - 1) / max(1, n)
}

// compactor takes out NULLs. Its memory is its own: the values of an array are never written to.
type compactor struct {
	scratch []int64
}

// dense gives the values that are not NULL; valid until the next call.
func (c *compactor) dense(rows arrow.Array) []int64 {
	values := int64s(rows)
	if rows.NullN() == 0 {
		return values
	}
	c.scratch = c.scratch[:0]
	for i, v := range values {
		if rows.IsValid(i) {
			c.scratch = append(c.scratch, v)
		}
	}
	return c.scratch
}

// deltaEncoder is DELTA_BINARY_PACKED: times, offsets, counters.
type deltaEncoder struct {
	compactor
	codec delta.BinaryPackedEncoding
	out   []byte
}

func (*deltaEncoder) encoding() format.Encoding { return format.DeltaBinaryPacked }

func (e *deltaEncoder) encode(rows arrow.Array, _ int) (_ []byte, err error) {
	e.out, err = e.codec.EncodeInt64(e.out, e.dense(rows))
	return e.out, err
}

// plainEncoder is PLAIN for values of 8 bytes.
type plainEncoder struct {
	compactor
}

func (*plainEncoder) encoding() format.Encoding { return format.Plain }

func (e *plainEncoder) encode(rows arrow.Array, _ int) ([]byte, error) {
	return arrow.GetBytes(e.dense(rows)), nil
}

// booleanEncoder is PLAIN for booleans: a bit each.
type booleanEncoder struct{}

func (*booleanEncoder) encoding() format.Encoding { return format.Plain }

func (*booleanEncoder) encode(rows arrow.Array, _ int) ([]byte, error) {
	values := rows.(*array.Boolean)
	if at := values.Data().Offset(); rows.NullN() == 0 && at&7 == 0 {
		out := event.NewBitmap(rows.Len())
		copyBits(out, 0, values.Data().Buffers()[1].Bytes()[at>>3:][:len(out)], rows.Len())
		return out, nil
	}
	out := event.NewBitmap(rows.Len() - rows.NullN())
	n := 0
	for i := range rows.Len() {
		if rows.IsNull(i) {
			continue
		}
		if values.Value(i) {
			out.Set(n)
		}
		n++
	}
	return out, nil
}

// textEncoder is PLAIN for text: the length in 4 bytes, then the text.
type textEncoder struct {
	out []byte
}

func (*textEncoder) encoding() format.Encoding { return format.Plain }

func (e *textEncoder) encode(rows arrow.Array, _ int) ([]byte, error) {
	e.out = e.out[:0]
	text, ok := rows.(*array.String)
	if !ok {
		for i := range rows.Len() {
			if rows.IsValid(i) {
				e.out = appendText(e.out, event.StringAt(rows, i))
			}
		}
		return e.out, nil
	}
	offsets, data := event.TextLayout(text)
	e.out = slices.Grow(e.out, len(text.ValueBytes())+4*text.Len())
	valid := event.ValidityOf(text)
	for i := range text.Len() {
		if valid.Valid(i) {
			value := data[offsets[i]:offsets[i+1]]
			e.out = append(binary.LittleEndian.AppendUint32(e.out, uint32(len(value))), value...)
		}
	}
	return e.out, nil
}

// lengthsEncoder is DELTA_LENGTH_BYTE_ARRAY: the lengths as differences, then all text end to end.
type lengthsEncoder struct {
	codec delta.LengthByteArrayEncoding
	data  []byte
	ends  []uint32 // and before them where the first text begins
	out   []byte
}

func (*lengthsEncoder) encoding() format.Encoding { return format.DeltaLengthByteArray }

func (e *lengthsEncoder) encode(rows arrow.Array, _ int) (_ []byte, err error) {
	if text, ok := rows.(*array.String); ok && rows.NullN() == 0 { // its text stands end to end already
		offsets, data := event.TextLayout(text)
		ends := arrow.GetData[uint32](arrow.GetBytes(offsets[:text.Len()+1]))
		e.out, err = e.codec.EncodeByteArray(e.out, data[offsets[0]:offsets[text.Len()]], ends)
		return e.out, err
	}
	e.data, e.ends = e.data[:0], append(e.ends[:0], 0)
	for i := range rows.Len() {
		if rows.IsValid(i) {
			e.data = append(e.data, event.StringAt(rows, i)...)
			e.ends = append(e.ends, uint32(len(e.data)))
		}
	}
	e.out, err = e.codec.EncodeByteArray(e.out, e.data, e.ends)
	return e.out, err
}

func appendText(dst []byte, text string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(text))), text...)
}

// encodeLevels says which rows have a value, in the hybrid encoding of 1-bit levels: a single run where all have or none has,
// else a single run of packed bits, which is the bitmap itself.
func encodeLevels(valid event.Bitmap, rows int) []byte {
	if nulls := valid.Nulls(rows); nulls == 0 || nulls == rows {
		out := binary.AppendUvarint(nil, uint64(rows)<<1)
		if nulls == 0 {
			return append(out, 1)
		}
		return append(out, 0)
	}
	out := binary.AppendUvarint(make([]byte, 0, len(valid)+binary.MaxVarintLen64), uint64(len(valid))<<1|1)
	return append(out, valid...)
}
