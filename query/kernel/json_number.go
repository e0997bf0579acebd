package kernel

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// compareNumbers orders two JSON numbers exactly, however they are spelled: 1e2 equals 100.0.
func compareNumbers(a, b string) int {
	x, xErr := strconv.ParseInt(a, 10, 64)
	y, yErr := strconv.ParseInt(b, 10, 64)
	if xErr == nil && yErr == nil {
		return cmp.Compare(x, y)
	}
	return parseDecimal(a).compare(parseDecimal(b))
}

// compareNumberToDouble goes by the double nearest to the JSON number, so that 0.1 equals 0.1. A number out of double's range
// still lies short of infinity.
func compareNumberToDouble(number string, v float64) int {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil && f == v {
		return -int(math.Copysign(1, v))
	}
	return compareDoubles(f, v)
}

// decimal is a number as 0.digits times ten to the power of point. Digits neither begin nor end with 0; zero has none.
type decimal struct {
	negative bool
	digits   string
	point    int64
}

// maxExponent stands for all exponents beyond it, so that sums with lengths cannot overflow.
const maxExponent = 1 << 60

// parseDecimal takes a JSON number apart.
func parseDecimal(s string) decimal {
	var d decimal
	s, d.negative = strings.CutPrefix(s, "-")
	mantissa, exponent, ok := cutExponent(s)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole
	if fraction != "" {
		digits += fraction
	}
	d.point = int64(len(whole))
	stripped := strings.TrimLeft(digits, "0")
	d.point -= int64(len(digits) - len(stripped))
	d.digits = strings.TrimRight(stripped, "0")
	if d.digits == "" {
		return decimal{}
	}
	if ok {
		n, _ := strconv.ParseInt(exponent, 10, 64) // saturates on overflow
		d.point += max(-maxExponent, min(n, maxExponent))
	}
	return d
}

func cutExponent(s string) (mantissa, exponent string, ok bool) {
	at := strings.IndexAny(s, "eE")
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compare(o decimal) int {
	if c := cmp.Compare(d.sign(), o.sign()); c != 0 || d.digits == "" {
		return c
	}
	c := cmp.Compare(d.point, o.point)
	if c == 0 {
		c = strings.Compare(d.digits, o.digits)
	}
	if d.negative {
		return -c
	}
	return c
}
