package kernel

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// textTest makes a kernel of a question about two texts.
func textTest(f func(s, other string) bool) kernel {
	return func(c *call) (arrow.Array, error) {
		text, others := textsOf(c.args[0]), textsOf(c.args[1])
		return mapBooleans(c, func(i int) (bool, error) { return f(text.at(i), others.at(i)), nil })
	}
}

// position is where a text first occurs in another, counted in characters from 1, or 0.
func position(c *call) (arrow.Array, error) {
	text, wanted := textsOf(c.args[0]), textsOf(c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		s := text.at(i)
		at := strings.Index(s, wanted.at(i))
		if at < 0 {
			return 0, nil
		}
		return int64(utf8.RuneCountInString(s[:at])) + 1, nil
	})
}
