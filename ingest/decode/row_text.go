package decode

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// TextWriter appends a row's value, which is not NULL, as JSON that a column of its type reads back as the same value.
type TextWriter func(dst []byte, row int) []byte

// TextWriterOf is the writer of a column of a stored type.
func TextWriterOf(values arrow.Array, t event.Type) TextWriter {
	switch a := values.(type) {
	case *array.Boolean:
		return func(dst []byte, row int) []byte { return strconv.AppendBool(dst, a.Value(row)) }
	case *array.Int64:
		ints := a.Int64Values()
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, ints[row], 10) }
	case *array.Float64:
		floats := a.Float64Values()
		return func(dst []byte, row int) []byte { return AppendShortDouble(dst, floats[row]) }
	case *array.Float32:
		floats := a.Float32Values()
		return func(dst []byte, row int) []byte { return appendReal(dst, floats[row]) }
	case *array.Timestamp:
		clock, micros := &clockText{second: math.MinInt64}, a.TimestampValues()
		return func(dst []byte, row int) []byte { return clock.append(dst, int64(micros[row])) }
	case *array.Date32:
		days := a.Date32Values()
		return func(dst []byte, row int) []byte {
			return append(event.AppendDate(append(dst, '"'), int32(days[row])), '"')
		}
	case *array.Decimal128:
		return func(dst []byte, row int) []byte {
			return append(event.AppendNumeric(append(dst, '"'), a.Value(row), t.Scale), '"')
		}
	case *array.FixedSizeBinary:
		return func(dst []byte, row int) []byte { return append(event.AppendUUID(append(dst, '"'), a.Value(row)), '"') }
	case *array.Binary:
		return func(dst []byte, row int) []byte {
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), a.Value(row)), '"')
		}
	case *array.String:
		if t.Kind == event.JSONB {
			return func(dst []byte, row int) []byte { return append(dst, a.Value(row)...) }
		}
		return func(dst []byte, row int) []byte { return event.AppendJSONString(dst, a.Value(row)) }
	case *array.Int32:
		ints := a.Int32Values()
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, int64(ints[row]), 10) }
	case *array.Int16:
		ints := a.Int16Values()
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, int64(ints[row]), 10) }
	default: // no other is stored
		panic("decode: no JSON for " + values.DataType().String())
	}
}

// shortIntegers bounds the integers that are written without a search for the shortest digits.
const shortIntegers = 1 << 53

// AppendShortDouble is AppendDouble that writes integers as such.
func AppendShortDouble(dst []byte, v float64) []byte {
	if whole := int64(v); float64(whole) == v && whole != 0 && whole < shortIntegers && whole > -shortIntegers {
		return strconv.AppendInt(dst, whole, 10)
	}
	return AppendDouble(dst, v)
}

// exactReals bounds the magnitudes up to which every integer is a REAL value.
const exactReals = 1 << 24

// appendReal writes large values with an exponent, as a column would otherwise take them for integers that it would have to round.
func appendReal(dst []byte, v float32) []byte {
	if wide := math.Abs(float64(v)); wide >= exactReals && !math.IsInf(wide, 0) {
		return strconv.AppendFloat(dst, float64(v), 'e', -1, 32)
	}
	return event.AppendReal(dst, v)
}

// clockText writes times. Those that follow one another often share a second, whose text it keeps.
type clockText struct {
	second int64
	text   [len(`"2006-01-02T15:04:05.000000Z"`)]byte
}

func (c *clockText) append(dst []byte, micros int64) []byte {
	second, rest := micros/1e6, micros%1e6
	if rest < 0 {
		second, rest = second-1, rest+1e6
	}
	if second != c.second {
		c.second = second
		event.AppendTimestamp(append(c.text[:0], '"'), second*1e6)
		c.text[len(c.text)-1] = '"'
	}
	const last = len(`"2006-01-02T15:04:05.00000`)
	for at := last; at > last-6; at-- {
		c.text[at] = '0' + byte(rest%10)
		rest /= 10
	}
	c.text[len(c.text)-2] = 'Z'
	return append(dst, c.text[:]...)
}

// RowTexts writes rows as JSON, without the members that are NULL, that columns of these names and types read back as the same values.
func RowTexts(names []string, types []event.Type, values []arrow.Array, rows int) [][]byte {
	t := newTextTable(names, types, values)
	text := make([]byte, 0, min(rows*(16+24*len(values)), maxRowsText))
	ends := make([]int, rows)
	for row := range rows {
		text = t.appendRow(text, row)
		ends[row] = len(text)
	}
	return cutTexts(text, ends)
}

// maxRowsText bounds what is set aside for the texts of a chunk.
const maxRowsText = 1 << 20

// cutTexts cuts up texts that follow one another, each of which ends at a place.
func cutTexts(text []byte, ends []int) [][]byte {
	out := make([][]byte, len(ends))
	start := 0
	for i, end := range ends {
		out[i] = text[start:end:end]
		start = end
	}
	return out
}

// textTable writes rows of some columns.
type textTable struct {
	labels  [][]byte // a comma, the name in quotes, a colon
	writers []TextWriter
	values  []arrow.Array
}

func newTextTable(names []string, types []event.Type, values []arrow.Array) *textTable {
	t := &textTable{values: values, labels: make([][]byte, len(values)), writers: make([]TextWriter, len(values))}
	for i := range values {
		t.labels[i] = append(event.AppendJSONString([]byte{','}, names[i]), ':')
		t.writers[i] = TextWriterOf(values[i], types[i])
	}
	return t
}

func (t *textTable) appendRow(text []byte, row int) []byte {
	start := len(text)
	text = append(text, '{')
	for i, values := range t.values {
		if values.IsValid(row) {
			text = t.writers[i](append(text, t.labels[i]...), row)
		}
	}
	if text = append(text, '}'); text[start+1] == ',' {
		text = append(text[:start+1], text[start+2:]...)
	}
	return text
}
