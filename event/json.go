package event

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
)

// AppendJSONRow appends row i of some columns as a JSON object, without the members that are NULL.
func AppendJSONRow(dst []byte, columns []Column, values []arrow.Array, i int) ([]byte, error) {
	dst = append(dst, '{')
	start := len(dst)
	for c, column := range columns {
		if values[c].IsNull(i) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ',')
		}
		var err error
		dst, err = AppendJSONValue(append(AppendJSONString(dst, column.Name), ':'), values[c], i, column.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", column.Name, err)
		}
	}
	return append(dst, '}'), nil
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD; only what RFC 8259 requires is escaped.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if i = plainUntil(s, i); i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = appendEscape(append(dst, s[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// plainUntil is the index of the first byte from i on, or the length of s, that is not ASCII or must be escaped. Eight bytes are looked at at
// a time: in each test a byte's high bit comes out set if the byte matches, and of the bits set only the lowest is sure.
func plainUntil(s string, i int) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	text := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		quote, slash := word^'"'*low, word^'\\'*low
		if stop := (word | (quote-low)&^quote | (slash-low)&^slash | (word-' '*low)&^word) & high; stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' && text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

// AppendDouble appends the shortest JSON number that reads back as v; NaN and infinities, which JSON numbers cannot say, are the
// strings "NaN", "Infinity" and "-Infinity".
func AppendDouble(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	}
	return appendFinite(dst, v, 64)
}

// AppendReal is AppendDouble for REAL: the shortest number that reads back as v in 32 bits.
func AppendReal(dst []byte, v float32) []byte {
	if wide := float64(v); !math.IsNaN(wide) && !math.IsInf(wide, 0) {
		return appendFinite(dst, wide, 32)
	}
	return AppendDouble(dst, float64(v))
}

func appendFinite(dst []byte, v float64, bits int) []byte {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, bits)
}
