package kernel

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// decimals is access to a NUMERIC operand: unscaled values and the scale that all of them have.
type decimals struct {
	column[decimal128.Num]
	scale int32
}

func decimalsOf(o Operand) decimals {
	return decimals{column: fixed[decimal128.Num](o), scale: o.Array.DataType().(*arrow.Decimal128Type).Scale}
}

// asInt64 is an unscaled value in 64 bits, where it fits: then the processor's own arithmetic will do.
func asInt64(v decimal128.Num) (int64, bool) {
	low := int64(v.LowBits())
	return low, v.HighBits() == low>>63
}

// addNumerics adds two values of one scale; ok is false where the sum has more than 38 digits.
func addNumerics(a, b decimal128.Num) (sum decimal128.Num, ok bool) {
	sum = a.Add(b)
	wrapped := (a.Sign() < 0) == (b.Sign() < 0) && a.Sign() != 0 && b.Sign() != 0 && (sum.Sign() < 0) != (a.Sign() < 0)
	return sum, !wrapped && sum.FitsInPrecision(event.MaxPrecision)
}

// multiplyNumerics gives the product of a value of scale from as one of scale to, rounded half away from zero.
func multiplyNumerics(a, b decimal128.Num, from, to int32) (decimal128.Num, bool) {
	x, xFits := asInt64(a)
	y, yFits := asInt64(b)
	if !xFits || !yFits {
		return narrowBig(new(big.Int).Mul(a.BigInt(), b.BigInt()), from, to)
	}
	high, low := bits.Mul64(uint64(x), uint64(y))
	signed := int64(high) - (x>>63)&y - (y>>63)&x
	out, _, ok := event.RescaleNumeric(decimal128.New(signed, low), from, to)
	return out, ok
}

// divideNumerics gives a/b, the quotient of two unscaled values that has scale from where it is whole, as one of scale to. b is not zero.
func divideNumerics(a, b decimal128.Num, from, to int32) (decimal128.Num, bool) {
	return roundedQuotient(scaledBig(a, to-from), b.BigInt())
}

// scaledBig is a value times a power of ten, which is not negative.
func scaledBig(v decimal128.Num, power int32) *big.Int {
	return new(big.Int).Mul(v.BigInt(), powerOfTen(power))
}

func powerOfTen(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// roundedQuotient rounds half away from zero.
func roundedQuotient(a, b *big.Int) (decimal128.Num, bool) {
	quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).CmpAbs(b) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return fromBig(quotient)
}

// narrowBig brings a value from a scale to a lesser one or the same.
func narrowBig(v *big.Int, from, to int32) (decimal128.Num, bool) {
	if from == to {
		return fromBig(v)
	}
	return roundedQuotient(v, powerOfTen(from-to))
}

// fromBig reports false for what has more than 38 digits.
func fromBig(v *big.Int) (decimal128.Num, bool) {
	if v.BitLen() > 127 {
		return decimal128.Num{}, false
	}
	out := decimal128.FromBigInt(v)
	return out, out.FitsInPrecision(event.MaxPrecision)
}

// numericOrdering compares values, which may be of different scales.
func numericOrdering(a, b Operand) func(i, j int) int {
	x, y := decimalsOf(a), decimalsOf(b)
	if x.scale == y.scale {
		return func(i, j int) int { return x.at(i).Cmp(y.at(j)) }
	}
	scale := max(x.scale, y.scale)
	return func(i, j int) int {
		v, _, vFits := event.RescaleNumeric(x.at(i), x.scale, scale)
		w, _, wFits := event.RescaleNumeric(y.at(j), y.scale, scale)
		if vFits && wFits {
			return v.Cmp(w)
		}
		return scaledBig(x.at(i), scale-x.scale).Cmp(scaledBig(y.at(j), scale-y.scale))
	}
}

// exactPowers are the powers of ten that a double holds exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// numericToFloat is the nearest double. Where value and power are both exact one division rounds once; else the decimal digits are read.
func numericToFloat(v decimal128.Num, scale int32) float64 {
	const exact = 1 << 53
	if n, ok := asInt64(v); ok && n > -exact && n < exact && int(scale) < len(exactPowers) {
		return float64(n) / exactPowers[scale]
	}
	out, _ := parseDouble(event.FormatNumeric(v, scale))
	return out
}

// floatToNumeric reads the shortest decimal number that stands for a double.
func floatToNumeric(v float64, t event.Type) (decimal128.Num, bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return decimal128.Num{}, false
	}
	return readNumeric(formatDouble(v), t)
}

// readNumeric reads a decimal number, rounded to the scale of a type.
func readNumeric(text string, t event.Type) (decimal128.Num, bool) {
	d, ok := event.ParseDecimal(text)
	if !ok {
		return decimal128.Num{}, false
	}
	v, _, ok := d.As(t)
	return v, ok
}
