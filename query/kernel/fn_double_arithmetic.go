package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerDoubleArithmetic(r registry) {
	r.strict("+(DOUBLE PRECISION, DOUBLE PRECISION)", addDoubles)
	r.strict("-(DOUBLE PRECISION, DOUBLE PRECISION)", subtractDoubles)
	r.strict("*(DOUBLE PRECISION, DOUBLE PRECISION)", multiplyDoubles)
	r.strict("/(DOUBLE PRECISION, DOUBLE PRECISION)", divideDoubles)
	r.strict("%(DOUBLE PRECISION, DOUBLE PRECISION)", remainderDoubles)
	r.strict("-(DOUBLE PRECISION)", unaryDouble(func(v float64) float64 { return -v }))
	r.strict("abs(DOUBLE PRECISION)", unaryDouble(math.Abs))
}

// suspicious is NaN for infinities and NaN, and 0 for all else: the loops add it up, and single rows are looked at only if any
// turned up. Division by zero gives one of the two.
func suspicious(v float64) float64 { return v - v }

func addDoubles(c *call) (arrow.Array, error) {
	a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
	out := make([]float64, c.rows)
	var bad float64
	for i := range out {
		out[i] = a.values[i&a.mask] + b.values[i&b.mask]
		bad += suspicious(out[i])
	}
	return c.finishDoubles(out, bad, a, b, "+")
}

func subtractDoubles(c *call) (arrow.Array, error) {
	a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
	out := make([]float64, c.rows)
	var bad float64
	for i := range out {
		out[i] = a.values[i&a.mask] - b.values[i&b.mask]
		bad += suspicious(out[i])
	}
	return c.finishDoubles(out, bad, a, b, "-")
}

func multiplyDoubles(c *call) (arrow.Array, error) {
	a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
	out := make([]float64, c.rows)
	var bad float64
	for i := range out {
		out[i] = a.values[i&a.mask] * b.values[i&b.mask]
		bad += suspicious(out[i])
	}
	return c.finishDoubles(out, bad, a, b, "*")
}

func divideDoubles(c *call) (arrow.Array, error) {
	a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
	out := make([]float64, c.rows)
	var bad float64
	for i := range out {
		out[i] = a.values[i&a.mask] / b.values[i&b.mask]
		bad += suspicious(out[i])
	}
	return c.finishDoubles(out, bad, a, b, "/")
}

func remainderDoubles(c *call) (arrow.Array, error) {
	a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		if b.at(i) == 0 {
			return 0, errDoubleDivision(a.at(i), "%")
		}
		return math.Mod(a.at(i), b.at(i)), nil
	})
}

// finishDoubles fails if in a valid row something was divided by zero, or finite values gave an infinite one.
func (c *call) finishDoubles(out []float64, bad float64, a, b column[float64], symbol string) (arrow.Array, error) {
	if bad == 0 {
		return event.NewFloat64s(out, c.valid), nil
	}
	for i, v := range out {
		if !c.valid.Valid(i) {
			continue
		}
		x, y := a.at(i), b.at(i)
		if symbol == "/" && y == 0 {
			return nil, errDoubleDivision(x, symbol)
		}
		if math.IsInf(v, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
			return nil, event.Errorf(event.CodeInvalidValue, "DOUBLE PRECISION overflow in %s %s %s", formatDouble(x), symbol, formatDouble(y))
		}
	}
	return event.NewFloat64s(out, c.valid), nil
}

func errDoubleDivision(dividend float64, symbol string) error {
	return event.Errorf(event.CodeInvalidValue, "division by zero in %s %s 0", formatDouble(dividend), symbol)
}

// unaryDouble makes a kernel of a function that fails for no value.
func unaryDouble(f func(float64) float64) kernel {
	return func(c *call) (arrow.Array, error) {
		a := fixed[float64](c.args[0])
		out := make([]float64, c.rows)
		for i := range out {
			out[i] = f(a.values[i&a.mask])
		}
		return event.NewFloat64s(out, c.valid), nil
	}
}

// formatDouble is the text form of a number: the shortest that reads back as the same.
func formatDouble(v float64) string { return string(appendDouble(nil, v)) }

// appendDouble differs from the JSON form only in that NaN and infinities go without quotes.
func appendDouble(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	default:
		return event.AppendDouble(dst, v)
	}
}
