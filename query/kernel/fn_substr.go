package kernel

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// substring takes characters from a place counted from 1, which may lie before the text, and optionally how many.
func substring(c *call) (arrow.Array, error) {
	text, from := textsOf(c.args[0]), fixed[int64](c.args[1])
	length := column[int64]{values: []int64{math.MaxInt64}}
	if len(c.args) == 3 {
		length = fixed[int64](c.args[2])
	}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		first, count := from.at(i), length.at(i)
		if count < 0 {
			return nil, event.Errorf(event.CodeInvalidValue, "substr: the length %d is negative", count)
		}
		end, ok := addInt64(first, count)
		if !ok {
			end = math.MaxInt64
		}
		return append(dst, between(text.at(i), first, end)...), nil
	})
}

// between is the characters numbered from first to before end, counted from 1.
func between(s string, first, end int64) string {
	first = max(first, 1)
	if end <= first {
		return ""
	}
	start := skipCharacters(s, first-1)
	return s[start : start+skipCharacters(s[start:], end-first)]
}

// skipCharacters is where the text continues after n characters.
func skipCharacters(s string, n int64) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}
