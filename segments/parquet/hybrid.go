package parquet

import (
	"encoding/binary"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
)

// The hybrid encoding of levels and codes (Parquet, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid") is decoded here,
// and not by the library, for two reasons: a run may claim two billion values in five bytes and is bounded here by the values that
// the page has, and packed 1-bit levels are a bitmap already.

// run is one run of the encoding.
type run struct {
	count  int  // values, at most what was asked for
	packed bool // bits hold the values, else all are the same
	bits   []byte
}

// nextRun cuts one run off src; at most left values are wanted of it.
func nextRun(src []byte, width uint, left int) (r run, rest []byte, err error) {
	head, n := binary.Uvarint(src)
	if n <= 0 {
		return r, nil, fmt.Errorf("run ends early")
	}
	src = src[n:]
	r.packed = head&1 == 1
	size := uint64(width+7) / 8
	count := head >> 1
	if r.packed {
		// Groups of 8 values; the last group of a page may be filled up beyond the rows it has.
		if count > uint64(left+7)/8 {
			return r, nil, fmt.Errorf("run of %d groups where %d values are left", count, left)
		}
		size = count * uint64(width)
		count *= 8
	}
	if count == 0 || size > uint64(len(src)) || (!r.packed && count > uint64(left)) {
		return r, nil, fmt.Errorf("run of %d values where %d are left", count, left)
	}
	r.count, r.bits = min(int(count), left), src[:size]
	return r, src[size:], nil
}

// decodeHybrid fills dst with values of width bits and returns a bound that none exceeds: the union of their bits.
func decodeHybrid(dst []int32, src []byte, width uint) (bound uint32, err error) {
	for len(dst) > 0 {
		var r run
		if r, src, err = nextRun(src, width, len(dst)); err != nil {
			return 0, err
		}
		part := dst[:r.count]
		if r.packed {
			bound |= unpack(part, r.bits, width)
		} else {
			var word [8]byte
			copy(word[:], r.bits)
			value := binary.LittleEndian.Uint32(word[:]) & uint32(1<<width-1)
			for i := range part {
				part[i] = int32(value)
			}
			bound |= value
		}
		dst = dst[r.count:]
	}
	return bound, nil
}

// unpack reads values of width bits, the lowest bits first, and returns the union of their bits. Whole words are loaded while that
// many bytes are left: eight values at a time where a word holds as many, else one.
func unpack(dst []int32, src []byte, width uint) (union uint32) {
	mask := uint64(1)<<width - 1
	i := 0
	if width <= 8 {
		i, union = unpackEights(dst, src, width)
	}
	bit := uint(i) * width
	for ; i < len(dst) && int(bit>>3)+8 <= len(src); i++ {
		value := uint32(binary.LittleEndian.Uint64(src[bit>>3:]) >> (bit & 7) & mask)
		dst[i] = int32(value)
		union |= value
		bit += width
	}
	for ; i < len(dst); i++ {
		var word [8]byte
		copy(word[:], src[bit>>3:])
		value := uint32(binary.LittleEndian.Uint64(word[:]) >> (bit & 7) & mask)
		dst[i] = int32(value)
		union |= value
		bit += width
	}
	return union
}

// unpackEights reads as many groups of eight values of at most 8 bits as a whole word can be loaded for, and returns how many values
// those were.
func unpackEights(dst []int32, src []byte, width uint) (n int, union uint32) {
	mask := uint32(1)<<width - 1
	for n+8 <= len(dst) && len(src) >= 8 {
		word := binary.LittleEndian.Uint64(src)
		out := (*[8]int32)(dst[n:])
		for j := range out {
			value := uint32(word) & mask
			out[j] = int32(value)
			union |= value
			word >>= width
		}
		src = src[width:]
		n += 8
	}
	return n, union
}

// decodeLevels sets the bits of rows that have a value, from bit at on, and counts them.
func decodeLevels(dst event.Bitmap, at, rows int, src []byte) (set int, err error) {
	for left := rows; left > 0; {
		var r run
		if r, src, err = nextRun(src, 1, left); err != nil {
			return 0, err
		}
		switch {
		case r.packed && at&7 == 0:
			set += copyBits(dst, at, r.bits, r.count)
		case r.packed:
			for i := range r.count {
				if event.Bitmap(r.bits).Valid(i) {
					dst.Set(at + i)
					set++
				}
			}
		case r.bits[0]&1 == 1:
			setRange(dst, at, r.count)
			set += r.count
		}
		at += r.count
		left -= r.count
	}
	return set, nil
}

// copyBits copies n bits to a place that starts a byte, and counts those that are set.
func copyBits(dst event.Bitmap, at int, src []byte, n int) int {
	to := dst[at>>3 : (at+n+7)>>3]
	copy(to, src)
	if rest := n & 7; rest != 0 {
		to[len(to)-1] &= 1<<rest - 1
	}
	return n - to.Nulls(n)
}

// setRange sets n bits.
func setRange(dst event.Bitmap, at, n int) {
	end := at + n
	for ; at < end && at&7 != 0; at++ {
		dst.Set(at)
	}
	for ; at+8 <= end; at += 8 {
		dst[at>>3] = 0xFF
	}
	for ; at < end; at++ {
		dst.Set(at)
	}
}
