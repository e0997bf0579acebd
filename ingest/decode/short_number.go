package decode

// shortDigits is how many decimal digits are exact in a DOUBLE PRECISION.
const shortDigits = 15

// ParseShortNumber reads a number of few digits without an exponent, as nearly all are: whole tells that it has no fraction. The result is the
// nearest DOUBLE PRECISION, as both its digits and its power of ten are exact (see number.float). ok is false for any other text, which may be a
// number all the same; it is true for some that JSON does not have, which begin with a 0.
func ParseShortNumber(text []byte) (v float64, whole, ok bool) {
	i, negative := 0, len(text) > 0 && text[0] == '-'
	if negative {
		i = 1
	}
	first, point, mantissa := i, -1, int64(0)
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case isDigit(c):
			mantissa = mantissa*10 + int64(c-'0')
		case c == '.' && point < 0 && i > first:
			point = i
		default:
			return 0, false, false
		}
	}
	digits := i - first
	if point >= 0 {
		digits--
	}
	if digits == 0 || digits > shortDigits || point == i-1 {
		return 0, false, false
	}
	v = float64(mantissa)
	if point >= 0 {
		v /= exactPowers[i-1-point]
	}
	if negative {
		v = -v
	}
	return v, point < 0, true
}
