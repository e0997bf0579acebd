package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func startsWith(c *call) (arrow.Array, error) {
	a, prefix := textsOf(c.args[0]), textsOf(c.args[1])
	return mapBooleans(c, func(i int) (bool, error) { return strings.HasPrefix(a.at(i), prefix.at(i)), nil })
}
