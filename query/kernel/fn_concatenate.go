package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
)

func concatenate(c *call) (arrow.Array, error) {
	a, b := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		return append(append(dst, a.at(i)...), b.at(i)...), nil
	})
}
