package kernel

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
)

// characters counts characters, not bytes.
func characters(c *call) (arrow.Array, error) {
	a := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		return int64(utf8.RuneCountInString(a.at(i))), nil
	})
}
