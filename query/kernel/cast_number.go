package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func bigintToDouble(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	out := make([]float64, c.rows)
	for i := range out {
		out[i] = float64(a.values[i&a.mask])
	}
	return event.NewFloat64s(out, c.valid), nil
}

func doubleToBigint(c *call) (arrow.Array, error) {
	a := fixed[float64](c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		v, ok := roundToInt64(a.at(i))
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "%s is out of range for BIGINT", formatDouble(a.at(i)))
		}
		return v, nil
	})
}

// roundToInt64 rounds half to even. NaN and what lies outside of 64 bits have no counterpart.
func roundToInt64(v float64) (int64, bool) {
	v = math.RoundToEven(v)
	// The upper limit itself is not representable; its nearest double is one too many.
	if v >= math.MinInt64 && v < math.MaxInt64 {
		return int64(v), true
	}
	return 0, false
}

func booleanToBigint(c *call) (arrow.Array, error) {
	bits := booleans(c.args[0], c.rows)
	out := make([]int64, c.rows)
	for i := range out {
		out[i] = int64(bits[i>>3] >> (i & 7) & 1)
	}
	return event.NewInt64s(out, c.valid), nil
}

func bigintToBoolean(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapBooleans(c, func(i int) (bool, error) { return a.at(i) != 0, nil })
}
