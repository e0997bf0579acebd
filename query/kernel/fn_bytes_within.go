package kernel

import (
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerBytesWithin(r registry) {
	r.strict("substr(BYTEA, BIGINT)", asBytea(substring(byteUnit)))
	r.strict("substr(BYTEA, BIGINT, BIGINT)", asBytea(substring(byteUnit)))
	r.strict("strpos(BYTEA, BYTEA)", placeOfBytes)
	r.strict("overlay(BYTEA, BYTEA, BIGINT)", asBytea(overlay(byteUnit)))
	r.strict("overlay(BYTEA, BYTEA, BIGINT, BIGINT)", asBytea(overlay(byteUnit)))
	r.strict("bit_length(BYTEA)", countOfBytes(func(s string) int64 { return int64(len(s)) * bitsPerByte }))
	r.strict("bit_count(BYTEA)", countOfBytes(onesOf))
	r.strict("get_byte(BYTEA, BIGINT)", getPart("get_byte", byteParts))
	r.strict("set_byte(BYTEA, BIGINT, BIGINT)", asBytea(setPart("set_byte", byteParts)))
	r.strict("get_bit(BYTEA, BIGINT)", getPart("get_bit", bitParts))
	r.strict("set_bit(BYTEA, BIGINT, BIGINT)", asBytea(setPart("set_bit", bitParts)))
}

const bitsPerByte = 8

func placeOfBytes(c *call) (arrow.Array, error) {
	values, wanted := textsOf(c.args[0]), textsOf(c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return int64(strings.Index(values.at(i), wanted.at(i))) + 1, nil })
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
