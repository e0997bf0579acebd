// Package celltext writes texts that have no type of their own, such as cells of CSV and values of logs, as JSON: as the stream's column wants them, or where
// there is none yet, as all of them suggest.
//
// What always holds: a text becomes a number, a boolean or a time only where nothing of it is lost but its spelling, else a string.
package celltext

import (
	"bytes"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// Writer appends a text that is not NULL as JSON.
type Writer = func(dst, text []byte) []byte

// Guess chooses for a column that the stream does not have: numbers if all its texts are numbers that one type holds, booleans if all are true or false in any
// case, times if all are times of day on a day, else text. The zero value has seen nothing.
type Guess struct {
	seen  decode.Literals
	other bool // some text is no time of day on a day
}

// Add notes a text.
func (g *Guess) Add(text []byte) {
	switch {
	case pointFirst(text) && isNumber(text):
		g.seen.Add(appendNumber(nil, text))
	case IsTruth(text):
		g.seen.Add([]byte("true"))
	default:
		g.seen.Add(text)
	}
	if !g.other {
		_, time := exactTime(text)
		g.other = !time
	}
}

// AddQuoted notes a text that stood in quotes: it is no number and no boolean, but may be a time.
func (g *Guess) AddQuoted(text []byte) {
	if IsTruth(text) || isNumber(text) {
		g.seen.Add(nil)
		g.other = true
		return
	}
	g.Add(text)
}

// Writer writes all texts that were noted.
func (g *Guess) Writer() Writer {
	switch kind := g.seen.Kind(); {
	case kind == event.Boolean:
		return writeBoolean
	case kind == event.BigInt || kind == event.Double:
		return appendNumber
	case !g.other:
		return writeTime
	default:
		return writeString
	}
}

// For chooses how cells become values for a column that the stream has. A text that the column's kind cannot be is written as a string:
// whether that widens the column or is rejected is the stream's to say.
func For(kind event.Kind, eventTime bool) Writer {
	switch kind {
	case event.BigInt, event.Integer, event.SmallInt, event.Double, event.Real:
		return writeNumber
	case event.Boolean:
		return writeBoolean
	case event.JSONB:
		return writeJSON
	case event.TimestampTZ:
		if eventTime { // seconds since 1970, and finer
			return writeNumber
		}
		return writeTime
	default: // TEXT, and types that are spelled as strings: NUMERIC, DATE, UUID, BYTEA
		return writeString
	}
}

func writeString(dst, text []byte) []byte {
	return event.AppendJSONString(dst, unsafe.String(unsafe.SliceData(text), len(text)))
}

func writeNumber(dst, text []byte) []byte {
	if isNumber(text) {
		return appendNumber(dst, text)
	}
	return writeString(dst, text)
}

// isNumber takes a number as JSON writes it, and besides one whose point has no digit before it.
func isNumber(text []byte) bool {
	if pointFirst(text) {
		return decode.IsNumber(appendNumber(nil, text))
	}
	return decode.IsNumber(text)
}

// pointFirst reports whether a text begins with a point, or with a point behind a sign.
func pointFirst(text []byte) bool {
	return len(text) > 1 && (text[0] == '.' || text[0] == '-' && text[1] == '.')
}

// appendNumber writes a number or a boolean as JSON has it.
func appendNumber(dst, text []byte) []byte {
	if pointFirst(text) {
		at := bytes.IndexByte(text, '.')
		dst, text = append(append(dst, text[:at]...), '0'), text[at:]
	}
	return append(dst, text...)
}

// writeTime takes a time of day on a day, in any spelling that loses nothing when it is written in another one.
func writeTime(dst, text []byte) []byte {
	if micros, ok := exactTime(text); ok {
		return append(event.AppendTimestamp(append(dst, '"'), micros), '"')
	}
	return writeString(dst, text)
}

// exactTime reads a time of day on a day, without digits beyond microseconds.
func exactTime(text []byte) (int64, bool) {
	if bytes.IndexByte(text, ':') < 0 {
		return 0, false
	}
	if at := bytes.LastIndexAny(text, ".,"); at >= 0 {
		fraction := text[at+1:]
		digits := len(fraction) - len(bytes.TrimLeft(fraction, "0123456789"))
		if len(bytes.TrimRight(fraction[:digits], "0")) > len("123456") {
			return 0, false
		}
	}
	micros, ok := event.WrittenTimestamp(unsafe.String(unsafe.SliceData(text), len(text)))
	return micros, ok && event.InCalendar(micros)
}

// IsTruth reports whether a text is a word of JSON for true or false, in any case.
func IsTruth(text []byte) bool {
	return bytes.EqualFold(text, []byte("true")) || bytes.EqualFold(text, []byte("false"))
}

// writeBoolean takes the words of JSON in any case, as other programs write them, and their first letters.
func writeBoolean(dst, text []byte) []byte {
	switch {
	case bytes.EqualFold(text, []byte("true")), bytes.EqualFold(text, []byte("t")):
		return append(dst, "true"...)
	case bytes.EqualFold(text, []byte("false")), bytes.EqualFold(text, []byte("f")):
		return append(dst, "false"...)
	default:
		return writeString(dst, text)
	}
}

// writeJSON takes a cell that is JSON as it is, since that is how JSONB is written into cells, and any other as a string.
func writeJSON(dst, text []byte) []byte {
	if decode.IsJSON(text) {
		start := len(dst)
		dst = append(dst, text...)
		for i := start; i < len(dst); i++ { // line breaks are outside of strings here: the text is valid
			if dst[i] == '\n' || dst[i] == '\r' {
				dst[i] = ' '
			}
		}
		return dst
	}
	return writeString(dst, text)
}
