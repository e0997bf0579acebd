package decode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// compactEnd checks the JSON value at i, which is inside depth arrays and objects, and gives the index behind it. It is -1 for a value with white space outside
// of its strings, or an escape or a number as few write it, and for one that is none or ends close to the end of the text: then scanner.value has to look.
func compactEnd(text []byte, i, depth int) int {
	outside, objects := depth, uint64(0) // the lowest bit of objects says whether the innermost that is open is one, and not an array
	for i >= 0 && i < len(text)-wordBytes {
		switch c := text[i]; {
		case c != '{' && c != '[':
			i = scalarEnd(text, i)
		case depth >= maxDepth:
			return -1
		case text[i+1] == c+2: // which closes either
			i += 2
		case c == '{':
			i, depth, objects = nameEnd(text, i+1), depth+1, objects<<1|1
			continue
		default:
			i, depth, objects = i+1, depth+1, objects<<1
			continue
		}
		for i >= 0 && i < len(text) && depth > outside {
			object := objects&1 != 0
			if text[i] == ',' {
				if i++; object {
					i = nameEnd(text, i)
				}
				break
			}
			if text[i] != '}' && object || text[i] != ']' && !object {
				return -1
			}
			i, depth, objects = i+1, depth-1, objects>>1
		}
		if depth == outside {
			return i
		}
	}
	return -1
}

// nameEnd is compactEnd for a member's name with the colon behind it.
func nameEnd(text []byte, i int) int {
	if i >= len(text) || text[i] != '"' {
		return -1
	}
	if i = textEnd(text, i+1); i < 0 || i >= len(text) || text[i] != ':' {
		return -1
	}
	return i + 1
}

// scalarEnd is compactEnd for what is neither an array nor an object. There are eight bytes at i.
func scalarEnd(text []byte, i int) int {
	switch word := binary.LittleEndian.Uint64(text[i:]); {
	case text[i] == '"':
		return textEnd(text, i+1)
	case text[i] <= '9':
		return numberEnd(text, i)
	case word&maskNull == wordNull, word&maskTrue == wordTrue:
		return i + len("null")
	case word&maskFalse == wordFalse:
		return i + len("false")
	default:
		return -1
	}
}

// textEnd is compactEnd for what stands behind the opening quote of a string. Most are shorter than the block that it looks at.
func textEnd(text []byte, i int) int {
	start, union := i, uint64(0)
	for i >= 0 && i < len(text)-copyBytes { // i is never negative, which the compiler learns here
		block := text[i : i+copyBytes+1]
		first, second := binary.LittleEndian.Uint64(block), binary.LittleEndian.Uint64(block[wordBytes:])
		union |= first | second
		plain := plainOf(first, second)
		if plain == copyBytes {
			i += copyBytes
			continue
		}
		switch {
		case block[plain] == '"':
			if union&eachHigh != 0 && !utf8.Valid(text[start:i+plain]) {
				return -1
			}
			return i + plain + 1
		case block[plain] != '\\' || letters[block[plain+1]] == 0:
			return -1
		}
		i += plain + 2
	}
	return -1
}

// numberEnd is compactEnd for a number without an exponent.
func numberEnd(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	end := digitsEnd(text, i)
	if end <= i || text[i] == '0' && end > i+1 {
		return -1
	}
	if text[end] == '.' {
		point := end
		if end = digitsEnd(text, point+1); end <= point+1 {
			return -1
		}
	}
	if text[end]|0x20 == 'e' {
		return -1
	}
	return end
}

// digitsEnd is the index of the first byte from i on that is no digit; -1 close to the end of the text.
func digitsEnd(text []byte, i int) int {
	for i+wordBytes <= len(text) {
		digits := binary.LittleEndian.Uint64(text[i:]) ^ '0'*eachLow
		n := bits.TrailingZeros64((digits+(0x7f-9)*eachLow|digits)&eachHigh) >> 3 // see digitsOf
		if i += n; n < wordBytes {
			return i
		}
	}
	return -1
}
