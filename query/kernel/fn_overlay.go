package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// overlay puts a value in the place of units of another: as many as it has itself unless a count is given.
func overlay(u unit) kernel {
	return func(c *call) (arrow.Array, error) {
		values, replacements, from := textsOf(c.args[0]), textsOf(c.args[1]), fixed[int64](c.args[2])
		count := func(i int) int64 { return u.count(replacements.at(i)) }
		if len(c.args) == 4 {
			counts := fixed[int64](c.args[3])
			count = counts.at
		}
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			s, first := values.at(i), from.at(i)
			if first < 1 {
				return nil, event.Errorf(event.CodeInvalidValue, "overlay: the place %d is before the %s", first, u.value)
			}
			rest, ok := addInt64(first, count(i))
			if !ok {
				rest = math.MaxInt64
			}
			dst = append(dst, u.between(s, 1, first)...)
			dst = append(dst, replacements.at(i)...)
			return append(dst, u.between(s, rest, math.MaxInt64)...), nil
		})
	}
}
