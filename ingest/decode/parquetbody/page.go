package parquetbody

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// pageBytes and pageValues bound one page. Most writers make pages of about 1 MiB, DuckDB such of up to 100 MB.
	pageBytes  = 128 << 20
	pageValues = 4 << 20
	// decoderMemory bounds the window of zstd.
	decoderMemory = 64 << 20
)

// plainDictionary is the name that older writers give RLEDictionary in pages of values.
const plainDictionary format.Encoding = 2

// The sorts of pages.
const (
	dataPage       = 0
	indexPage      = 1
	dictionaryPage = 2
	dataPageV2     = 3
)

// pageHeader is what a page says of itself.
type pageHeader struct {
	sort, plain, packed, values, encoding int64
	crc                                   uint32
	hasCRC                                bool
	// otherDefs and otherReps are set where version 1 says of its levels that they are in an encoding that nobody has written for long.
	otherDefs, otherReps bool
	// defs and reps are the lengths of the levels, which version 2 leaves uncompressed.
	defs, reps int64
	compressed bool
}

// note takes the numbers of a PageHeader, and of the headers of the three sorts of pages in it.
func (h *pageHeader) note(parent, field int, v int64) {
	switch [2]int{parent, field} {
	case [2]int{0, 1}:
		h.sort = v
	case [2]int{0, 2}:
		h.plain = v
	case [2]int{0, 3}:
		h.packed = v
	case [2]int{0, 4}:
		h.crc, h.hasCRC = uint32(v), true
	case [2]int{5, 1}, [2]int{7, 1}, [2]int{8, 1}:
		h.values = v
	case [2]int{5, 2}, [2]int{7, 2}, [2]int{8, 4}:
		h.encoding = v
	case [2]int{5, 3}:
		h.otherDefs = v != int64(format.RLE)
	case [2]int{5, 4}:
		h.otherReps = v != int64(format.RLE)
	case [2]int{8, 5}:
		h.defs = v
	case [2]int{8, 6}:
		h.reps = v
	case [2]int{8, 7}:
		h.compressed = v == 1
	}
}

// page is a page of values, of which left are to come. A copy of it reads the same values again.
type page struct {
	left int
	// defs are the levels of a column with one value for each row, where it may be NULL.
	defs runs
	// levels of other columns, of all values to come; nil where all are 0.
	reps, depths []int32
	values       values
	// bytes is the memory that it takes.
	bytes int64
}

// turn reads the next page into the leaf; false behind the last.
func (l *leaf) turn() (bool, error) {
	for {
		if l.src.empty() {
			return false, nil
		}
		h, body, err := l.src.next()
		if err != nil {
			return false, err
		}
		if *l.shared.budget -= h.plain; *l.shared.budget < 0 {
			return false, errors.New("the columns become out of all proportion larger when they are decompressed")
		}
		switch h.sort {
		case dataPage, dataPageV2:
			if err := l.open(&h, body); err != nil || l.page.left > 0 {
				return true, err
			}
		case dictionaryPage:
			if err := l.dictionary(&h, body); err != nil {
				return false, err
			}
		case indexPage:
		default:
			return false, fmt.Errorf("a page of sort %d", h.sort)
		}
	}
}

// dictionary reads a page with the values that codes stand for.
func (l *leaf) dictionary(h *pageHeader, body []byte) error {
	taken := h.plain + l.src.packed(h) + dictionaryEntry*h.values
	if err := l.shared.hold(taken - l.dictBytes); err != nil {
		return err
	}
	l.dictBytes = taken
	plain, err := l.decompress(h, body)
	if err != nil {
		return err
	}
	l.dict, err = newDictionary(l.kind, l.width, plain, int(h.values))
	return err
}

// open makes a page of values the present one.
func (l *leaf) open(h *pageHeader, body []byte) error {
	n := int(h.values)
	taken := h.plain + l.src.packed(h)
	if !l.flat {
		taken += levelBytes * h.values
	}
	if err := l.shared.hold(taken - l.page.bytes); err != nil {
		return err
	}
	l.page = page{left: n, bytes: taken}
	plain, err := l.decompress(h, body)
	if err != nil {
		return err
	}
	var reps, defs []byte
	if h.sort == dataPageV2 {
		reps, defs, plain = plain[:h.reps], plain[h.reps:h.reps+h.defs], plain[h.reps+h.defs:]
	} else {
		if h.otherReps && l.deepestRep > 0 || h.otherDefs && l.deepest > 0 { // of levels that there are not writers say anything
			return errors.New("levels packed by bits are not supported")
		}
		if reps, plain, err = prefixed(plain, l.deepestRep); err == nil {
			defs, plain, err = prefixed(plain, l.deepest)
		}
		if err != nil {
			return err
		}
	}
	present := n
	if l.flat {
		if l.deepest > 0 {
			l.page.defs, err = newRuns(defs, bits.Len(uint(l.deepest)))
			present = unknownCount
		}
	} else if l.page.reps, err = levels(reps, l.deepestRep, n); err == nil {
		l.page.depths, err = levels(defs, l.deepest, n)
		present = n - countBelow(l.page.depths, int32(l.deepest))
	}
	if err != nil {
		return err
	}
	if present == unknownCount && l.countsAhead(format.Encoding(h.encoding)) {
		if present, err = l.present(n); err != nil {
			return err
		}
	}
	return l.openValues(format.Encoding(h.encoding), plain, present)
}

// unknownCount stands for a number of values that was not counted.
const unknownCount = -1

// countsAhead reports whether an encoding has to be told how many values there are.
func (l *leaf) countsAhead(encoding format.Encoding) bool {
	switch encoding {
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.DeltaByteArray, format.ByteStreamSplit:
		return true
	default:
		return false
	}
}

// present counts the values of the page that are not NULL.
func (l *leaf) present(n int) (int, error) {
	ahead, count := l.page.defs, 0
	var some [256]int32
	for n > 0 {
		now := some[:min(n, len(some))]
		if err := ahead.read(now); err != nil {
			return 0, err
		}
		n -= len(now)
		count += len(now) - countBelow(now, int32(l.deepest))
	}
	return count, nil
}

func countBelow(levels []int32, deepest int32) (n int) {
	for _, level := range levels {
		if level < deepest {
			n++
		}
	}
	return n
}

// levels decodes n levels; nil where the deepest is 0.
func levels(src []byte, deepest, n int) ([]int32, error) {
	if deepest == 0 {
		return nil, nil
	}
	r, err := newRuns(src, bits.Len(uint(deepest)))
	if err != nil {
		return nil, err
	}
	out := make([]int32, n)
	if err := r.read(out); err != nil {
		return nil, err
	}
	for _, level := range out {
		if int(level) > deepest {
			return nil, errLevels
		}
	}
	return out, nil
}

// prefixed cuts off levels that have their length before them, and gives what follows.
func prefixed(src []byte, deepest int) (levels, rest []byte, err error) {
	if deepest == 0 {
		return nil, src, nil
	}
	if len(src) < 4 {
		return nil, nil, errLevels
	}
	size := int64(binary.LittleEndian.Uint32(src))
	if src = src[4:]; size > int64(len(src)) {
		return nil, nil, errLevels
	}
	return src[:size], src[size:], nil
}

// width is the size of the values of a physical type; 0 where they differ in size.
func width(t parquet.Type) int {
	switch t.Kind() {
	case parquet.Int32, parquet.Float:
		return 4
	case parquet.Int64, parquet.Double:
		return 8
	case parquet.Int96:
		return 12
	case parquet.FixedLenByteArray:
		return t.Length()
	default:
		return 0
	}
}

// decompress gives a page as it was, which must not be larger than it says; levels of version 2 stay before it.
func (l *leaf) decompress(h *pageHeader, body []byte) ([]byte, error) {
	if l.codec == format.Uncompressed || !h.compressed || len(body) == 0 {
		return body, nil
	}
	kept := int(h.defs + h.reps)
	out := make([]byte, h.plain)
	copy(out, body[:kept])
	n, err := decompressInto(out[kept:], body[kept:], l.codec)
	if err != nil {
		return nil, fmt.Errorf("decompress a page: %w", err)
	}
	return out[:kept+n], nil
}

// zstdReaders are used again, for making one takes longer than it works on a page. They have no goroutines, and so need not be closed.
var zstdReaders = sync.Pool{New: func() any {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(decoderMemory), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return r
}}

var errGrows = errors.New("it becomes larger than it says")

func decompressInto(dst, packed []byte, codec format.CompressionCodec) (int, error) {
	switch codec {
	case format.Snappy:
		size, err := snappy.DecodedLen(packed)
		if err != nil || size > len(dst) {
			return 0, errors.Join(err, errGrows)
		}
		out, err := snappy.Decode(dst, packed)
		return len(out), err
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return 0, err
		}
		return readInto(dst, r)
	case format.Zstd:
		r := zstdReaders.Get().(*zstd.Decoder)
		defer zstdReaders.Put(r)
		out, err := r.DecodeAll(packed, dst[:0:len(dst)])
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			err = errGrows
		}
		return len(out), err
	case format.Lz4Raw:
		return lz4.UncompressBlock(packed, dst)
	case format.Lz4:
		if n, ok := hadoopLZ4(dst, packed); ok {
			return n, nil
		}
		return lz4.UncompressBlock(packed, dst)
	case format.Brotli:
		return readInto(dst, brotli.NewReader(bytes.NewReader(packed)))
	default:
		return 0, event.Errorf(event.CodeNotSupported, "pages of Parquet that are compressed with %s cannot be read", codec).
			WithHint("write the file with zstd or Snappy")
	}
}

// hadoopLZ4 reads what most writers mean by LZ4: blocks, each behind the sizes that it has without and with compression. Others leave the
// sizes out, which shows.
func hadoopLZ4(dst, packed []byte) (n int, ok bool) {
	for len(packed) >= 8 {
		plain, size := int64(binary.BigEndian.Uint32(packed)), int64(binary.BigEndian.Uint32(packed[4:]))
		if packed = packed[8:]; size > int64(len(packed)) || plain > int64(len(dst)-n) {
			return 0, false
		}
		got, err := lz4.UncompressBlock(packed[:size], dst[n:n+int(plain)])
		if err != nil || int64(got) != plain {
			return 0, false
		}
		n, packed = n+got, packed[size:]
	}
	return n, n > 0 && len(packed) == 0
}

// readInto reads to the end, which must come within dst.
func readInto(dst []byte, r io.Reader) (int, error) {
	n, err := io.ReadFull(r, dst)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n < len(dst) {
		return n, nil
	}
	if err != nil {
		return n, err
	}
	if more, _ := r.Read(make([]byte, 1)); more > 0 {
		return n, errGrows
	}
	return n, nil
}

// checked sees that a header and what follows it do not contradict each other.
func (h *pageHeader) checked(body []byte) error {
	switch {
	case h.plain < 0 || h.plain > pageBytes || h.values < 0 || h.values > pageValues:
		return fmt.Errorf("a page declares %d bytes and %d values", h.plain, h.values)
	case h.defs < 0 || h.reps < 0 || h.defs+h.reps > h.packed || h.defs+h.reps > h.plain:
		return errors.New("the levels of a page are longer than itself")
	case h.hasCRC && crc32.ChecksumIEEE(body) != h.crc:
		return errors.New("the checksum of a page does not match")
	default:
		return nil
	}
}
