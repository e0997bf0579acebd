package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func registerLetterCase(r registry) {
	r.strict("lower(TEXT)", unaryText(strings.ToLower))
	r.strict("upper(TEXT)", unaryText(strings.ToUpper))
}

// unaryText makes a kernel of a function that fails for no text.
func unaryText(f func(string) string) kernel {
	return func(c *call) (arrow.Array, error) {
		a := textsOf(c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return append(dst, f(a.at(i))...), nil })
	}
}
