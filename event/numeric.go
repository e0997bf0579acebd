package event

import (
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// MaxPrecision is the most decimal digits that a NUMERIC has: what 128 bits hold.
const MaxPrecision = 38

// NumericFits reports whether an unscaled value has at most so many digits.
func NumericFits(v decimal128.Num, precision int32) bool { return v.FitsInPrecision(precision) }

// RescaleNumeric moves an unscaled value from one scale to another, rounding half away from zero. ok is false where the result has
// more than 38 digits; exact tells that nothing was rounded.
func RescaleNumeric(v decimal128.Num, from, to int32) (out decimal128.Num, exact, ok bool) {
	switch {
	case from == to:
		return v, true, true
	case from < to:
		// A value times a power of ten fits if it has that many digits less than the limit.
		if v.Sign() == 0 {
			return v, true, true
		}
		if to-from > MaxPrecision-1 || !v.FitsInPrecision(MaxPrecision-(to-from)) {
			return decimal128.Num{}, false, false
		}
		return v.Mul(decimal128.GetScaleMultiplier(int(to - from))), true, true
	case from-to > MaxPrecision:
		return decimal128.Num{}, v.Sign() == 0, true
	}
	quotient, rest := v.Div(decimal128.GetScaleMultiplier(int(from - to)))
	if rest.Sign() == 0 {
		return quotient, true, true
	}
	return roundedAway(quotient, rest, decimal128.GetHalfScaleMultiplier(int(from-to)), v.Sign()), false, true
}

// roundedAway adds to a quotient what its rest rounds to.
func roundedAway(quotient, rest, half decimal128.Num, sign int) decimal128.Num {
	if rest.Abs().Less(half) {
		return quotient
	}
	return quotient.Add(decimal128.FromI64(int64(sign)))
}

// FormatNumeric renders an unscaled value with all digits of its scale: 1250 of scale 3 is "1.250".
func FormatNumeric(v decimal128.Num, scale int32) string { return string(AppendNumeric(nil, v, scale)) }

// AppendNumeric appends what FormatNumeric renders, which is a JSON number too.
func AppendNumeric(dst []byte, v decimal128.Num, scale int32) []byte {
	if v.Sign() < 0 {
		dst = append(dst, '-')
	}
	digits := numericDigits(v.Abs())
	point := len(digits) - int(scale)
	if point <= 0 {
		dst = append(dst, '0')
	} else {
		dst = append(dst, digits[:point]...)
	}
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	for ; point < 0; point++ {
		dst = append(dst, '0')
	}
	return append(dst, digits[point:]...)
}

// numericDigits are the decimal digits of a value that is not negative. Two halves of up to 19 digits hold all 38.
func numericDigits(v decimal128.Num) []byte {
	const half = 10_000_000_000_000_000_000 // 1e19
	high := uint64(v.HighBits())
	if high == 0 {
		return strconv.AppendUint(make([]byte, 0, MaxPrecision+1), v.LowBits(), 10)
	}
	quotient, rest := bits.Div64(high, v.LowBits(), half)
	out := strconv.AppendUint(make([]byte, 0, MaxPrecision+1), quotient, 10)
	start := len(out)
	out = strconv.AppendUint(out, rest, 10)
	for missing := 19 - (len(out) - start); missing > 0; missing-- {
		out = append(out, 0)
		copy(out[start+1:], out[start:])
		out[start] = '0'
	}
	return out
}

// Decimal is a decimal number that was read: Value times ten to the power of minus Scale, Scale from 0 to 38.
type Decimal struct {
	Value decimal128.Num
	Scale int32
	// Exact is false where the text has more digits behind the point than 38 digits leave room for; the rest is cut off.
	Exact bool
}

// ParseDecimal reads a decimal number such as -12.50 or 1.5e3. ok is false for other text and for numbers of more than 38 digits
// before the point. It allocates nothing.
func ParseDecimal(text string) (out Decimal, ok bool) {
	r := decimalReader{exact: true}
	s, negative := text, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s, negative = s[1:], s[0] == '-'
	}
	s = r.digits(s, false)
	if s != "" && s[0] == '.' {
		s = r.digits(s[1:], true)
	}
	if r.read == 0 || r.tooLong {
		return out, false
	}
	exponent := 0
	if s != "" {
		if exponent, ok = parseExponent(s); !ok {
			return out, false
		}
	}
	return r.decimal(exponent, negative)
}

// decimalReader gathers the digits of a number.
type decimalReader struct {
	high, low   uint64
	read        int // digits seen
	significant int // digits taken, without leading zeros
	scale       int32
	exact       bool
	tooLong     bool
}

// digits takes the digits that s begins with and returns the rest.
func (r *decimalReader) digits(s string, fraction bool) string {
	for s != "" && s[0]-'0' <= 9 {
		r.read++
		r.add(uint64(s[0]-'0'), fraction)
		s = s[1:]
	}
	return s
}

func (r *decimalReader) add(digit uint64, fraction bool) {
	if r.significant == MaxPrecision || (fraction && r.scale == MaxPrecision) {
		r.tooLong = r.tooLong || !fraction
		r.exact = r.exact && digit == 0
		return
	}
	if fraction {
		r.scale++
	}
	if r.significant > 0 || digit > 0 {
		r.significant++
	}
	over, low := bits.Mul64(r.low, 10)
	sum, carry := bits.Add64(low, digit, 0)
	r.high, r.low = r.high*10+over+carry, sum
}

// parseExponent reads an exponent with its e. One too large to matter is cut.
func parseExponent(s string) (exponent int, ok bool) {
	if s[0]|0x20 != 'e' {
		return 0, false
	}
	s = s[1:]
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s, negative = s[1:], s[0] == '-'
	}
	if s == "" {
		return 0, false
	}
	const most = 10_000
	for ; s != ""; s = s[1:] {
		if s[0]-'0' > 9 {
			return 0, false
		}
		exponent = min(exponent*10+int(s[0]-'0'), most)
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

// decimal applies the exponent and the sign.
func (r *decimalReader) decimal(exponent int, negative bool) (out Decimal, ok bool) {
	v, exact, ok := decimal128.New(int64(r.high), r.low), true, true
	scale := r.scale - int32(exponent)
	switch {
	case scale < 0:
		v, _, ok = RescaleNumeric(v, 0, -scale)
		scale = 0
	case scale > MaxPrecision:
		v, exact, ok = RescaleNumeric(v, scale, MaxPrecision)
		scale = MaxPrecision
	}
	if negative {
		v = v.Negate()
	}
	return Decimal{Value: v, Scale: scale, Exact: exact && r.exact}, ok
}

// As is the number as an unscaled value of a NUMERIC type, rounded half away from zero. ok is false where it has too many digits
// before the point; exact tells that nothing was rounded.
func (d Decimal) As(t Type) (v decimal128.Num, exact, ok bool) {
	v, exact, ok = RescaleNumeric(d.Value, d.Scale, t.Scale)
	return v, exact && d.Exact, ok && v.FitsInPrecision(t.Precision)
}

// Type is the narrowest NUMERIC that holds the number with the digits it is written with.
func (d Decimal) Type() Type {
	digits := int32(len(numericDigits(d.Value.Abs())))
	return Type{Kind: Numeric, Precision: max(digits, d.Scale, 1), Scale: d.Scale}
}
