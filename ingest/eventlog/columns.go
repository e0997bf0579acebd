package eventlog

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Columns are the rows of an entry that came as typed values: no JSON was ever made of them. Those of an entry that was read have memory of
// their own and stay good after the call.
type Columns struct {
	// Fields say what Values are: one array for each, as long as the entry has rows. A column that they lack is NULL in every row.
	Fields []Field
	Values []arrow.Array
	// Time is the place of the event-time column, which has no NULL; -1 where the rows' event time is when they arrived.
	Time int
}

// Field is a column as the schema had it when the rows were accepted. Name is for whoever has lost the schema: it may have another one since.
type Field struct {
	ID   event.FieldID
	Name string
	Type event.Type
}

// NewColumns makes columns of those of a schema, in its order. Columns with nothing but NULLs are left out.
func NewColumns(schema *event.Schema, values []arrow.Array) *Columns {
	c := &Columns{Time: -1, Fields: make([]Field, 0, len(values)), Values: make([]arrow.Array, 0, len(values))}
	for i := range schema.Columns {
		column := &schema.Columns[i]
		if column.ID == schema.TimeColumn {
			c.Time = len(c.Fields)
		} else if values[i].NullN() == values[i].Len() {
			continue
		}
		c.Fields = append(c.Fields, Field{ID: column.ID, Name: column.Name, Type: column.Type})
		c.Values = append(c.Values, event.PlainText(values[i]))
	}
	return c
}

// Under gives the columns of a later version of the schema, each so many rows long: what was narrower then is widened, and what did not
// exist is NULL.
func (c *Columns) Under(schema *event.Schema, rows int) ([]arrow.Array, error) {
	places := make(map[event.FieldID]int, len(c.Fields))
	for i, f := range c.Fields {
		places[f.ID] = i
	}
	out := make([]arrow.Array, len(schema.Columns))
	for i, column := range schema.Columns {
		for _, source := range column.Sources() {
			at, ok := places[source.ID]
			if !ok {
				continue
			}
			if !c.Fields[at].Type.Equal(source.Type) {
				return nil, event.Errorf(event.CodeCorrupt, "column %q is logged as %s, but was %s", column.Name, c.Fields[at].Type, source.Type)
			}
			values, err := event.Widen(c.Values[at], source.Type, column.Type)
			if err != nil {
				return nil, fmt.Errorf("column %q: %w", column.Name, err)
			}
			out[i] = values
			break
		}
		if out[i] == nil {
			out[i] = event.NewNulls(column.Type, rows)
		}
	}
	return out, nil
}

// Times are the rows' event times in microseconds; arrival is when they came.
func (c *Columns) Times(rows int, arrival int64) []int64 {
	out := make([]int64, rows)
	if c.Time < 0 {
		for i := range out {
			out[i] = arrival
		}
		return out
	}
	for i, t := range c.Values[c.Time].(*array.Timestamp).TimestampValues() {
		out[i] = int64(t)
	}
	return out
}

// AppendJSON appends a row as JSON under the names that the columns had when it was accepted, spelled as rows of segments are.
func (c *Columns) AppendJSON(dst []byte, row int) ([]byte, error) {
	columns := make([]event.Column, len(c.Fields))
	for i, f := range c.Fields {
		columns[i] = event.Column{ID: f.ID, Name: f.Name, Type: f.Type}
	}
	return event.AppendJSONRow(dst, columns, c.Values, row)
}

// The layout of rows as columns; integers are little-endian, as the values in memory are on every machine that this program is built for.
const (
	atColumnsFirst = 0  // int64: offset of the first row
	atColumnsRows  = 8  // uint32
	atColumnsCount = 12 // uint16: number of columns
	atColumnsTime  = 14 // uint16: place of the event-time column, or noTimeColumn
	columnsHeader  = 16

	noTimeColumn = 0xffff
	maxColumns   = noTimeColumn - 1

	// A field is its id (4), type (1), precision (1), scale (1), flags (1), number of bytes of its data (4) and of its name (1), and the name.
	fieldHeader  = 4 + 1 + 1 + 1 + 1 + 4 + 1
	flagNullable = 1 << 0

	// columnsAlign is what places of buffers are multiples of, so that values are where a processor likes them once the whole is in memory.
	columnsAlign = 8
)

// typeCodes are what stands for types in the log. 0 is none.
var typeCodes = [...]event.Kind{
	1: event.Boolean, 2: event.SmallInt, 3: event.Integer, 4: event.BigInt, 5: event.Real, 6: event.Double, 7: event.Numeric, 8: event.Text,
	9: event.Bytea, 10: event.TimestampTZ, 11: event.Date, 12: event.JSONB, 13: event.UUID,
}

// codeOf is the code of a kind that columns are stored as.
func codeOf(kind event.Kind) (byte, bool) {
	for code, k := range typeCodes {
		if k == kind && code > 0 {
			return byte(code), true
		}
	}
	return 0, false
}

// width is how many bytes a value takes; 0 for bits and for values of any length.
func width(kind event.Kind) int {
	switch kind {
	case event.SmallInt:
		return 2
	case event.Integer, event.Real, event.Date:
		return 4
	case event.BigInt, event.Double, event.TimestampTZ:
		return 8
	case event.Numeric, event.UUID:
		return 16
	default:
		return 0
	}
}

func aligned(n int) int { return (n + columnsAlign - 1) &^ (columnsAlign - 1) }

func bitmapBytes(rows int) int { return (rows + 7) / 8 }

// Fit reports whether so many rows can be logged as columns: if they take as many bytes as records must. How many offsets a damaged file may have
// given away is reckoned by that.
func (c *Columns) Fit(rows int) bool { return c.size(rows) >= leastRecord*rows }

// check refuses columns that could not be read back.
func (c *Columns) check(rows int) error {
	if len(c.Fields) != len(c.Values) || len(c.Fields) > maxColumns || c.Time >= len(c.Fields) {
		return event.Errorf(event.CodeInternal, "an entry has %d arrays for %d columns", len(c.Values), len(c.Fields))
	}
	for i, f := range c.Fields {
		_, known := codeOf(f.Type.Kind)
		switch values := c.Values[i]; {
		case !known || !arrow.TypeEqual(values.DataType(), f.Type.Arrow()):
			return event.Errorf(event.CodeInternal, "column %q is %s in memory, which is no %s", f.Name, values.DataType(), f.Type)
		case values.Len() != rows:
			return event.Errorf(event.CodeInternal, "column %q has %d values for %d rows", f.Name, values.Len(), rows)
		case i == c.Time && (f.Type.Kind != event.TimestampTZ || values.NullN() > 0):
			return event.Errorf(event.CodeInternal, "the event time %q has %d NULLs", f.Name, values.NullN())
		case len(f.Name) > 0xff:
			return event.Errorf(event.CodeInternal, "a column's name has %d bytes", len(f.Name))
		}
	}
	if !c.Fit(rows) {
		return event.Errorf(event.CodeInternal, "%d rows are too narrow to be logged as columns", rows)
	}
	return nil
}

// size is how many bytes the columns take when they are encoded.
func (c *Columns) size(rows int) int {
	n := columnsHeader
	for _, f := range c.Fields {
		n += fieldHeader + len(f.Name)
	}
	n = aligned(n)
	for i, f := range c.Fields {
		if c.Values[i].NullN() > 0 {
			n += aligned(bitmapBytes(rows))
		}
		switch w := width(f.Type.Kind); {
		case w > 0:
			n += aligned(rows * w)
		case f.Type.Kind == event.Boolean:
			n += aligned(bitmapBytes(rows))
		default:
			n += aligned(4*(rows+1)) + aligned(len(dataOf(c.Values[i])))
		}
	}
	return n
}

// dataOf are the bytes of all values of a column of any length, one after the other.
func dataOf(values arrow.Array) []byte {
	switch a := values.(type) {
	case *array.String:
		return a.ValueBytes()
	case *array.Binary:
		return a.ValueBytes()
	default:
		return nil
	}
}

// appendColumns encodes the entry's columns: a header, the fields, and each field's buffers as Arrow has them in memory.
func appendColumns(dst []byte, e *Entry) []byte {
	c, rows, start := e.Columns, len(e.Times), len(dst)
	time := uint16(noTimeColumn)
	if c.Time >= 0 {
		time = uint16(c.Time)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.First))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(rows))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(c.Fields)))
	dst = binary.LittleEndian.AppendUint16(dst, time)
	for i, f := range c.Fields {
		code, _ := codeOf(f.Type.Kind)
		flags := byte(0)
		if c.Values[i].NullN() > 0 {
			flags = flagNullable
		}
		dst = binary.LittleEndian.AppendUint32(dst, uint32(f.ID))
		dst = append(dst, code, byte(f.Type.Precision), byte(f.Type.Scale), flags)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(dataOf(c.Values[i]))))
		dst = append(append(dst, byte(len(f.Name))), f.Name...)
	}
	dst = pad(dst, start)
	for i, f := range c.Fields {
		dst = appendValues(dst, start, f.Type.Kind, c.Values[i])
	}
	return dst
}

func pad(dst []byte, start int) []byte {
	n := len(dst) - start
	var zeros [columnsAlign]byte
	return append(dst, zeros[:aligned(n)-n]...)
}

// appendValues encodes one column's buffers.
func appendValues(dst []byte, start int, kind event.Kind, values arrow.Array) []byte {
	data, rows := values.Data(), values.Len()
	offset, buffers := data.Offset(), data.Buffers()
	if values.NullN() > 0 {
		dst = pad(appendBits(dst, buffers[0].Bytes(), offset, rows), start)
	}
	switch w := width(kind); {
	case w > 0:
		dst = append(dst, buffers[1].Bytes()[offset*w:(offset+rows)*w]...)
	case kind == event.Boolean:
		dst = appendBits(dst, buffers[1].Bytes(), offset, rows)
	default:
		ends := arrow.GetValues[int32](data, 1)[: rows+1 : rows+1]
		dst = pad(appendOffsets(dst, ends), start)
		dst = append(dst, dataOf(values)...)
	}
	return pad(dst, start)
}

// appendOffsets writes where values begin and end, from 0 on.
func appendOffsets(dst []byte, offsets []int32) []byte {
	if offsets[0] == 0 {
		return append(dst, arrow.GetBytes(offsets)...)
	}
	for _, o := range offsets {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(o-offsets[0]))
	}
	return dst
}

// appendBits writes a range of a bitmap. Bits behind the last row are 0.
func appendBits(dst, bits []byte, offset, rows int) []byte {
	at := len(dst)
	if offset%8 == 0 {
		dst = append(dst, bits[offset/8:offset/8+bitmapBytes(rows)]...)
	} else {
		dst = append(dst, make([]byte, bitmapBytes(rows))...)
		source, out := event.Bitmap(bits), event.Bitmap(dst[at:])
		for i := range rows {
			if source.Valid(offset + i) {
				out.Set(i)
			}
		}
	}
	if rest := rows % 8; rest != 0 {
		dst[len(dst)-1] &= 1<<rest - 1
	}
	return dst
}
