package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// integerPlaces brings integers to a number of decimal places. Places behind the point change nothing: places < 0 are those before it.
func integerPlaces(name string, f func(v, unit int64) (int64, bool)) kernel {
	return func(c *call) (arrow.Array, error) {
		values, places := fixed[int64](c.args[0]), fixed[int64](c.args[1])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
			v, n := values.at(i), places.at(i)
			unit := int64(1)
			switch {
			case n >= 0:
				return v, nil
			case n < -19 || n == -19 && name == "trunc":
				return 0, nil
			case n == -19: // half of it is the largest unit that there is
				if v >= 5e18 || v <= -5e18 {
					return 0, event.Errorf(event.CodeInvalidValue, "round(%d, %d) is out of range for BIGINT", v, n)
				}
				return 0, nil
			}
			for ; n < 0; n++ {
				unit *= 10
			}
			out, ok := f(v, unit)
			if !ok {
				return 0, event.Errorf(event.CodeInvalidValue, "%s(%d, %d) is out of range for BIGINT", name, v, places.at(i))
			}
			return out, nil
		})
	}
}

func truncateBigint(v, unit int64) (int64, bool) { return v - v%unit, true }

// roundBigint rounds halves away from zero, as NUMERIC does.
func roundBigint(v, unit int64) (int64, bool) {
	rest := v % unit
	v -= rest
	switch {
	case rest >= unit/2:
		return v + unit, v <= math.MaxInt64-unit
	case rest <= -unit/2:
		return v - unit, v >= math.MinInt64+unit
	default:
		return v, true
	}
}
