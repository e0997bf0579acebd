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
// each test a borrow can set the bit of a byte above a match as well. Turning over the second bit of each byte moves the quote down to the control characters,
// and nothing else below it that was not there. Bytes beyond ASCII, of which none is one, are the same in both tests.
func stops(word uint64) uint64 {
	return (((word ^ 2*eachLow) - ('"'-1)*eachLow) | ((word ^ '\\'*eachLow) - eachLow)) &^ word & eachHigh
}

// plainOf is how many bytes come before the first of two words that stops looks for; copyBytes if there is none.
func plainOf(first, second uint64) int {
	plain := bits.TrailingZeros64(stops(first)) >> 3
	if plain == wordBytes {
		plain += bits.TrailingZeros64(stops(second)) >> 3
	}
	return plain
}

// copyBytes is how much copyText looks at together. Most runs without an escape are shorter: then no branch depends on how long they are.
const copyBytes = 2 * wordBytes

// copyText copies what stands from i on up to the closing quote, with what its escapes of one letter stand for. It gives the length of the copy and the index
// behind the quote, which is -1, and dst holds anything, if there are other escapes, bytes that are not UTF-8, or not room for the copy.
func copyText(dst, text []byte, i int) (n, end int) {
	var union uint64
	for n >= 0 && i >= 0 && n <= len(dst)-copyBytes && i < len(text)-copyBytes { // they are never negative, which the compiler learns here
		from, to := text[i:i+copyBytes+1], dst[n:n+copyBytes]
		first, second := binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[wordBytes:])
		binary.LittleEndian.PutUint64(to, first)
		binary.LittleEndian.PutUint64(to[wordBytes:], second)
		union |= first | second // also of bytes behind a stop: at worst a text is looked at in vain
		plain := plainOf(first, second)
		if plain == copyBytes {
			n, i = n+copyBytes, i+copyBytes
			continue
		}
		if from[plain] == '"' {
			if union&eachHigh != 0 && !utf8.Valid(dst[:n+plain]) {
				return 0, -1
			}
			return n + plain, i + plain + 1
		}
		letter := letters[from[plain+1]]
		if from[plain] != '\\' || letter == 0 {
			return 0, -1
		}
		to[plain] = letter
		n, i = copyEscapes(dst, text, n+plain+1, i+plain+2)
	}
	return copyLast(dst, text, n, i)
}

// copyLast is copyText from where less than copyBytes are left of the text or of the room. The n bytes before are copied already.
func copyLast(dst, text []byte, n, i int) (past, end int) {
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '"':
			if !utf8.Valid(dst[:n]) {
				return 0, -1
			}
			return n, i + 1
		case c < ' ' || n == len(dst):
			return 0, -1
		case c == '\\':
			if i++; i == len(text) || letters[text[i]] == 0 {
				return 0, -1
			}
			c = letters[text[i]]
		}
		dst[n] = c
		n++
	}
	return 0, -1
}

// copyEscapes copies the escapes of one letter that follow one another from i on to the place n: line ends and tabs often do.
func copyEscapes(dst, text []byte, n, i int) (past, end int) {
	for n >= 0 && i >= 0 && n < len(dst) && i < len(text)-1 && text[i] == '\\' {
		letter := letters[text[i+1]]
		if letter == 0 {
			break
		}
		dst[n] = letter
		n, i = n+1, i+2
	}
	return n, i
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
