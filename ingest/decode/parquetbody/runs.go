package parquetbody

import (
	"encoding/binary"
	"errors"
)

// The encodings of values and levels, as Encodings.md of the Parquet format has them. All are read piece by piece, so that a page takes no more
// memory than its bytes, however many values these stand for. Each gives exactly as many values as are asked for, and takes no length from the
// data that it has not seen to be there.

var errEncoding = errors.New("encoded values that contradict themselves")

// runs reads numbers of a bit width of the hybrid encoding: runs of one number, and groups of eight packed by bits. A copy of it reads the same
// numbers again.
type runs struct {
	src   []byte
	width int
	// left is how many numbers of the present run are to come: repeated ones, or those in packed from a bit on.
	left     uint64
	repeated bool
	number   uint32
	packed   []byte
	bit      int
}

func newRuns(src []byte, width int) (runs, error) {
	if width > 32 {
		return runs{}, errEncoding
	}
	return runs{src: src, width: width}, nil
}

// run opens the next run.
func (r *runs) run() error {
	header, size := binary.Uvarint(r.src)
	if size <= 0 || header < 2 {
		return errEncoding
	}
	r.src = r.src[size:]
	if r.repeated = header&1 == 0; r.repeated {
		bytes := (r.width + 7) / 8
		if len(r.src) < bytes {
			return errEncoding
		}
		r.number = 0
		for i := range bytes {
			r.number |= uint32(r.src[i]) << (8 * i)
		}
		r.src, r.left = r.src[bytes:], header>>1
		return nil
	}
	groups := header >> 1
	if r.width > 0 && groups > uint64(len(r.src)/r.width)+1 || groups > 1<<32 {
		return errEncoding
	}
	// The last group of a page may be cut off behind its last value.
	r.packed = r.src[:min(uint64(len(r.src)), groups*uint64(r.width))]
	r.src, r.bit, r.left = r.src[len(r.packed):], 0, groups*8
	return nil
}

// read gives the next numbers.
func (r *runs) read(dst []int32) error {
	for len(dst) > 0 {
		if r.left == 0 {
			if err := r.run(); err != nil {
				return err
			}
		}
		now := dst[:min(uint64(len(dst)), r.left)]
		dst, r.left = dst[len(now):], r.left-uint64(len(now))
		if r.repeated {
			for i := range now {
				now[i] = int32(r.number)
			}
		} else if !unpack(now, r.packed, r.bit, r.width) {
			return errEncoding
		}
		r.bit += len(now) * r.width
	}
	return nil
}

// all reports whether the next n numbers are this one, without a look at each, and passes over them. It may be false though they are.
func (r *runs) all(n int, number int32) bool {
	if r.left == 0 {
		before := *r
		if r.run() != nil {
			*r = before
			return false
		}
	}
	if !r.repeated || r.left < uint64(n) || int32(r.number) != number {
		return false
	}
	r.left -= uint64(n)
	return true
}

// unpack reads numbers of a bit width from a bit on, the lowest bit first; false where src ends before them.
func unpack(dst []int32, src []byte, bit, width int) bool {
	if (bit+len(dst)*width+7)>>3 > len(src) {
		return false
	}
	mask := uint64(1)<<width - 1
	for i := range dst {
		at := bit >> 3
		if at+8 > len(src) {
			dst[i] = int32(bitsAt(src, bit, width))
		} else {
			dst[i] = int32(binary.LittleEndian.Uint64(src[at:]) >> (bit & 7) & mask)
		}
		bit += width
	}
	return true
}

// bitsAt reads a number of a bit width at a bit, the lowest bit first. src must have it.
func bitsAt(src []byte, at, width int) (v uint64) {
	for got := 0; got < width; {
		b := uint64(src[at>>3]) >> (at & 7)
		v |= b << got
		step := 8 - at&7
		got, at = got+step, at+step
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}
