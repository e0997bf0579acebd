package decode

import (
	"encoding/base64"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// declaredOnly names the kinds that a column has only if somebody declared it so, but for an inferred UUID: no value is taken for one of them by
// itself. Such a column never widens: whoever wrote the type down wants a value that does not fit rejected.
func declaredOnly(kind event.Kind) bool {
	switch kind {
	case event.SmallInt, event.Integer, event.Real, event.Numeric, event.Date, event.UUID, event.Bytea:
		return true
	default:
		return false
	}
}

// storeDeclared is store for the kinds that columns have only by declaration.
func (d *decoder) storeDeclared(c *column, i int, first byte) int {
	switch c.kind {
	case event.SmallInt:
		return d.storeNarrow(c, i, first, math.MinInt16, math.MaxInt16)
	case event.Integer:
		return d.storeNarrow(c, i, first, math.MinInt32, math.MaxInt32)
	case event.Real:
		return d.storeReal(c, i, first)
	case event.Numeric:
		return d.storeNumeric(c, i, first)
	case event.Date:
		return storeString(d, i, first, func(text string) bool {
			days, ok := event.ParseDate(text)
			if ok = ok && (d.stored || event.EarliestDay <= days) && c.begin(d.out.Count); ok {
				c.addInt(int64(days))
			}
			return ok
		})
	case event.UUID:
		return storeString(d, i, first, func(text string) bool {
			parse := parseCanonicalUUID
			if c.anySpelling {
				parse = event.ParseUUID
			}
			v, ok := parse(text)
			if ok = ok && c.begin(d.out.Count); ok {
				c.addWord(event.UUIDWord(v))
			}
			return ok
		})
	default:
		return storeString(d, i, first, func(text string) bool { return d.addBase64(c, text) })
	}
}

func (d *decoder) storeNarrow(c *column, i int, first byte, low, high int64) int {
	if !startsNumber(first) {
		return -1
	}
	end := d.number(i)
	if end < 0 || d.num.class != whole || d.num.integer < low || d.num.integer > high || !c.begin(d.out.Count) {
		return -1
	}
	c.addInt(d.num.integer)
	return end
}

// storeReal takes what DOUBLE PRECISION takes, rounded once more; an integer must be exact in 32 bits too.
func (d *decoder) storeReal(c *column, i int, first byte) int {
	if !startsNumber(first) {
		return d.storeNotFinite(c, i, first)
	}
	end := d.number(i)
	if end < 0 {
		return -1
	}
	v, ok := d.num.double()
	narrow := float64(float32(v))
	if !ok || math.IsInf(narrow, 0) || (d.num.class != fraction && narrow != v) || !c.begin(d.out.Count) {
		return -1
	}
	c.addFloat(v)
	return end
}

// storeNumeric takes numbers, and strings that spell one, which keep all digits on their way through any JSON library. The value
// must fit without rounding.
func (d *decoder) storeNumeric(c *column, i int, first byte) int {
	if first == '"' {
		return storeString(d, i, first, func(text string) bool { return d.addNumeric(c, text) })
	}
	if !startsNumber(first) {
		return -1
	}
	end := d.number(i)
	if end < 0 || !d.addNumeric(c, unsafeText(d.num.text)) {
		return -1
	}
	return end
}

func (d *decoder) addNumeric(c *column, text string) bool {
	number, ok := event.ParseDecimal(text)
	if !ok {
		return false
	}
	v, exact, ok := number.As(c.typ)
	if !ok || !exact || !c.begin(d.out.Count) {
		return false
	}
	c.addWord(v)
	return true
}

// addBase64 reads base64 in its standard alphabet, with padding.
func (d *decoder) addBase64(c *column, text string) bool {
	c.room(base64.StdEncoding.DecodedLen(len(text)))
	// An alphabet check comes first: the decoder itself skips line breaks.
	for i := range len(text) {
		if text[i] == '\n' || text[i] == '\r' {
			return false
		}
	}
	if !c.begin(d.out.Count) {
		return false
	}
	decoded, err := base64.StdEncoding.AppendDecode(c.data, []byte(text))
	if err != nil {
		return false
	}
	c.data = decoded
	c.addText()
	return true
}

// storeString hands the text of a JSON string to a function that adds it, if it can.
func storeString(d *decoder, i int, first byte, add func(text string) bool) int {
	if first != '"' {
		return -1
	}
	end, escaped := d.string(i)
	if end < 0 {
		return -1
	}
	inside := d.text[i+1 : end-1]
	if escaped {
		inside = appendUnescaped(nil, inside)
	}
	if !add(unsafeText(inside)) {
		return -1
	}
	return end
}

// unsafeText is bytes as a string for a function that keeps no part of it.
func unsafeText(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

func (c *column) addWord(v decimal128.Num) {
	c.words = append(c.words, v)
	c.added()
}

// finishDeclared gives away a column of a kind that is declared.
func (c *column) finishDeclared() arrow.Array {
	switch c.kind {
	case event.SmallInt:
		return event.NewFixed(c.typ.Arrow(), narrowed[int16](c.ints), c.valid)
	case event.Integer, event.Date:
		return event.NewFixed(c.typ.Arrow(), narrowed[int32](c.ints), c.valid)
	case event.Real:
		return event.NewFixed(c.typ.Arrow(), narrowed[float32](c.floats), c.valid)
	case event.Numeric, event.UUID:
		return event.NewFixed(c.typ.Arrow(), c.words, c.valid)
	default:
		return event.AsBinary(event.NewStrings(c.offsets, c.data, c.valid).(*array.String))
	}
}

// narrowed converts values that are known to fit.
func narrowed[To int16 | int32 | float32, From int64 | float64](values []From) []To {
	out := make([]To, len(values))
	for i, v := range values {
		out[i] = To(v)
	}
	return out
}
