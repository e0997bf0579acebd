package parquetbody

import (
	"encoding/binary"
	"errors"
)

// The encodings of values and levels, as Encodings.md of the Parquet format has them. Each gives exactly as many values as are asked for, and
// takes no length from the data that it has not seen to be there.

var errEncoding = errors.New("encoded values that contradict themselves")

// hybrid decodes n numbers of a bit width: runs, and groups of eight packed by bits.
func hybrid(src []byte, width, n int) ([]int32, error) {
	if width > 32 {
		return nil, errEncoding
	}
	out := make([]int32, 0, n)
	for len(out) < n {
		header, size := binary.Uvarint(src)
		if size <= 0 {
			return nil, errEncoding
		}
		src = src[size:]
		if header&1 == 0 {
			count, bytes := header>>1, (width+7)/8
			if len(src) < bytes || count == 0 {
				return nil, errEncoding
			}
			var v uint32
			for i := range bytes {
				v |= uint32(src[i]) << (8 * i)
			}
			src = src[bytes:]
			for range min(count, uint64(n-len(out))) {
				out = append(out, int32(v))
			}
			continue
		}
		groups := header >> 1
		if groups == 0 || width > 0 && groups > uint64(len(src)/width)+1 {
			return nil, errEncoding
		}
		// The last group of a page may be cut off behind its last value.
		packed := src[:min(uint64(len(src)), groups*uint64(width))]
		src = src[len(packed):]
		for i := range int(min(groups*8, uint64(n-len(out)))) {
			v, ok := bitsAt(packed, i*width, width)
			if !ok {
				return nil, errEncoding
			}
			out = append(out, int32(v))
		}
	}
	return out, nil
}

// bitsAt reads a number of a bit width at a bit, the lowest bit first.
func bitsAt(src []byte, at, width int) (v uint64, ok bool) {
	if (at+width+7)>>3 > len(src) {
		return 0, false
	}
	for got := 0; got < width; {
		b := uint64(src[at>>3]) >> (at & 7)
		v |= b << got
		step := 8 - at&7
		got, at = got+step, at+step
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v, true
}

// deltaHeader is the header of DELTA_BINARY_PACKED.
type deltaHeader struct{ block, miniblocks, total uint64 }

// delta decodes n integers of DELTA_BINARY_PACKED and gives what follows them.
func delta(src []byte, n int) (out []int64, rest []byte, err error) {
	var h deltaHeader
	for _, field := range []*uint64{&h.block, &h.miniblocks, &h.total} {
		v, size := binary.Uvarint(src)
		if size <= 0 {
			return nil, nil, errEncoding
		}
		*field, src = v, src[size:]
	}
	first, size := binary.Varint(src)
	if size <= 0 || h.total != uint64(n) || h.miniblocks == 0 || h.block == 0 || h.block > 1<<20 || h.block%(8*h.miniblocks) != 0 {
		return nil, nil, errEncoding
	}
	src = src[size:]
	if n == 0 {
		return nil, src, nil
	}
	out = append(make([]int64, 0, n), first)
	for len(out) < n {
		if out, src, err = deltaBlock(out, src, n, h); err != nil {
			return nil, nil, err
		}
	}
	return out, src, nil
}

// deltaBlock decodes one block.
func deltaBlock(out []int64, src []byte, n int, h deltaHeader) (more []int64, rest []byte, err error) {
	least, size := binary.Varint(src)
	if size <= 0 || uint64(len(src)-size) < h.miniblocks {
		return nil, nil, errEncoding
	}
	widths := src[size : size+int(h.miniblocks)]
	src = src[size+int(h.miniblocks):]
	perMini := int(h.block / h.miniblocks)
	for _, width := range widths {
		if len(out) == n {
			break // miniblocks without values are left out
		}
		bytes := perMini / 8 * int(width)
		if width > 64 || bytes > len(src) {
			return nil, nil, errEncoding
		}
		for i := range min(perMini, n-len(out)) {
			v, _ := bitsAt(src[:bytes], i*int(width), int(width))
			out = append(out, out[len(out)-1]+least+int64(v))
		}
		src = src[bytes:]
	}
	return out, src, nil
}

// deltaLengths decodes n texts of DELTA_LENGTH_BYTE_ARRAY: their lengths, then the bytes of all.
func deltaLengths(src []byte, n int) ([][]byte, error) {
	lengths, rest, err := delta(src, n)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, n)
	for i, length := range lengths {
		if length < 0 || length > int64(len(rest)) {
			return nil, errEncoding
		}
		out[i], rest = rest[:length:length], rest[length:]
	}
	return out, nil
}

// deltaTexts decodes n texts of DELTA_BYTE_ARRAY: how much each shares with the one before, then the rests. limit bounds what they become.
func deltaTexts(src []byte, n int, limit int64) ([][]byte, error) {
	shared, rest, err := delta(src, n)
	if err != nil {
		return nil, err
	}
	out, err := deltaLengths(rest, n)
	if err != nil {
		return nil, err
	}
	var before []byte
	for i, suffix := range out {
		if shared[i] < 0 || shared[i] > int64(len(before)) {
			return nil, errEncoding
		}
		if limit -= shared[i] + int64(len(suffix)); limit < 0 {
			return nil, errors.New("texts that become out of all proportion larger than they are encoded")
		}
		before = append(before[:shared[i]:shared[i]], suffix...)
		out[i] = before
	}
	return out, nil
}

// unsplit undoes BYTE_STREAM_SPLIT for n values of a width.
func unsplit(src []byte, width, n int) ([]byte, error) {
	if len(src) < width*n {
		return nil, errEncoding
	}
	out := make([]byte, width*n)
	for i := range n {
		for b := range width {
			out[i*width+b] = src[b*n+i]
		}
	}
	return out, nil
}
