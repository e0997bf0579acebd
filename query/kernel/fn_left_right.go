package kernel

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// textByCount makes a kernel of a function of a text and a number.
func textByCount(f func(dst []byte, s string, n int64) ([]byte, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		text, counts := textsOf(c.args[0]), fixed[int64](c.args[1])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return f(dst, text.at(i), counts.at(i)) })
	}
}

// leftOf takes the first n characters, or all but the last -n.
func leftOf(dst []byte, s string, n int64) ([]byte, error) {
	if n < 0 {
		n = max(0, int64(utf8.RuneCountInString(s))+max(n, -math.MaxInt32))
	}
	return append(dst, s[:skipCharacters(s, n)]...), nil
}

// rightOf takes the last n characters, or all but the first -n.
func rightOf(dst []byte, s string, n int64) ([]byte, error) {
	skip := -max(n, -math.MaxInt32)
	if n >= 0 {
		skip = int64(utf8.RuneCountInString(s)) - n
	}
	return append(dst, s[skipCharacters(s, skip):]...), nil
}
