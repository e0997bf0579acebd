package parquetbody

import "encoding/binary"

// deltas reads integers of DELTA_BINARY_PACKED. A copy of it reads the same integers again.
type deltas struct {
	src                 []byte
	perMini, miniblocks int
	left                int // values to come
	first               bool
	last, least         int64
	widths              []byte // of the block's miniblocks to come
	mini                []byte // the present miniblock
	width, at, inMini   int    // its bit width, the next value, and how many values it has
}

// newDeltas opens n integers.
func newDeltas(src []byte, n int) (deltas, error) {
	var header [3]uint64 // values of a block, miniblocks of a block, values in all
	for i := range header {
		v, size := binary.Uvarint(src)
		if size <= 0 {
			return deltas{}, errEncoding
		}
		header[i], src = v, src[size:]
	}
	first, size := binary.Varint(src)
	block, miniblocks := header[0], header[1]
	if size <= 0 || header[2] != uint64(n) || miniblocks == 0 || block == 0 || block > 1<<20 || miniblocks > block || block%(8*miniblocks) != 0 {
		return deltas{}, errEncoding
	}
	return deltas{
		src: src[size:], perMini: int(block / miniblocks), miniblocks: int(miniblocks), left: n, first: true, last: first,
	}, nil
}

// next gives the next integer.
func (d *deltas) next() (int64, error) {
	if d.left == 0 {
		return 0, errEncoding
	}
	if d.first {
		d.first = false
		d.left--
		return d.last, nil
	}
	if d.at == d.inMini {
		if err := d.miniblock(); err != nil {
			return 0, err
		}
	}
	d.last += d.least + int64(d.packed(d.at*d.width))
	d.at++
	d.left--
	return d.last, nil
}

// packed reads the number at a bit of the miniblock.
func (d *deltas) packed(bit int) uint64 {
	const most = 64 - 7 // bits that eight bytes have from any bit of the first on
	if at := bit >> 3; d.width <= most && at+8 <= len(d.mini) {
		return binary.LittleEndian.Uint64(d.mini[at:]) >> (bit & 7) & (1<<d.width - 1)
	}
	return bitsAt(d.mini, bit, d.width)
}

// miniblock opens the next miniblock, and the next block where it has to.
func (d *deltas) miniblock() error {
	if len(d.widths) == 0 {
		least, size := binary.Varint(d.src)
		if size <= 0 || len(d.src)-size < d.miniblocks {
			return errEncoding
		}
		d.least, d.widths, d.src = least, d.src[size:size+d.miniblocks], d.src[size+d.miniblocks:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	bytes := d.perMini / 8 * d.width
	if d.width > 64 || bytes > len(d.src) {
		return errEncoding
	}
	d.mini, d.src, d.at, d.inMini = d.src[:bytes], d.src[bytes:], 0, d.perMini
	return nil
}

// rest passes over the integers that are left and gives what follows them: miniblocks without values are left out.
func (d *deltas) rest() ([]byte, error) {
	end := *d
	for end.left > 0 {
		if _, err := end.next(); err != nil {
			return nil, err
		}
	}
	return end.src, nil
}

// deltaTexts reads texts of DELTA_LENGTH_BYTE_ARRAY, their lengths before the bytes of all, and of DELTA_BYTE_ARRAY, where before those stands how
// much each shares with the one before.
type deltaTexts struct {
	shared, lengths deltas
	sharing         bool
	src             []byte
	before          []byte
}

func newDeltaTexts(src []byte, n int, sharing bool) (t deltaTexts, err error) {
	t.sharing = sharing
	if sharing {
		if t.shared, err = newDeltas(src, n); err != nil {
			return t, err
		}
		if src, err = t.shared.rest(); err != nil {
			return t, err
		}
	}
	if t.lengths, err = newDeltas(src, n); err != nil {
		return t, err
	}
	t.src, err = t.lengths.rest()
	return t, err
}

// appendNext appends the next text.
func (t *deltaTexts) appendNext(dst []byte) ([]byte, error) {
	start := len(dst)
	if t.sharing {
		shared, err := t.shared.next()
		if err != nil {
			return dst, err
		}
		if shared < 0 || shared > int64(len(t.before)) {
			return dst, errEncoding
		}
		dst = append(dst, t.before[:shared]...)
	}
	length, err := t.lengths.next()
	if err != nil {
		return dst, err
	}
	if length < 0 || length > int64(len(t.src)) {
		return dst, errEncoding
	}
	dst = append(dst, t.src[:length]...)
	t.src = t.src[length:]
	if t.sharing {
		t.before = dst[start:len(dst):len(dst)] // what was gathered is never written again
	}
	return dst, nil
}
