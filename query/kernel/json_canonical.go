package kernel

import (
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// CanonicalJSON is one spelling for all JSON texts that `=` takes as equal: without space, members in the order of their names and
// each once, numbers in the shortest of their plain forms, strings with the escapes they need and no others.
func CanonicalJSON(s string) string { return string(appendCanonical(make([]byte, 0, len(s)), s, 0)) }

// appendCanonical goes as deep as compareJSONAt: what lies deeper is compared as text, so it stays as it is.
func appendCanonical(dst []byte, s string, depth int) []byte {
	s = strings.TrimSpace(s)
	kind := kindOfJSON(s)
	switch {
	case depth == maxJSONDepth:
		return append(dst, s...)
	case kind == jsonString:
		return event.AppendJSONString(dst, jsonscan.Unquote(s))
	case kind == jsonNumber:
		return appendCanonicalNumber(dst, s)
	case kind == jsonArray:
		dst = append(dst, '[')
		first := true
		for items := jsonscan.ItemsOf(s); items.Next(); first = false {
			if !first {
				dst = append(dst, ',')
			}
			dst = appendCanonical(dst, items.Value, depth+1)
		}
		return append(dst, ']')
	case kind == jsonObject:
		dst = append(dst, '{')
		for i, field := range fieldsOf(s) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(event.AppendJSONString(dst, field.name), ':')
			dst = appendCanonical(dst, field.value, depth+1)
		}
		return append(dst, '}')
	case kind == jsonNull:
		return append(dst, "null"...)
	default:
		return append(dst, s...)
	}
}

// maxPlainZeros is how many zeros a number is written out with before it takes an exponent instead.
const maxPlainZeros = 21

func appendCanonicalNumber(dst []byte, s string) []byte {
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return strconv.AppendInt(dst, v, 10)
	}
	d := parseDecimal(s)
	if d.digits == "" {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	digits := int64(len(d.digits))
	switch {
	case d.point >= digits && d.point-digits <= maxPlainZeros:
		dst = append(dst, d.digits...)
		return append(dst, strings.Repeat("0", int(d.point-digits))...)
	case d.point > 0 && d.point < digits:
		dst = append(append(dst, d.digits[:d.point]...), '.')
		return append(dst, d.digits[d.point:]...)
	case d.point <= 0 && d.point >= -maxPlainZeros:
		dst = append(append(dst, "0."...), strings.Repeat("0", int(-d.point))...)
		return append(dst, d.digits...)
	default:
		dst = append(dst, d.digits[0])
		if digits > 1 {
			dst = append(append(dst, '.'), d.digits[1:]...)
		}
		return strconv.AppendInt(append(dst, 'e'), d.point-1, 10)
	}
}
