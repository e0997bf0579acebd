package kernel

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// unit is what places in a value count: the characters of TEXT or the bytes of BYTEA.
type unit struct {
	value string // what a value is called
	count func(s string) int64
	// skip is where s continues after n units, or its end.
	skip func(s string, n int64) int
}

var (
	characterUnit = unit{"text", func(s string) int64 { return int64(utf8.RuneCountInString(s)) }, skipCharacters}
	byteUnit      = unit{"bytes", func(s string) int64 { return int64(len(s)) }, func(s string, n int64) int { return int(min(n, int64(len(s)))) }}
)

// substring takes units from a place counted from 1, which may lie before the value, and optionally how many.
func substring(u unit) kernel {
	return func(c *call) (arrow.Array, error) {
		values, from := textsOf(c.args[0]), fixed[int64](c.args[1])
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
			return append(dst, u.between(values.at(i), first, end)...), nil
		})
	}
}

// between is the units numbered from first to before end, counted from 1.
func (u unit) between(s string, first, end int64) string {
	first = max(first, 1)
	if end <= first {
		return ""
	}
	start := u.skip(s, first-1)
	return s[start : start+u.skip(s[start:], end-first)]
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
