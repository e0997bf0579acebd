package csvbody

import (
	"bytes"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// writer appends a cell that is not NULL as JSON.
type writer func(dst, text []byte) []byte

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
		return writeString
	default: // TEXT, and types that are spelled as strings: NUMERIC, DATE, UUID, BYTEA
		return writeString
	}
}

func writeString(dst, text []byte) []byte {
	return event.AppendJSONString(dst, unsafe.String(unsafe.SliceData(text), len(text)))
}

// writeLiteral takes a cell that is known to be a number or boolean.
func writeLiteral(dst, text []byte) []byte { return append(dst, text...) }

func writeNumber(dst, text []byte) []byte {
	if decode.IsNumber(text) {
		return append(dst, text...)
	}
	return writeString(dst, text)
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
