package kernel

import (
	"math"
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerBytesWithin(r registry) {
	r.strict("substr(BYTEA, BIGINT)", asBytea(someBytes))
	r.strict("substr(BYTEA, BIGINT, BIGINT)", asBytea(someBytes))
	r.strict("strpos(BYTEA, BYTEA)", placeOfBytes)
	r.strict("overlay(BYTEA, BYTEA, BIGINT)", asBytea(overlayBytes))
	r.strict("overlay(BYTEA, BYTEA, BIGINT, BIGINT)", asBytea(overlayBytes))
	r.strict("bit_length(BYTEA)", countOfBytes(func(s string) int64 { return int64(len(s)) * bitsPerByte }))
	r.strict("bit_count(BYTEA)", countOfBytes(onesOf))
	r.strict("get_byte(BYTEA, BIGINT)", getPart("get_byte", byteParts))
	r.strict("set_byte(BYTEA, BIGINT, BIGINT)", asBytea(setPart("set_byte", byteParts)))
	r.strict("get_bit(BYTEA, BIGINT)", getPart("get_bit", bitParts))
	r.strict("set_bit(BYTEA, BIGINT, BIGINT)", asBytea(setPart("set_bit", bitParts)))
}

const bitsPerByte = 8

// someBytes takes bytes from a place counted from 1, which may lie before the first, and optionally how many.
func someBytes(c *call) (arrow.Array, error) {
	values, from := textsOf(c.args[0]), fixed[int64](c.args[1])
	length := column[int64]{values: []int64{math.MaxInt64}}
	if len(c.args) == 3 {
		length = fixed[int64](c.args[2])
	}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		first, count := from.at(i), length.at(i)
		if count < 0 {
			return nil, event.Errorf(event.CodeInvalidValue, "substr: the length %d is negative", count)
		}
		end, ok := addInt64(first, count)
		if !ok {
			end = math.MaxInt64
		}
		return append(dst, bytesBetween(values.at(i), first, end)...), nil
	})
}

// bytesBetween is the bytes numbered from first to before end, counted from 1.
func bytesBetween(s string, first, end int64) string {
	last := min(end-1, int64(len(s)))
	first = max(first, 1)
	if last < first {
		return ""
	}
	return s[first-1 : last]
}

func placeOfBytes(c *call) (arrow.Array, error) {
	values, wanted := textsOf(c.args[0]), textsOf(c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return int64(strings.Index(values.at(i), wanted.at(i))) + 1, nil })
}

// overlayBytes puts bytes in the place of others: as many as they are themselves unless a count is given.
func overlayBytes(c *call) (arrow.Array, error) {
	values, replacements, from := textsOf(c.args[0]), textsOf(c.args[1]), fixed[int64](c.args[2])
	count := func(i int) int64 { return int64(len(replacements.at(i))) }
	if len(c.args) == 4 {
		counts := fixed[int64](c.args[3])
		count = counts.at
	}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		s, first := values.at(i), from.at(i)
		if first < 1 {
			return nil, event.Errorf(event.CodeInvalidValue, "overlay: the place %d is before the bytes", first)
		}
		rest, ok := addInt64(first, count(i))
		if !ok {
			rest = math.MaxInt64
		}
		dst = append(dst, bytesBetween(s, 1, first)...)
		dst = append(dst, replacements.at(i)...)
		return append(dst, bytesBetween(s, rest, math.MaxInt64)...), nil
	})
}

func countOfBytes(count func(s string) int64) kernel {
	return func(c *call) (arrow.Array, error) {
		values := textsOf(c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return count(values.at(i)), nil })
	}
}

func onesOf(s string) int64 {
	var n int
	for i := range len(s) {
		n += bits.OnesCount8(s[i])
	}
	return int64(n)
}

// partsOfBytes says how bytes are cut into parts of a number of bits each, the lowest of a byte first.
type partsOfBytes struct {
	name string
	bits int64
}

var byteParts, bitParts = partsOfBytes{"byte", bitsPerByte}, partsOfBytes{"bit", 1}

// at is the byte that part n of s is in, and where in it the part begins.
func (p partsOfBytes) at(function, s string, n int64) (index int, shift uint, err error) {
	perByte := bitsPerByte / p.bits
	if count := int64(len(s)) * perByte; n < 0 || n >= count {
		return 0, 0, event.Errorf(event.CodeInvalidValue, "%s: there is no %s %d among %d", function, p.name, n, count)
	}
	return int(n / perByte), uint(n % perByte * p.bits), nil
}

func (p partsOfBytes) mask() int64 { return 1<<p.bits - 1 }

func getPart(function string, p partsOfBytes) kernel {
	return func(c *call) (arrow.Array, error) {
		values, places := textsOf(c.args[0]), fixed[int64](c.args[1])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
			index, shift, err := p.at(function, values.at(i), places.at(i))
			if err != nil {
				return 0, err
			}
			return int64(values.at(i)[index]) >> shift & p.mask(), nil
		})
	}
}

func setPart(function string, p partsOfBytes) kernel {
	return func(c *call) (arrow.Array, error) {
		values, places, parts := textsOf(c.args[0]), fixed[int64](c.args[1]), fixed[int64](c.args[2])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			index, shift, err := p.at(function, values.at(i), places.at(i))
			if err != nil {
				return nil, err
			}
			part := parts.at(i)
			if p.bits == 1 && part&^1 != 0 {
				return nil, event.Errorf(event.CodeInvalidValue, "%s: a bit is 0 or 1, not %d", function, part)
			}
			start := len(dst)
			dst = append(dst, values.at(i)...)
			dst[start+index] = byte(int64(dst[start+index])&^(p.mask()<<shift) | part&p.mask()<<shift)
			return dst, nil
		})
	}
}
