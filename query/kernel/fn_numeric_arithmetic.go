package kernel

import (
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

func registerNumericArithmetic(r registry) {
	r.strict("+(NUMERIC, NUMERIC)", unlessExact(sumIsExact, addColumns, numericOperator("+", addScaled)))
	subtract := numericOperator("-", func(a, b scaled, to int32) (decimal128.Num, bool) {
		return addScaled(a, scaled{b.value.Negate(), b.scale}, to)
	})
	r.strict("-(NUMERIC, NUMERIC)", unlessExact(sumIsExact, subtractColumns, subtract))
	multiply := numericOperator("*", func(a, b scaled, to int32) (decimal128.Num, bool) {
		return multiplyNumerics(a.value, b.value, a.scale+b.scale, to)
	})
	r.strict("*(NUMERIC, NUMERIC)", unlessExact(productIsExact, multiplyColumns, multiply))
	r.strict("/(NUMERIC, NUMERIC)", numericOperator("/", divideScaled))
	r.strict("%(NUMERIC, NUMERIC)", numericOperator("%", remainderScaled))
	r.strict("-(NUMERIC)", numericFunction(decimal128.Num.Negate))
	r.strict("abs(NUMERIC)", numericFunction(decimal128.Num.Abs))
}

// scaled is one decimal number.
type scaled struct {
	value decimal128.Num
	scale int32
}

func (s scaled) String() string { return event.FormatNumeric(s.value, s.scale) }

// numericOperator computes row by row; an operation reports false where the result has more than 38 digits.
func numericOperator(symbol string, operation func(a, b scaled, to int32) (decimal128.Num, bool)) kernel {
	divides := symbol == "/" || symbol == "%"
	return func(c *call) (arrow.Array, error) {
		x, y := decimalsOf(c.args[0]), decimalsOf(c.args[1])
		return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
			a, b := scaled{x.at(i), x.scale}, scaled{y.at(i), y.scale}
			if divides && b.value.Sign() == 0 {
				return decimal128.Num{}, event.Errorf(event.CodeInvalidValue, "division by zero in %s %s 0", a, symbol)
			}
			out, ok := operation(a, b, c.result.Scale)
			if !ok || !out.FitsInPrecision(c.result.Precision) {
				return out, event.Errorf(event.CodeInvalidValue, "%s overflow in %s %s %s", c.result, a, symbol, b)
			}
			return out, nil
		})
	}
}

func addScaled(a, b scaled, to int32) (decimal128.Num, bool) {
	x, _, xFits := event.RescaleNumeric(a.value, a.scale, to)
	y, _, yFits := event.RescaleNumeric(b.value, b.scale, to)
	if !xFits || !yFits {
		sum := scaledBig(a.value, to-a.scale)
		return fromBig(sum.Add(sum, scaledBig(b.value, to-b.scale)))
	}
	return addNumerics(x, y)
}

func divideScaled(a, b scaled, to int32) (decimal128.Num, bool) {
	if from := a.scale - b.scale; from <= to {
		return divideNumerics(a.value, b.value, from, to)
	}
	return roundedQuotient(a.value.BigInt(), scaledBig(b.value, a.scale-b.scale-to))
}

// remainderScaled takes the dividend's sign.
func remainderScaled(a, b scaled, to int32) (decimal128.Num, bool) {
	x, _, xFits := event.RescaleNumeric(a.value, a.scale, to)
	y, _, yFits := event.RescaleNumeric(b.value, b.scale, to)
	if xFits && yFits {
		_, rest := x.Div(y)
		return rest, true
	}
	return fromBig(new(big.Int).Rem(scaledBig(a.value, to-a.scale), scaledBig(b.value, to-b.scale)))
}

func numericFunction(f func(decimal128.Num) decimal128.Num) kernel {
	return func(c *call) (arrow.Array, error) {
		a := decimalsOf(c.args[0])
		return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) { return f(a.at(i)), nil })
	}
}
