package decode

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Digits are read eight bytes at a time, as strings are: how many there are then costs no branch that a processor would have to guess.

// wordBytes is how many bytes are looked at together.
const wordBytes = 8

// digitsOf gives the digits that a word begins with as one number, and how many they are.
func digitsOf(word uint64) (value uint64, n int) {
	digits := word ^ '0'*eachLow
	// What is no digit is beyond 9 or beyond ASCII. A carry out of it only reaches bytes behind it. Of a word of digits alone, n is 8.
	n = bits.TrailingZeros64((digits+(0x7f-9)*eachLow|digits)&eachHigh) >> 3
	half := (wordBytes - n) * 4 & 63 // no digit at all has to go, by twice 32 bits
	return eightDigits(digits << half << half), n
}

// eightDigits joins digits, each the value of a byte and the lowest byte the first, pairs before fours before all.
func eightDigits(digits uint64) uint64 {
	digits = (digits*10 + digits>>8) & 0x00ff00ff00ff00ff
	digits = (digits*100 + digits>>16) & 0x0000ffff0000ffff
	return (digits*10_000 + digits>>32) & 0xffffffff
}

// tens are the powers of ten that a number read by digitsOf is moved by.
var tens = [wordBytes + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// maxFastDigits is how many digits of a number fit an uint64 whatever they are.
const maxFastDigits = 19

// moreDigits reads on behind the first eight digits of a number, which begins at i and is value up to there. It ends at end, which is -1 where it has more
// than 19 digits or ends too close to the end of the text. next is the byte there.
func moreDigits(text []byte, i int, value uint64) (all uint64, end int, next byte) {
	for end = i + wordBytes; end+wordBytes <= len(text); {
		word := binary.LittleEndian.Uint64(text[end:])
		more, n := digitsOf(word)
		if end += n; end-i > maxFastDigits {
			break
		}
		value = value*tens[n] + more
		if n < wordBytes {
			return value, end, byteOf(word, n)
		}
	}
	return 0, -1, 0
}

// byteOf is a byte of a word, of which the lowest is 0.
func byteOf(word uint64, n int) byte { return byte(word >> (8 * n & 63)) }

// FastInteger reads an integer within 64 bits as JSON has it; end is -1 for any other text, which may be an integer all the same, and where less than eight
// bytes follow it. There is a byte at i.
func FastInteger(text []byte, i int) (value int64, end int) {
	negative := text[i] == '-'
	if negative {
		i++
	}
	if i+wordBytes > len(text) {
		return 0, -1
	}
	word := binary.LittleEndian.Uint64(text[i:])
	digits, n := digitsOf(word)
	if n == 0 || byte(word) == '0' && (n > 1 || negative) {
		return 0, -1
	}
	next := byteOf(word, n)
	end = i + n
	if n == wordBytes {
		if digits, end, next = moreDigits(text, i, digits); end < 0 || digits > math.MaxInt64 {
			return 0, -1
		}
	}
	if next == '.' || next|0x20 == 'e' {
		return 0, -1
	}
	if negative {
		return -int64(digits), end
	}
	return int64(digits), end
}

// FastDouble is FastInteger for numbers with or without a point, of few digits before and behind it, without an exponent. Digits and power of ten are exact,
// so that one division rounds correctly (see number.float).
func FastDouble(text []byte, i int) (value float64, end int) {
	negative := text[i] == '-'
	if negative {
		i++
	}
	if i+wordBytes > len(text) {
		return 0, -1
	}
	word := binary.LittleEndian.Uint64(text[i:])
	digits, n := digitsOf(word)
	if n == 0 || byte(word) == '0' && n > 1 {
		return 0, -1
	}
	next, scale := byteOf(word, n), 0
	end = i + n
	if n == wordBytes {
		if digits, end, next = moreDigits(text, i, digits); end < 0 || digits >= 1e15 {
			return 0, -1
		}
	}
	if next == '.' {
		if end+1+wordBytes > len(text) {
			return 0, -1
		}
		var behind uint64
		word = binary.LittleEndian.Uint64(text[end+1:])
		behind, scale = digitsOf(word)
		if scale == 0 || scale == wordBytes || digits >= 1e7 {
			return 0, -1
		}
		digits, end, next = digits*tens[scale]+behind, end+1+scale, byteOf(word, scale)
	}
	if next|0x20 == 'e' {
		return 0, -1
	}
	value = float64(digits)
	if scale > 0 {
		value /= exactPowers[scale]
	}
	if negative {
		value = -value
	}
	return value, end
}

// EightDigits reads a word of eight digits, the first of which is its lowest byte; false if one of its bytes is no digit.
func EightDigits(word uint64) (value uint64, ok bool) {
	digits := word ^ '0'*eachLow
	if (digits+(0x7f-9)*eachLow|digits)&eachHigh != 0 {
		return 0, false
	}
	return eightDigits(digits), true
}
