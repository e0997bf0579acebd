package parquetbody

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// gathered are values of a leaf one after the other, without what is NULL: in one of the four lists, which the physical type decides.
type gathered struct {
	words32 []uint32 // INT32, FLOAT, and BOOLEAN as 0 and 1
	words64 []uint64 // INT64, DOUBLE
	// data are the bytes of all values, of the same width, or cut at offsets.
	data    []byte
	offsets []int32
}

// span is where a text of a dictionary lies.
type span struct{ start, end int32 }

// dictionaryEntry is what an entry of a dictionary takes beside its bytes.
const dictionaryEntry = 8

// dictionary are the values that codes stand for.
type dictionary struct {
	n       int
	words32 []uint32
	words64 []uint64
	plain   []byte
	spans   []span // of texts
}

// newDictionary reads n values as they lie.
func newDictionary(kind parquet.Kind, width int, plain []byte, n int) (dictionary, error) {
	d := dictionary{n: n, plain: plain}
	if kind == parquet.Boolean && n > 0 || n > 0 && width > len(plain)/n {
		return d, errEncoding
	}
	switch kind {
	case parquet.Int32, parquet.Float:
		d.words32 = make([]uint32, n)
		copy(arrow.GetBytes(d.words32), plain)
	case parquet.Int64, parquet.Double:
		d.words64 = make([]uint64, n)
		copy(arrow.GetBytes(d.words64), plain)
	case parquet.ByteArray:
		if n > len(plain)/4 {
			return d, errEncoding
		}
		d.spans = make([]span, n)
		for i, at := 0, 0; i < n; i++ {
			size, err := textSize(plain[at:])
			if err != nil {
				return d, err
			}
			at += 4 + size
			d.spans[i] = span{int32(at - size), int32(at)}
		}
	default: // the others lie as they are
	}
	return d, nil
}

// textSize is the length that stands before a text.
func textSize(src []byte) (int, error) {
	if len(src) < 4 {
		return 0, errEncoding
	}
	size := int64(binary.LittleEndian.Uint32(src))
	if size > int64(len(src)-4) {
		return 0, errEncoding
	}
	return int(size), nil
}

// mode is how values are read.
type mode uint8

const (
	plainMode mode = iota
	codedMode      // codes into the dictionary
	flagsMode      // BOOLEAN in runs
	deltaMode
	textsMode // texts by their lengths
	splitMode // the first bytes of all values, then the second ones
)

// values reads the values of a page. A copy of it reads the same again.
type values struct {
	mode  mode
	src   []byte
	bit   int // of plain BOOLEAN
	codes runs
	ints  deltas
	texts deltaTexts
	at, n int // of splitMode
}

// openValues begins to read values of an encoding; present says how many there are where the encoding has to be told.
func (l *leaf) openValues(encoding format.Encoding, src []byte, present int) (err error) {
	v := &l.page.values
	v.src = src
	switch encoding {
	case format.Plain:
	case plainDictionary, format.RLEDictionary:
		v.mode = codedMode
		if len(src) > 0 { // else there is no value, or it will be missed
			v.codes, err = newRuns(src[1:], int(src[0]))
		}
	case format.RLE:
		if l.kind != parquet.Boolean || len(src) < 4 {
			return errEncoding
		}
		v.mode = flagsMode
		v.codes, err = newRuns(src[4:], 1)
	case format.DeltaBinaryPacked:
		if l.kind != parquet.Int32 && l.kind != parquet.Int64 {
			return errEncoding
		}
		v.mode = deltaMode
		v.ints, err = newDeltas(src, present)
	case format.DeltaLengthByteArray, format.DeltaByteArray:
		if l.kind != parquet.ByteArray && l.kind != parquet.FixedLenByteArray {
			return errEncoding
		}
		v.mode = textsMode
		v.texts, err = newDeltaTexts(src, present, encoding == format.DeltaByteArray)
	case format.ByteStreamSplit:
		if l.width == 0 || present > len(src)/l.width {
			return errEncoding
		}
		v.mode, v.n = splitMode, present
	default:
		return fmt.Errorf("encoding %s is not supported", encoding)
	}
	return err
}

// gather appends the next n values.
func (l *leaf) gather(g *gathered, n int) (err error) {
	switch l.kind {
	case parquet.Boolean:
		at := len(g.words32)
		g.words32 = slices.Grow(g.words32, n)[:at+n]
		return l.flags(g.words32[at:])
	case parquet.ByteArray:
		return l.text(g, n)
	case parquet.Int32, parquet.Float:
		at := len(g.words32)
		g.words32 = slices.Grow(g.words32, n)[:at+n]
		return words(l, g.words32[at:], l.dict.words32)
	case parquet.Int64, parquet.Double:
		at := len(g.words64)
		g.words64 = slices.Grow(g.words64, n)[:at+n]
		return words(l, g.words64[at:], l.dict.words64)
	default:
		return l.fixed(g, n)
	}
}

// flags reads values of BOOLEAN.
func (l *leaf) flags(dst []uint32) error {
	v := &l.page.values
	switch v.mode {
	case plainMode:
		if v.bit+len(dst) > 8*len(v.src) {
			return errEncoding
		}
		for i := range dst {
			dst[i] = uint32(v.src[v.bit>>3] >> (v.bit & 7) & 1)
			v.bit++
		}
		return nil
	case flagsMode:
		codes := l.shared.codes(len(dst))
		if err := v.codes.read(codes); err != nil {
			return err
		}
		for i, code := range codes {
			dst[i] = uint32(code)
		}
		return nil
	default:
		return errEncoding
	}
}

// words reads numbers of four or eight bytes.
func words[W uint32 | uint64](l *leaf, dst, dict []W) error {
	v := &l.page.values
	switch v.mode {
	case plainMode:
		bytes := arrow.GetBytes(dst)
		if len(bytes) > len(v.src) {
			return errEncoding
		}
		copy(bytes, v.src)
		v.src = v.src[len(bytes):]
		return nil
	case codedMode:
		codes := l.shared.codes(len(dst))
		if err := v.codes.read(codes); err != nil {
			return err
		}
		for i, code := range codes {
			if uint(code) >= uint(len(dict)) {
				return errCode
			}
			dst[i] = dict[code]
		}
		return nil
	case deltaMode:
		for i := range dst {
			n, err := v.ints.next()
			if err != nil {
				return err
			}
			dst[i] = W(n)
		}
		return nil
	case splitMode:
		return v.unsplit(arrow.GetBytes(dst), l.width)
	default:
		return errEncoding
	}
}

var errCode = errors.New("a code beyond the dictionary")

// unsplit reads values whose bytes lie apart.
func (v *values) unsplit(dst []byte, width int) error {
	n := len(dst) / width
	if n > v.n-v.at {
		return errEncoding
	}
	for b := range width {
		from := v.src[b*v.n+v.at:]
		for i := range n {
			dst[i*width+b] = from[i]
		}
	}
	v.at += n
	return nil
}

// fixed reads values that all have the same number of bytes.
func (l *leaf) fixed(g *gathered, n int) error {
	v, w := &l.page.values, l.width
	if err := l.shared.take(n * w); err != nil {
		return err
	}
	at := len(g.data)
	switch v.mode {
	case plainMode:
		if n*w > len(v.src) {
			return errEncoding
		}
		g.data, v.src = append(g.data, v.src[:n*w]...), v.src[n*w:]
	case codedMode:
		codes := l.shared.codes(n)
		if err := v.codes.read(codes); err != nil {
			return err
		}
		for _, code := range codes {
			if uint(code) >= uint(l.dict.n) {
				return errCode
			}
			g.data = append(g.data, l.dict.plain[int(code)*w:(int(code)+1)*w]...)
		}
	case textsMode:
		for range n {
			before := len(g.data)
			var err error
			if g.data, err = v.texts.appendNext(g.data); err != nil {
				return err
			}
			if len(g.data)-before != w {
				return errEncoding
			}
		}
	case splitMode:
		g.data = slices.Grow(g.data, n*w)[:at+n*w]
		return v.unsplit(g.data[at:], w)
	default:
		return errEncoding
	}
	return nil
}

// text reads texts.
func (l *leaf) text(g *gathered, n int) (err error) {
	before := len(g.data)
	switch v := &l.page.values; v.mode {
	case plainMode:
		err = v.plainTexts(l.shared, g, n)
	case codedMode:
		err = l.codedTexts(g, n)
	case textsMode:
		for range n {
			if g.data, err = v.texts.appendNext(g.data); err != nil {
				return err
			}
			if len(g.data)-before > l.shared.room {
				return l.shared.take(len(g.data) - before)
			}
			g.offsets = append(g.offsets, int32(len(g.data)))
		}
	default:
		err = errEncoding
	}
	if err != nil {
		return err
	}
	return l.shared.take(len(g.data) - before)
}

// plainTexts reads texts that each have their length before them.
func (v *values) plainTexts(s *shared, g *gathered, n int) error {
	src, most := v.src, len(g.data)+s.room
	for range n {
		size, err := textSize(src)
		if err != nil {
			return err
		}
		if len(g.data)+size > most {
			return s.take(math.MaxInt32)
		}
		g.data = append(g.data, src[4:4+size]...)
		g.offsets = append(g.offsets, int32(len(g.data)))
		src = src[4+size:]
	}
	v.src = src
	return nil
}

// codedTexts reads texts by their codes. A code of few bytes may stand for a long text, so what they take is known before they are copied.
func (l *leaf) codedTexts(g *gathered, n int) error {
	codes := l.shared.codes(n)
	if err := l.page.values.codes.read(codes); err != nil {
		return err
	}
	size, spans := len(g.data), l.dict.spans
	for _, code := range codes {
		if uint(code) >= uint(len(spans)) {
			return errCode
		}
		size += int(spans[code].end - spans[code].start)
	}
	if err := l.shared.fits(size - len(g.data)); err != nil {
		return err
	}
	g.data = slices.Grow(g.data, size-len(g.data))
	for _, code := range codes {
		s := spans[code]
		g.data = append(g.data, l.dict.plain[s.start:s.end]...)
		g.offsets = append(g.offsets, int32(len(g.data)))
	}
	return nil
}

// spread puts values to the rows that have one.
func spread[T any](in []T, n int, valid event.Bitmap) []T {
	if len(in) == n {
		return in
	}
	out := make([]T, n)
	next := 0
	for i := range out {
		if valid.Valid(i) {
			out[i] = in[next]
			next++
		}
	}
	return out
}

// spreadOffsets is spread for the ends of texts, of which the first is 0.
func spreadOffsets(in []int32, n int, valid event.Bitmap) []int32 {
	if len(in) == n+1 {
		return in
	}
	out := make([]int32, n+1)
	next := 0
	for i := range n {
		if valid.Valid(i) {
			next++
		}
		out[i+1] = in[next]
	}
	return out
}

// spreadBytes is spread for values of a width.
func spreadBytes(in []byte, width, n int, valid event.Bitmap) []byte {
	if len(in) == n*width {
		return in
	}
	out := make([]byte, n*width)
	next := 0
	for i := range n {
		if valid.Valid(i) {
			copy(out[i*width:(i+1)*width], in[next:])
			next += width
		}
	}
	return out
}
