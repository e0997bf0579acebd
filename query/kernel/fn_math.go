package kernel

import (
	"bytes"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerMath(r registry) {
	for name, f := range totalMath {
		r.strict(name+"(DOUBLE PRECISION)", unaryDouble(f))
	}
	for _, partial := range []map[string]func(float64) (float64, string){partialMath, degreeMath} {
		for name, f := range partial {
			r.strict(name+"(DOUBLE PRECISION)", partialDouble(name, f))
		}
	}
	for name, f := range doubleTests {
		r.strict(name+"(DOUBLE PRECISION)", testDouble(f))
	}
	r.strict("pi()", func(*call) (arrow.Array, error) { return event.NewFloat64s([]float64{math.Pi}, nil), nil })
	r.strict("atan2(DOUBLE PRECISION, DOUBLE PRECISION)", partialDoubles("atan2", func(y, x float64) (float64, string) {
		return math.Atan2(y, x), ""
	}))
	r.strict("log(DOUBLE PRECISION, DOUBLE PRECISION)", partialDoubles("log", logarithm))
	r.strict("power(DOUBLE PRECISION, DOUBLE PRECISION)", partialDoubles("power", power))
	r.strict("trunc(DOUBLE PRECISION, BIGINT)", truncateDigits)
	r.strict("width_bucket(DOUBLE PRECISION, DOUBLE PRECISION, DOUBLE PRECISION, BIGINT)", widthBucket)
}

// totalMath are the functions that have a value everywhere.
var totalMath = map[string]func(float64) float64{
	"cbrt": math.Cbrt, "atan": math.Atan, "sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "asinh": math.Asinh, "trunc": math.Trunc, "sign": signOf,
	"radians": func(v float64) float64 { return v / 180 * math.Pi },
}

var doubleTests = map[string]func(float64) bool{
	"isnan":    math.IsNaN,
	"isinf":    func(v float64) bool { return math.IsInf(v, 0) },
	"isfinite": func(v float64) bool { return suspicious(v) == 0 },
}

// partialMath are the functions that some values have no result for: they say why.
var partialMath = map[string]func(float64) (float64, string){
	"exp":     func(v float64) (float64, string) { return math.Exp(v), "" },
	"ln":      logarithmBy(math.Log),
	"log":     logarithmBy(math.Log10),
	"log2":    logarithmBy(math.Log2),
	"degrees": func(v float64) (float64, string) { return v * (180 / math.Pi), "" },
	"sin":     periodic(math.Sin),
	"cos":     periodic(math.Cos),
	"tan":     periodic(math.Tan),
	"cot":     periodic(cotangent),
	"asin":    within(-1, 1, math.Asin),
	"acos":    within(-1, 1, math.Acos),
	"atanh":   within(-1, 1, math.Atanh),
	"acosh":   within(1, math.Inf(1), math.Acosh),
}

func cotangent(v float64) float64 { return 1 / math.Tan(v) }

// poles are the functions that are infinite at some finite numbers, where that is no overflow.
var poles = map[string]bool{"cot": true, "atanh": true}

func signOf(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	default: // zero, or NaN
		return v + 0
	}
}

func logarithmBy(log func(float64) float64) func(float64) (float64, string) {
	return func(v float64) (float64, string) {
		if v <= 0 {
			return 0, "a logarithm is defined for numbers above zero only"
		}
		return log(v), ""
	}
}

func periodic(f func(float64) float64) func(float64) (float64, string) {
	return func(v float64) (float64, string) {
		if math.IsInf(v, 0) {
			return 0, "an angle is finite"
		}
		return f(v), ""
	}
}

func within(low, high float64, f func(float64) float64) func(float64) (float64, string) {
	return func(v float64) (float64, string) {
		if v < low || v > high {
			return 0, "the argument lies outside of the function's domain"
		}
		return f(v), ""
	}
}

func logarithm(base, v float64) (float64, string) {
	switch {
	case base <= 0 || v <= 0:
		return 0, "a logarithm is defined for numbers above zero only"
	case base == 1:
		return 0, "the base of a logarithm is not 1"
	case base == 10:
		return math.Log10(v), ""
	default:
		out := math.Log(v) / math.Log(base)
		if whole := math.Round(out); math.Pow(base, whole) == v { // the quotient may miss it by the last digit
			return whole, ""
		}
		return out, ""
	}
}

func power(base, exponent float64) (float64, string) {
	switch {
	case base == 0 && exponent < 0:
		return 0, "zero has no negative power"
	case base < 0 && exponent != math.Trunc(exponent) && !math.IsNaN(exponent):
		return 0, "a negative number has only whole powers"
	default:
		return math.Pow(base, exponent), ""
	}
}

// partialDouble makes a kernel of a function that gives a reason where it has no value. An infinite result of a finite argument is
// an overflow.
func partialDouble(name string, f func(float64) (float64, string)) kernel {
	return func(c *call) (arrow.Array, error) {
		a := fixed[float64](c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
			x := a.at(i)
			out, reason := f(x)
			if reason == "" && math.IsInf(out, 0) && !math.IsInf(x, 0) && !poles[name] {
				reason = "the result exceeds DOUBLE PRECISION"
			}
			if reason != "" {
				return 0, event.Errorf(event.CodeInvalidValue, "%s(%s): %s", name, formatDouble(x), reason)
			}
			return out, nil
		})
	}
}

// partialDoubles is partialDouble for two arguments.
func partialDoubles(name string, f func(a, b float64) (float64, string)) kernel {
	return func(c *call) (arrow.Array, error) {
		a, b := fixed[float64](c.args[0]), fixed[float64](c.args[1])
		return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
			x, y := a.at(i), b.at(i)
			out, reason := f(x, y)
			if reason == "" && math.IsInf(out, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
				reason = "the result exceeds DOUBLE PRECISION"
			}
			if reason != "" {
				return 0, event.Errorf(event.CodeInvalidValue, "%s(%s, %s): %s", name, formatDouble(x), formatDouble(y), reason)
			}
			return out, nil
		})
	}
}

func testDouble(f func(float64) bool) kernel {
	return func(c *call) (arrow.Array, error) {
		a := fixed[float64](c.args[0])
		return mapBooleans(c, func(i int) (bool, error) { return f(a.at(i)), nil })
	}
}

func truncateDigits(c *call) (arrow.Array, error) {
	values, digits := fixed[float64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		return truncateTo10(values.at(i), digits.at(i)), nil
	})
}

// truncateTo10 cuts a number's decimal digits off behind a place, counted to the right of the point; negative places lie left of it.
// It works on the digits as they are shown: 0.29 * 100 is below 29, and yet 0.29 has two digits to keep.
func truncateTo10(v float64, digits int64) float64 {
	switch {
	case digits > 340 || suspicious(v) != 0:
		return v
	case digits < -308:
		return 0
	case digits == 0:
		return math.Trunc(v)
	}
	text := strconv.AppendFloat(nil, v, 'f', -1, 64)
	point := bytes.IndexByte(text, '.')
	if point < 0 {
		point = len(text)
	}
	if digits > 0 {
		text = text[:min(len(text), point+1+int(digits))]
	} else {
		text = text[:point]
		for i := max(0, point+int(digits)); i < point; i++ {
			if text[i] != '-' {
				text[i] = '0'
			}
		}
	}
	out, _ := strconv.ParseFloat(string(text), 64) // digits with a point among them
	return out
}

// widthBucket numbers the equal buckets between two bounds from 1; what lies before the first is in 0, behind the last in count + 1.
// The bounds may come in either order.
func widthBucket(c *call) (arrow.Array, error) {
	values, lows, highs := fixed[float64](c.args[0]), fixed[float64](c.args[1]), fixed[float64](c.args[2])
	counts := fixed[int64](c.args[3])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		v, low, high, count := values.at(i), lows.at(i), highs.at(i), counts.at(i)
		switch {
		case count <= 0 || count == math.MaxInt64:
			return 0, event.Errorf(event.CodeInvalidValue, "width_bucket: the number of buckets is %d, and must be above zero", count)
		case math.IsNaN(v) || suspicious(low) != 0 || suspicious(high) != 0:
			return 0, event.Errorf(event.CodeInvalidValue, "width_bucket: the value is a number and the bounds are finite")
		case low == high:
			return 0, event.Errorf(event.CodeInvalidValue, "width_bucket: the bounds are both %s", formatDouble(low))
		case low > high:
			v, low, high = -v, -low, -high
		}
		switch {
		case v < low:
			return 0, nil
		case v >= high:
			return count + 1, nil
		}
		// Halved, since the distance of two numbers may exceed the type.
		share := (v/2 - low/2) / (high/2 - low/2)
		return min(int64(share*float64(count)), count-1) + 1, nil
	})
}
