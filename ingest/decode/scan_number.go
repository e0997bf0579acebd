package decode

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
)

// numberClass says how a number is written, which decides what can hold it.
type numberClass uint8

const (
	whole    numberClass = iota // an integer literal within int64
	beyond                      // an integer literal beyond int64
	fraction                    // any other, among them -0, which no integer can hold
)

// number is the last number that a scanner read.
type number struct {
	class    numberClass
	integer  int64 // the value of a whole number
	negative bool
	// The number is mantissa times ten to the exponent, unless it has more digits than fit.
	mantissa uint64
	exponent int
	fits     bool
	text     []byte
}

// maxMantissaDigits is how many decimal digits fit any uint64.
const maxMantissaDigits = 19

// maxExponent bounds what is read of an exponent; any beyond makes 0 or infinity just the same.
const maxExponent = 100_000

// exactPowers are the powers of ten that a float64 holds exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// number reads the number at i into s.num.
func (s *scanner) number(i int) int {
	text, start := s.text, i
	negative := text[i] == '-'
	if negative {
		i++
	}
	first := i
	var mantissa uint64
	for i < len(text) && isDigit(text[i]) {
		mantissa = mantissa*10 + uint64(text[i]-'0')
		i++
	}
	switch digits := i - first; {
	case digits == 0 && i < len(text) && text[i] == 'I':
		return s.fail(start, noValue(text[start:]))
	case digits == 0:
		return s.fail(i, "a digit is missing")
	case digits > 1 && text[first] == '0':
		return s.fail(first, "a number cannot start with 0")
	}
	s.num = number{mantissa: mantissa, negative: negative, fits: i-first <= maxMantissaDigits}
	if i < len(text) && (text[i] == '.' || text[i]|0x20 == 'e') {
		s.num.class = fraction
		i = s.fraction(i, i-first)
	} else {
		s.num.setInteger()
	}
	if i >= 0 {
		s.num.text = text[start:i]
	}
	return i
}

// fraction reads what follows the integer digits of a number that is no integer literal.
func (s *scanner) fraction(i, digits int) int {
	text, n := s.text, &s.num
	if text[i] == '.' {
		first := i + 1
		for i = first; i < len(text) && isDigit(text[i]); i++ {
			n.mantissa = n.mantissa*10 + uint64(text[i]-'0')
		}
		if i == first {
			return s.fail(i, "a digit is missing")
		}
		n.exponent = first - i
		n.fits = digits+i-first <= maxMantissaDigits
	}
	if i == len(text) || text[i]|0x20 != 'e' {
		return i
	}
	i++
	negative := i < len(text) && text[i] == '-'
	if negative || i < len(text) && text[i] == '+' {
		i++
	}
	first, exponent := i, 0
	for ; i < len(text) && isDigit(text[i]); i++ {
		exponent = min(exponent*10+int(text[i]-'0'), maxExponent)
	}
	if i == first {
		return s.fail(i, "a digit is missing")
	}
	if negative {
		exponent = -exponent
	}
	n.exponent += exponent
	return i
}

// setInteger classes an integer literal.
func (n *number) setInteger() {
	switch {
	case n.negative && n.mantissa == 0 && n.fits:
		n.class = fraction
	case !n.fits || n.mantissa > math.MaxInt64 && (!n.negative || n.mantissa > 1<<63):
		n.class = beyond
	case n.negative:
		n.integer = -int64(n.mantissa) // -2^63 comes out right: it is its own negation
	default:
		n.integer = int64(n.mantissa)
	}
}

// float is the nearest float64; false if there is none because the number is too large.
//
// Where mantissa and power of ten are both exact, one multiplication or division rounds correctly (Clinger, "How to Read Floating Point
// Numbers Accurately", 1990). The standard library does the rest.
func (n *number) float() (float64, bool) {
	if n.fits && n.mantissa <= 1<<53 && -len(exactPowers) < n.exponent && n.exponent < len(exactPowers) {
		f := float64(n.mantissa)
		if n.negative {
			f = -f
		}
		if n.exponent < 0 {
			return f / exactPowers[-n.exponent], true
		}
		return f * exactPowers[n.exponent], true
	}
	// ParseFloat keeps its argument in no case, not even in an error.
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(n.text), len(n.text)), 64)
	return f, err == nil
}

// double is the value as DOUBLE PRECISION; false if that cannot hold it. A fraction is rounded, as ever; an integer must be exact.
func (n *number) double() (float64, bool) {
	f, ok := n.float()
	if !ok || n.class == fraction || n.fits && n.mantissa <= 1<<53 {
		return f, ok
	}
	var digits [32]byte // integers beyond it in length are rarer than the allocation is dear
	return f, bytes.Equal(strconv.AppendFloat(digits[:0], f, 'f', 0, 64), n.text)
}

// notFinite reads the string at i if it is how DOUBLE PRECISION writes a value that no JSON number is; -1 if it is not.
func (s *scanner) notFinite(i int) (v float64, end int) {
	for _, f := range [...]struct {
		text  string
		value float64
	}{{`"NaN"`, math.NaN()}, {`"Infinity"`, math.Inf(1)}, {`"-Infinity"`, math.Inf(-1)}} {
		if end = i + len(f.text); end <= len(s.text) && string(s.text[i:end]) == f.text {
			return f.value, end
		}
	}
	return 0, -1
}

// exactIntegers bounds the magnitudes up to which every integer is a DOUBLE PRECISION value.
const exactIntegers = 1 << 53

// AppendDouble appends a DOUBLE PRECISION value as JSON that a DOUBLE PRECISION column takes and that reads back as it. event.AppendDouble
// writes large ones as integers, which a column takes for integers that it would have to round.
func AppendDouble(dst []byte, v float64) []byte {
	if abs := math.Abs(v); abs >= exactIntegers && !math.IsInf(v, 0) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return event.AppendDouble(dst, v)
}

// ParseDouble reads a number as JSON writes it to the nearest DOUBLE PRECISION. asJSON tells that the text itself, put into a row,
// would be taken as that value; ok is false for another text, and for a number that is too large.
func ParseDouble(text []byte) (v float64, asJSON, ok bool) {
	var s scanner
	if !s.isNumber(text) {
		return 0, false, false
	}
	v, ok = s.num.float()
	_, asJSON = s.num.double()
	return v, asJSON, ok
}

// ParseInteger reads a number as JSON writes it if it is an integer within 64 bits.
func ParseInteger(text []byte) (v int64, ok bool) {
	var s scanner
	if !s.isNumber(text) || s.num.class != whole {
		return 0, false
	}
	return s.num.integer, true
}

func isDigit(c byte) bool { return c-'0' <= 9 }
