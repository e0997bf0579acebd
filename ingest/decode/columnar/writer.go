package columnar

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// writer appends a row's value, which is not NULL, as JSON that a column of its type reads back as the same value.
type writer func(dst []byte, row int) []byte

// writerOf is the writer of a converted column.
func writerOf(values arrow.Array, t event.Type) writer {
	switch a := values.(type) {
	case *array.Boolean:
		return func(dst []byte, row int) []byte { return strconv.AppendBool(dst, a.Value(row)) }
	case *array.Int64:
		ints := a.Int64Values()
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, ints[row], 10) }
	case *array.Float64:
		floats := a.Float64Values()
		return func(dst []byte, row int) []byte { return appendDouble(dst, floats[row]) }
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
	default: // conversion makes no other
		panic("columnar: no JSON for " + values.DataType().String())
	}
}

// shortIntegers bounds the integers that are written without a search for the shortest digits.
const shortIntegers = 1 << 53

func appendDouble(dst []byte, v float64) []byte {
	if whole := int64(v); float64(whole) == v && whole != 0 && whole < shortIntegers && whole > -shortIntegers {
		return strconv.AppendInt(dst, whole, 10)
	}
	return decode.AppendDouble(dst, v)
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
