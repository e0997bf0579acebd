package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// rowGroup is where the columns of some consecutive rows lie.
type rowGroup struct {
	rows   int
	chunks []chunk
}

// chunk is one column of a row group.
type chunk struct {
	column Column
	codec  format.CompressionCodec
	// dictionary is where the dictionary page lies; no size means that there is none.
	dictionary span
	// filter is where the bloom filter lies, likewise.
	filter span
	// plain is how many bytes its pages have before they are compressed, as the file says.
	plain int64
	pages []page
	stats prune.Stats
}

// page is a page of values: rows first up to end of the row group.
type page struct {
	span
	first, end int
	stats      prune.Stats
}

// span is a range of the file.
type span struct {
	offset, size int64
}

// boundedReader refuses lists that claim more elements than bytes are left: the decoder allocates what a list claims.
type boundedReader struct {
	compactReader
	bytes thrift.BytesReader
	size  int
}

type compactReader = thrift.Reader

func (r *boundedReader) ReadList() (thrift.List, error) {
	l, err := r.compactReader.ReadList()
	if err == nil && int(l.Size) > r.size-r.bytes.BytesRead() {
		return thrift.List{}, fmt.Errorf("list of %d elements: %w", l.Size, io.ErrUnexpectedEOF)
	}
	return l, err
}

// decodeThrift decodes one structure and returns how many bytes it took.
func decodeThrift(data []byte, v any) (int, error) {
	inner := new(thrift.CompactProtocol).NewReaderFromBytes(data)
	if err := thrift.NewDecoder(&boundedReader{compactReader: inner, bytes: inner, size: len(data)}).Decode(v); err != nil {
		return 0, err
	}
	return inner.BytesRead(), nil
}

func (r *Reader) readFooter() error {
	data, err := r.footerBytes()
	if err != nil {
		return err
	}
	var footer format.FileMetaData
	if n, err := decodeThrift(data, &footer); err != nil || n != len(data) {
		return corrupt(r.name, "unreadable footer: %v", err)
	}
	if r.columns, err = parseSchema(footer.Schema); err != nil {
		return corrupt(r.name, "%v", err)
	}
	r.summed = footer.CreatedBy == summedBy
	if len(r.columns) == 0 {
		return corrupt(r.name, "it has no columns")
	}
	for i, c := range r.columns {
		r.at[c.ID] = i
	}
	if r.meta, r.schema, err = parseMeta(footer.KeyValueMetadata); err != nil {
		return corrupt(r.name, "%v", err)
	}
	for i := range footer.RowGroups {
		if err := r.addRowGroup(&footer.RowGroups[i]); err != nil {
			return err
		}
	}
	if r.members, err = r.parseMembers(footer.KeyValueMetadata); err != nil {
		return corrupt(r.name, "%v", err)
	}
	return nil
}

func (r *Reader) addRowGroup(stored *format.RowGroup) error {
	if len(stored.Columns) != len(r.columns) || stored.NumRows <= 0 || stored.NumRows > MaxRowGroupRows {
		return corrupt(r.name, "row group of %d rows and %d columns", stored.NumRows, len(stored.Columns))
	}
	group := rowGroup{rows: int(stored.NumRows), chunks: make([]chunk, len(r.columns))}
	for i := range stored.Columns {
		c, err := r.openChunk(r.columns[i], &stored.Columns[i], group.rows)
		if err != nil {
			return err
		}
		if i > 0 && !sameEnds(c.pages, group.chunks[0].pages) {
			return corrupt(r.name, "pages of column %q end elsewhere than those of others", c.column.Name)
		}
		group.chunks[i] = c
	}
	r.groups = append(r.groups, group)
	return nil
}

func sameEnds(a, b []page) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].end != b[i].end {
			return false
		}
	}
	return true
}

func (r *Reader) openChunk(column Column, stored *format.ColumnChunk, rows int) (chunk, error) {
	meta := &stored.MetaData
	out := chunk{column: column, stats: r.parseStats(column, int64(rows), meta.Statistics)}
	if physical, _ := physicalType(column.Type); physical != meta.Type || meta.NumValues != int64(rows) {
		return out, corrupt(r.name, "column %q: %d values of type %s", column.Name, meta.NumValues, meta.Type)
	}
	switch meta.Codec {
	case format.Lz4Raw, format.Zstd, format.Uncompressed:
		out.codec = meta.Codec
	default:
		return out, corrupt(r.name, "column %q: unexpected compression %s", column.Name, meta.Codec)
	}
	if meta.DictionaryPageOffset > 0 {
		out.dictionary = span{meta.DictionaryPageOffset, meta.DataPageOffset - meta.DictionaryPageOffset}
	}
	out.plain = max(0, meta.TotalUncompressedSize)
	out.filter = span{meta.BloomFilterOffset, int64(meta.BloomFilterLength)}
	if err := r.openPages(&out, stored, rows); err != nil {
		return out, fmt.Errorf("column %q: %w", column.Name, err)
	}
	return out, nil
}

// openPages reads the page index of a column.
func (r *Reader) openPages(c *chunk, stored *format.ColumnChunk, rows int) error {
	var offsets format.OffsetIndex
	if err := r.readIndex(stored.OffsetIndexOffset, stored.OffsetIndexLength, &offsets); err != nil {
		return err
	}
	var bounds format.ColumnIndex
	if stored.ColumnIndexLength > 0 {
		if err := r.readIndex(stored.ColumnIndexOffset, stored.ColumnIndexLength, &bounds); err != nil {
			return err
		}
	}
	n := len(offsets.PageLocations)
	hasBounds := len(bounds.MinValues) == n && len(bounds.MaxValues) == n && len(bounds.NullCounts) == n
	for i, location := range offsets.PageLocations {
		end := int64(rows)
		if i+1 < n {
			end = offsets.PageLocations[i+1].FirstRowIndex
		}
		first := location.FirstRowIndex
		if (i == 0 && first != 0) || first >= end || end > int64(rows) || location.CompressedPageSize <= 0 {
			return corrupt(r.name, "page of rows %d to %d in %d bytes", first, end, location.CompressedPageSize)
		}
		p := page{span: span{location.Offset, int64(location.CompressedPageSize)}, first: int(first), end: int(end)}
		p.stats = prune.Stats{Type: c.column.Type, Rows: end - first}
		if hasBounds {
			stored := format.Statistics{NullCount: bounds.NullCounts[i], MinValue: bounds.MinValues[i], MaxValue: bounds.MaxValues[i]}
			p.stats = r.parseStats(c.column, end-first, stored)
		}
		c.pages = append(c.pages, p)
	}
	if n == 0 {
		return corrupt(r.name, "column %q has no pages", c.column.Name)
	}
	return nil
}

func (r *Reader) readIndex(offset int64, length int32, into any) error {
	data, err := r.read(offset, int64(length))
	if err != nil {
		return err
	}
	if _, err := decodeThrift(data, into); err != nil {
		return corrupt(r.name, "unreadable page index at %d: %v", offset, err)
	}
	return nil
}

// parseStats reads what statistics wrote. Bounds of an unexpected size are left out rather than guessed.
func (r *Reader) parseStats(c Column, rows int64, stored format.Statistics) prune.Stats {
	out := prune.Stats{Type: c.Type, Rows: rows, Nulls: stored.NullCount}
	if out.AllNull() || c.Type.Kind == event.JSONB || c.Type.Kind == event.Bytea {
		return out
	}
	low, okLow := parseBound(c.Type, stored.MinValue)
	high, okHigh := parseBound(c.Type, stored.MaxValue)
	if okLow && okHigh {
		out.Bounded, out.Min, out.Max = true, low, high
	}
	return out
}

func parseBound(t event.Type, stored []byte) (bound prune.Bound, ok bool) {
	switch t.Kind {
	case event.Boolean:
		if len(stored) != 1 {
			return bound, false
		}
		bound.Int = int64(stored[0])
	case event.Text:
		if stored == nil {
			return bound, false
		}
		bound.Text = string(stored)
	case event.SmallInt, event.Integer, event.Date, event.Real, event.Numeric, event.UUID:
		return parseDeclaredBound(t, stored)
	default:
		if len(stored) != 8 {
			return bound, false
		}
		word := binary.LittleEndian.Uint64(stored)
		if t.Kind == event.Double {
			bound.Float = math.Float64frombits(word)
		} else {
			bound.Int = int64(word)
		}
	}
	return bound, true
}
