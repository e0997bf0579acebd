package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerRounding(r registry) {
	r.strict("round(DOUBLE PRECISION)", unaryDouble(math.RoundToEven))
	r.strict("round(DOUBLE PRECISION, BIGINT)", roundDigits)
	r.strict("floor(DOUBLE PRECISION)", unaryDouble(math.Floor))
	r.strict("ceil(DOUBLE PRECISION)", unaryDouble(math.Ceil))
	r.strict("sqrt(DOUBLE PRECISION)", squareRoot)
}

func roundDigits(c *call) (arrow.Array, error) {
	values, digits := fixed[float64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		return roundTo(values.at(i), digits.at(i)), nil
	})
}

// roundTo rounds half to even at a decimal place, counted to the right of the point; negative places lie left of it.
func roundTo(v float64, digits int64) float64 {
	switch {
	case digits > 308 || math.IsInf(v, 0) || math.IsNaN(v):
		return v
	case digits < -308:
		return 0
	case digits < 0:
		scale := math.Pow10(int(-digits))
		return math.RoundToEven(v/scale) * scale
	}
	const exactBelow = 1 << 53 // from here on a number has no digits left to round
	scale := math.Pow10(int(digits))
	scaled := v * scale
	if math.Abs(scaled) >= exactBelow {
		return v
	}
	return math.RoundToEven(scaled) / scale
}

func squareRoot(c *call) (arrow.Array, error) {
	a := fixed[float64](c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		if a.at(i) < 0 {
			return 0, event.Errorf(event.CodeInvalidValue, "square root of the negative number %s", formatDouble(a.at(i)))
		}
		return math.Sqrt(a.at(i)), nil
	})
}
