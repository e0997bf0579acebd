package event

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// UUIDType is the Arrow type behind UUID: 16 bytes in the order in which they are written.
var UUIDType = &arrow.FixedSizeBinaryType{ByteWidth: 16}

// ParseUUID reads a UUID of 32 hexadecimal digits in any case, with hyphens in their usual places or none, also in braces. Spaces
// around the text are ignored.
func ParseUUID(text string) (out [16]byte, ok bool) {
	s := strings.TrimSpace(text)
	if len(s) > 2 && s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	hyphens := len(s) == 36
	if !hyphens && len(s) != 32 {
		return out, false
	}
	for i := range out {
		if hyphens && (i == 4 || i == 6 || i == 8 || i == 10) {
			if s[0] != '-' {
				return out, false
			}
			s = s[1:]
		}
		high, ok1 := hexDigit(s[0])
		low, ok2 := hexDigit(s[1])
		if !ok1 || !ok2 {
			return out, false
		}
		out[i] = high<<4 | low
		s = s[2:]
	}
	return out, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	default:
		return 0, false
	}
}

// FormatUUID renders 16 bytes as 8-4-4-4-12 digits in lower case.
func FormatUUID(v []byte) string { return string(AppendUUID(nil, v)) }

// AppendUUID appends what FormatUUID renders.
func AppendUUID(dst, v []byte) []byte {
	for i, b := range v {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// UUIDWord is a UUID as the 16-byte word that it is in memory, in which form columns of it are handled like those of NUMERIC.
func UUIDWord(v [16]byte) decimal128.Num {
	return decimal128.New(int64(binary.LittleEndian.Uint64(v[8:])), binary.LittleEndian.Uint64(v[:8]))
}

// UUIDBytes undoes UUIDWord.
func UUIDBytes(word decimal128.Num) (out [16]byte) {
	binary.LittleEndian.PutUint64(out[:8], word.LowBits())
	binary.LittleEndian.PutUint64(out[8:], uint64(word.HighBits()))
	return out
}

// CompareUUIDs orders two words that are UUIDs by their bytes: below 0, 0 or above 0.
func CompareUUIDs(a, b decimal128.Num) int {
	x, y := bits.ReverseBytes64(a.LowBits()), bits.ReverseBytes64(b.LowBits())
	if x == y {
		x, y = bits.ReverseBytes64(uint64(a.HighBits())), bits.ReverseBytes64(uint64(b.HighBits()))
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return 0
	}
}
