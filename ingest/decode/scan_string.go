package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Masks for looking at eight bytes at a time.
const (
	eachLow  = 0x0101010101010101
	eachHigh = 0x8080808080808080
)

// plainEnd returns the index of the first quote, backslash or control character from i on, or the length of the text, and the
// union of the bytes before it, of which the bits in eachHigh tell whether any is beyond ASCII.
func plainEnd(text []byte, i int) (end int, union uint64) {
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		if stop := stops(word); stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3, union | word&(stop&-stop-1)
		}
		union |= word
	}
	for ; i < len(text); i++ {
		c := text[i]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		union |= uint64(c)
	}
	return i, union
}

// stops sets the high bit of the first byte of a word that is a quote, a backslash or a control character. The bits above it mean nothing: in
// each test a borrow can set the bit of a byte above a match as well. Bytes beyond ASCII, of which none is one, are the same in all three tests.
func stops(word uint64) uint64 {
	return (((word ^ '"'*eachLow) - eachLow) | ((word ^ '\\'*eachLow) - eachLow) | (word - ' '*eachLow)) &^ word & eachHigh
}

// copyText copies what stands from i on up to the closing quote, with what its escapes of one letter stand for. It gives the length of the copy and the index
// behind the quote, which is -1, and dst holds anything, if there are other escapes, bytes that are not UTF-8, or not room for the words that it copies.
func copyText(dst, text []byte, i int) (n, end int) {
	var beyondASCII uint64
	for n+wordBytes <= len(dst) && i+wordBytes < len(text) {
		word := binary.LittleEndian.Uint64(text[i:])
		binary.LittleEndian.PutUint64(dst[n:], word)
		stop := stops(word)
		if stop == 0 {
			n, i, beyondASCII = n+wordBytes, i+wordBytes, beyondASCII|word
			continue
		}
		plain := bits.TrailingZeros64(stop) >> 3
		n, i, beyondASCII = n+plain, i+plain, beyondASCII|word&(stop&-stop-1)
		if text[i] == '"' {
			if beyondASCII&eachHigh != 0 && !utf8.Valid(dst[:n]) {
				return 0, -1
			}
			return n, i + 1
		}
		if text[i] != '\\' || letters[text[i+1]] == 0 {
			return 0, -1
		}
		dst[n] = letters[text[i+1]]
		n, i = n+1, i+2
	}
	return 0, -1
}

// letters are what stands for a byte behind a backslash; 0 where nothing does.
var letters = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// string checks the string whose opening quote is at i, and reports whether it has escapes.
func (s *scanner) string(i int) (end int, escaped bool) {
	start := i + 1
	var beyondASCII uint64
	for j := start; ; {
		stop, union := plainEnd(s.text, j)
		beyondASCII |= union & eachHigh
		switch {
		case stop == len(s.text):
			return s.fail(stop, "the string does not end"), false
		case s.text[stop] == '"':
			if beyondASCII != 0 && !utf8.Valid(s.text[start:stop]) {
				return s.fail(start+invalidUTF8(s.text[start:stop]), "invalid UTF-8"), false
			}
			return stop + 1, escaped
		case s.text[stop] != '\\':
			return s.fail(stop, "a control character in a string must be escaped"), false
		}
		if j = s.escape(stop); j < 0 {
			return j, false
		}
		escaped = true
	}
}

// escape checks the escape sequence whose backslash is at i. Half of a surrogate pair stands for no character, so it is refused.
func (s *scanner) escape(i int) int {
	if i+1 >= len(s.text) {
		return s.fail(i, "the string does not end")
	}
	switch s.text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		return s.fail(i, "an unknown escape in a string")
	}
	r := hexRune(s.text, i)
	switch {
	case r < 0:
		return s.fail(i, `\u needs four hexadecimal digits`)
	case !utf16.IsSurrogate(r):
		return i + 6
	case utf16.DecodeRune(r, hexRune(s.text, i+6)) == utf8.RuneError:
		return s.fail(i, "half of a surrogate pair in a string")
	default:
		return i + 12
	}
}

// hexRune reads \uXXXX at i, or gives -1.
func hexRune(text []byte, i int) rune {
	if i+6 > len(text) || text[i] != '\\' || text[i+1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range text[i+2 : i+6] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// invalidUTF8 is the index of the first byte that is not valid UTF-8.
func invalidUTF8(text []byte) int {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// appendUnescaped appends what the inside of a checked string stands for.
func appendUnescaped(dst, inside []byte) []byte {
	for i := 0; i < len(inside); {
		if inside[i] != '\\' {
			end, _ := plainEnd(inside, i)
			dst = append(dst, inside[i:end]...)
			i = end
			continue
		}
		i += 2
		switch c := inside[i-1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, i = unescapedRune(inside, i-2)
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// unescapedRune reads the one or two \u sequences at i that make a character.
func unescapedRune(inside []byte, i int) (r rune, end int) {
	r = hexRune(inside, i)
	if !utf16.IsSurrogate(r) {
		return r, i + 6
	}
	return utf16.DecodeRune(r, hexRune(inside, i+6)), i + 12
}

// stringEnd is the index behind the checked string whose opening quote is at i.
func stringEnd(text []byte, i int) int {
	for i++; ; i += 2 {
		i, _ = plainEnd(text, i)
		if text[i] == '"' {
			return i + 1
		}
	}
}
