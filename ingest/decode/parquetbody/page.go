package parquetbody

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

const (
	// pageBytes and pageValues bound one page. Writers make pages of about 1 MiB.
	pageBytes  = 64 << 20
	pageValues = 4 << 20
	// decoderMemory bounds the window of zstd.
	decoderMemory = 64 << 20
)

// leaf reads the values of a column chunk one after the other.
type leaf struct {
	column *parquet.Column
	codec  format.CompressionCodec
	// flat is set for a column with one value for each row: then values need no levels.
	flat   bool
	src    []byte // pages to come
	budget *int64 // bytes that the file's pages may still become
	dict   []parquet.Value
	buf    []parquet.Value
	at     int
	// stringBytes is about what texts of as many rows as the last time take.
	stringBytes int
}

// newLeaf starts to read a column chunk of a file.
func newLeaf(body []byte, c *parquet.Column, meta *format.ColumnMetaData, budget *int64) (*leaf, error) {
	start := meta.DataPageOffset
	if at := meta.DictionaryPageOffset; at > 0 && at < start {
		start = at
	}
	end := start + meta.TotalCompressedSize
	if start < 4 || meta.TotalCompressedSize < 0 || end < start || end > int64(len(body)) {
		return nil, errors.New("a column lies outside of the file")
	}
	if format.Type(c.Type().Kind()) != meta.Type {
		return nil, errors.New("a column has another type than the schema says")
	}
	return &leaf{column: c, codec: meta.Codec, src: body[start:end], budget: budget}, nil
}

// peek is the next value; false after the last.
func (l *leaf) peek() (*parquet.Value, bool, error) {
	for l.at == len(l.buf) {
		if len(l.src) == 0 {
			return nil, false, nil
		}
		if err := l.page(); err != nil {
			return nil, false, err
		}
	}
	return &l.buf[l.at], true, nil
}

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
	// levelEncoding is not RLE where version 1 uses an encoding of levels that nobody has written for long.
	otherLevels bool
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
	case [2]int{5, 3}, [2]int{5, 4}:
		h.otherLevels = h.otherLevels || v != int64(format.RLE)
	case [2]int{8, 5}:
		h.defs = v
	case [2]int{8, 6}:
		h.reps = v
	case [2]int{8, 7}:
		h.compressed = v == 1
	}
}

// page reads the next page.
func (l *leaf) page() error {
	h := pageHeader{compressed: true}
	size, err := walk(l.src, h.note)
	if err != nil {
		return err
	}
	body := l.src[size:]
	*l.budget -= h.plain
	switch {
	case h.packed < 0 || h.packed > int64(len(body)):
		return errors.New("a page is cut off")
	case h.plain < 0 || h.plain > pageBytes || h.values < 0 || h.values > pageValues:
		return fmt.Errorf("a page declares %d bytes and %d values", h.plain, h.values)
	case *l.budget < 0:
		return errors.New("the columns become out of all proportion larger when they are decompressed")
	case h.defs < 0 || h.reps < 0 || h.defs+h.reps > h.packed || h.defs+h.reps > h.plain:
		return errors.New("the levels of a page are longer than itself")
	}
	body, l.src = body[:h.packed], body[h.packed:]
	if h.hasCRC && crc32.ChecksumIEEE(body) != h.crc {
		return errors.New("the checksum of a page does not match")
	}
	l.buf, l.at = l.buf[:0], 0
	switch h.sort {
	case dataPage, dataPageV2:
		return l.data(&h, body)
	case dictionaryPage:
		plain, err := l.decompress(&h, body)
		if err != nil {
			return err
		}
		l.dict, err = l.plain(plain, int(h.values))
		return err
	case indexPage:
		return nil
	default:
		return fmt.Errorf("a page of sort %d", h.sort)
	}
}

// data decodes a page of values into buf.
func (l *leaf) data(h *pageHeader, body []byte) error {
	n := int(h.values)
	plain, err := l.decompress(h, body)
	if err != nil {
		return err
	}
	var reps, defs []int32
	if h.sort == dataPageV2 {
		if reps, err = levels(plain[:h.reps], l.column.MaxRepetitionLevel(), n); err == nil {
			defs, err = levels(plain[h.reps:h.reps+h.defs], l.column.MaxDefinitionLevel(), n)
		}
		plain = plain[h.reps+h.defs:]
	} else {
		if h.otherLevels && (l.column.MaxRepetitionLevel() > 0 || l.column.MaxDefinitionLevel() > 0) {
			return errors.New("levels packed by bits are not supported")
		}
		if reps, plain, err = prefixed(plain, l.column.MaxRepetitionLevel(), n); err == nil {
			defs, plain, err = prefixed(plain, l.column.MaxDefinitionLevel(), n)
		}
	}
	if err != nil {
		return err
	}
	present := n
	deepest := int32(l.column.MaxDefinitionLevel())
	for _, d := range defs {
		if d < deepest {
			present--
		}
	}
	values, err := l.values(format.Encoding(h.encoding), plain, present)
	if err != nil {
		return err
	}
	return l.spread(values, reps, defs, n)
}

// spread puts the values to their levels, with NULLs between.
func (l *leaf) spread(values []parquet.Value, reps, defs []int32, n int) error {
	column, deepest := l.column.Index(), l.column.MaxDefinitionLevel()
	if l.flat && len(values) == n {
		l.buf = values
		return nil
	}
	next := 0
	for i := range n {
		rep, def := 0, deepest
		if reps != nil {
			rep = int(reps[i])
		}
		if defs != nil {
			def = int(defs[i])
		}
		if rep > l.column.MaxRepetitionLevel() || def > deepest {
			return errLevels
		}
		if def < deepest {
			l.buf = append(l.buf, parquet.NullValue().Level(rep, def, column))
			continue
		}
		l.buf = append(l.buf, values[next].Level(rep, def, column))
		next++
	}
	return nil
}

// levels decodes n levels; nil where the deepest is 0.
func levels(src []byte, deepest, n int) ([]int32, error) {
	if deepest == 0 {
		return nil, nil
	}
	return hybrid(src, bits.Len(uint(deepest)), n)
}

// prefixed decodes n levels that have their length before them, and gives what follows.
func prefixed(src []byte, deepest, n int) (out []int32, rest []byte, err error) {
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
	out, err = levels(src[:size], deepest, n)
	return out, src[size:], err
}

// values decodes n values of an encoding.
func (l *leaf) values(encoding format.Encoding, src []byte, n int) ([]parquet.Value, error) {
	kind := l.column.Type().Kind()
	switch encoding {
	case format.Plain:
		return l.plain(src, n)
	case plainDictionary, format.RLEDictionary:
		return l.lookup(src, n)
	case format.RLE:
		if kind != parquet.Boolean || len(src) < 4 {
			return nil, errEncoding
		}
		flags, err := hybrid(src[4:], 1, n)
		return valuesOf(flags, func(v int32) parquet.Value { return parquet.BooleanValue(v == 1) }), err
	case format.DeltaBinaryPacked:
		ints, _, err := delta(src, n)
		if kind == parquet.Int32 {
			return valuesOf(ints, func(v int64) parquet.Value { return parquet.Int32Value(int32(v)) }), err
		}
		return valuesOf(ints, parquet.Int64Value), err
	case format.DeltaLengthByteArray:
		texts, err := deltaLengths(src, n)
		return valuesOf(texts, parquet.ByteArrayValue), err
	case format.DeltaByteArray:
		texts, err := deltaTexts(src, n, *l.budget)
		if kind == parquet.FixedLenByteArray {
			return l.fixed(texts, err)
		}
		return valuesOf(texts, parquet.ByteArrayValue), err
	case format.ByteStreamSplit:
		width := l.width()
		if width == 0 {
			return nil, errEncoding
		}
		plain, err := unsplit(src, width, n)
		if err != nil {
			return nil, err
		}
		return l.plain(plain, n)
	default:
		return nil, fmt.Errorf("encoding %s is not supported", encoding)
	}
}

func valuesOf[T any](in []T, value func(T) parquet.Value) []parquet.Value {
	out := make([]parquet.Value, len(in))
	for i, v := range in {
		out[i] = value(v)
	}
	return out
}

// fixed sees that texts have the length of the column's type.
func (l *leaf) fixed(texts [][]byte, err error) ([]parquet.Value, error) {
	for _, text := range texts {
		if len(text) != l.column.Type().Length() {
			return nil, errEncoding
		}
	}
	return valuesOf(texts, parquet.FixedLenByteArrayValue), err
}

// lookup decodes n codes into the dictionary.
func (l *leaf) lookup(src []byte, n int) ([]parquet.Value, error) {
	if n == 0 {
		return nil, nil
	}
	if len(src) == 0 {
		return nil, errEncoding
	}
	codes, err := hybrid(src[1:], int(src[0]), n)
	if err != nil {
		return nil, err
	}
	out := make([]parquet.Value, n)
	for i, code := range codes {
		if code < 0 || int(code) >= len(l.dict) {
			return nil, errors.New("a code beyond the dictionary")
		}
		out[i] = l.dict[code]
	}
	return out, nil
}

// width is the size of the values of a physical type; 0 where they differ in size.
func (l *leaf) width() int {
	switch l.column.Type().Kind() {
	case parquet.Int32, parquet.Float:
		return 4
	case parquet.Int64, parquet.Double:
		return 8
	case parquet.Int96:
		return 12
	case parquet.FixedLenByteArray:
		return l.column.Type().Length()
	default:
		return 0
	}
}

// plain decodes n values as they lie.
func (l *leaf) plain(src []byte, n int) ([]parquet.Value, error) {
	kind, width := l.column.Type().Kind(), l.width()
	if kind == parquet.ByteArray {
		return plainTexts(src, n)
	}
	if kind == parquet.Boolean && len(src) < (n+7)/8 || len(src) < n*width {
		return nil, errEncoding
	}
	out := make([]parquet.Value, n)
	for i := range out {
		switch kind {
		case parquet.Boolean:
			out[i] = parquet.BooleanValue(src[i>>3]>>(i&7)&1 == 1)
		case parquet.Int32:
			out[i] = parquet.Int32Value(int32(binary.LittleEndian.Uint32(src[4*i:])))
		case parquet.Int64:
			out[i] = parquet.Int64Value(int64(binary.LittleEndian.Uint64(src[8*i:])))
		case parquet.Float:
			out[i] = parquet.FloatValue(math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:])))
		case parquet.Double:
			out[i] = parquet.DoubleValue(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		case parquet.Int96:
			out[i] = parquet.Int96Value(deprecated.Int96{
				binary.LittleEndian.Uint32(src[12*i:]), binary.LittleEndian.Uint32(src[12*i+4:]), binary.LittleEndian.Uint32(src[12*i+8:]),
			})
		default:
			out[i] = parquet.FixedLenByteArrayValue(src[i*width : (i+1)*width : (i+1)*width])
		}
	}
	return out, nil
}

// plainTexts decodes n texts, each behind its length.
func plainTexts(src []byte, n int) ([]parquet.Value, error) {
	if n > len(src)/4 {
		return nil, errEncoding
	}
	out := make([]parquet.Value, n)
	for i := range out {
		if len(src) < 4 {
			return nil, errEncoding
		}
		size := int64(binary.LittleEndian.Uint32(src))
		if src = src[4:]; size > int64(len(src)) {
			return nil, errEncoding
		}
		out[i], src = parquet.ByteArrayValue(src[:size:size]), src[size:]
	}
	return out, nil
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
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(decoderMemory))
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
		if err := r.Reset(bytes.NewReader(packed)); err != nil {
			return 0, err
		}
		return readInto(dst, r)
	case format.Lz4Raw:
		return lz4.UncompressBlock(packed, dst)
	default:
		return 0, fmt.Errorf("compression %s is not supported", codec)
	}
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
