package kernel

import (
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

func booleanToText(c *call) (arrow.Array, error) {
	a, mask := c.args[0].Array.(*array.Boolean), c.args[0].mask()
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return strconv.AppendBool(dst, a.Value(i&mask)), nil })
}

func bigintToText(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return strconv.AppendInt(dst, a.at(i), 10), nil })
}

func doubleToText(c *call) (arrow.Array, error) {
	a := fixed[float64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		if v := a.at(i); hasExponent(v, leastWithExponent) {
			return strconv.AppendFloat(dst, v, 'e', -1, 64), nil
		}
		return appendDouble(dst, a.at(i)), nil
	})
}

// The least numbers whose text has an exponent, by type, and the one below which it has a negative one, as in PostgreSQL.
const (
	leastWithExponent     = 1e15
	leastRealWithExponent = 1e6
	belowWithExponent     = 1e-4
)

// hasExponent reports whether the text of a number has an exponent.
func hasExponent(v, least float64) bool {
	v = math.Abs(v)
	return isFinite(v) && (v >= least || v != 0 && v < belowWithExponent)
}

// clockToText writes what a clock shows, which has no zone.
func clockToText(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendPlainTimestamp(dst, a.at(i)), nil })
}

// timestampToText writes a moment with its zone, which is UTC; the infinite ones have none.
func timestampToText(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		dst = event.AppendPlainTimestamp(dst, a.at(i))
		if last := dst[len(dst)-1]; '0' <= last && last <= '9' {
			dst = append(dst, "+00"...)
		}
		return dst, nil
	})
}

func intervalToText(c *call) (arrow.Array, error) {
	a := fixed[arrow.MonthDayNanoInterval](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return append(dst, event.FormatInterval(a.at(i))...), nil })
}
