package csvbody

import (
	"bytes"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// writer appends a cell that is not NULL as JSON.
type writer = func(dst, text []byte) []byte

// writerFor chooses how cells become values for a column that the stream has. A text that the column's kind cannot be is written as a string:
// whether that widens the column or is rejected is the stream's to say.
func writerFor(kind event.Kind, eventTime bool) writer {
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

// writeLiteral takes a cell that is known to be a number.
func writeLiteral(dst, text []byte) []byte { return appendNumber(dst, text) }

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
	return event.WrittenTimestamp(unsafe.String(unsafe.SliceData(text), len(text)))
}

// isTruth reports whether a text is a word of JSON for true or false, in any case.
func isTruth(text []byte) bool {
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
