package zeekbody

import (
	"bytes"
	"encoding/hex"
	"unicode/utf8"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// row appends a line with as many cells as there are columns as a JSON object.
func (h *head) row(dst, line []byte) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for i := range h.columns {
		var cell []byte
		cell, line, _ = bytes.Cut(line, h.separator)
		if bytes.Equal(cell, h.unset) {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = h.cell(append(dst, h.columns[i].label...), cell, h.columns[i])
	}
	return append(dst, '}')
}

// cell appends a value that is set.
func (h *head) cell(dst, cell []byte, c column) []byte {
	empty := bytes.Equal(cell, h.empty)
	switch {
	case empty && c.many:
		return append(dst, "[]"...)
	case empty:
		return append(dst, `""`...)
	case c.many:
		return h.elements(dst, cell, c.sort)
	default:
		return value(dst, cell, c.sort)
	}
}

// elements appends the values of a set or vector. One that is not set is null there.
func (h *head) elements(dst, cell []byte, s sort) []byte {
	dst = append(dst, '[')
	for more := true; more; {
		var element []byte
		if element, cell, more = bytes.Cut(cell, h.setSeparator); bytes.Equal(element, h.unset) {
			dst = append(dst, "null"...)
		} else {
			dst = value(dst, element, s)
		}
		if more {
			dst = append(dst, ',')
		}
	}
	return append(dst, ']')
}

// value appends a value by its sort, as a string if it is not spelled so.
func value(dst, cell []byte, s sort) []byte {
	switch {
	case s == number && decode.IsNumber(cell):
		return append(dst, cell...)
	case s == boolean && string(cell) == "T":
		return append(dst, "true"...)
	case s == boolean && string(cell) == "F":
		return append(dst, "false"...)
	}
	if bytes.IndexByte(cell, '\\') >= 0 {
		if plain := unescaped(nil, cell); utf8.Valid(plain) { // bytes that are no text stay escaped
			cell = plain
		}
	}
	return event.AppendJSONString(dst, unsafe.String(unsafe.SliceData(cell), len(cell)))
}

// unescaped appends a text with what Zeek escapes in it: bytes as \x09, and backslashes.
func unescaped(dst, text []byte) []byte {
	for len(text) > 0 {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return append(dst, text...)
		}
		dst, text = append(dst, text[:at]...), text[at:]
		var b [1]byte
		switch {
		case len(text) >= len(`\x09`) && text[1] == 'x' && isHex(text[2:4], b[:]):
			dst, text = append(dst, b[0]), text[4:]
		case len(text) > 1 && text[1] == '\\':
			dst, text = append(dst, '\\'), text[2:]
		default:
			dst, text = append(dst, '\\'), text[1:]
		}
	}
	return dst
}

// isHex decodes two hexadecimal digits into one byte.
func isHex(digits, into []byte) bool {
	_, err := hex.Decode(into, digits)
	return err == nil
}
