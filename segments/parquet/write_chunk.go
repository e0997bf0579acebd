package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// writeChunk writes one column of a row group: its dictionary, if it has one, then its pages.
func (w *fileWriter) writeChunk(c event.Column, values arrow.Array, cuts []int, index *chunkIndex) (format.ColumnChunk,
	prune.Stats, error) {
	stored := storedForm(c.Type, values)
	w.incompressible = false
	encoder, err := w.newEncoder(c.Type, stored, cuts)
	if err != nil {
		return format.ColumnChunk{}, prune.Stats{}, err
	}
	physical, _ := physicalType(c.Type)
	chunk := format.ColumnChunk{MetaData: format.ColumnMetaData{
		Type: physical, Codec: w.layout.Codec.format(), PathInSchema: []string{c.Name}, NumValues: int64(values.Len()),
		Encoding: []format.Encoding{format.RLE, encoder.encoding()},
	}}
	if dictionary, ok := encoder.(dictionary); ok {
		chunk.MetaData.Encoding = append(chunk.MetaData.Encoding, format.Plain)
		chunk.MetaData.DictionaryPageOffset = w.offset
		if err := w.writeDictionary(&chunk.MetaData, dictionary); err != nil {
			return chunk, prune.Stats{}, err
		}
	}
	chunk.MetaData.DataPageOffset = w.offset
	total := prune.Stats{Type: c.Type}
	pages := make([]prune.Stats, 0, len(cuts))
	from := 0
	for _, to := range cuts {
		stats, location, err := w.writePage(&chunk.MetaData, c, encoder, values, stored, from, to)
		if err != nil {
			return chunk, total, err
		}
		index.offset.PageLocations = append(index.offset.PageLocations, location)
		pages = append(pages, stats)
		total = total.Merge(stats)
		from = to
	}
	index.column = columnIndex(pages)
	index.filter = w.filterOf(c, stored, encoder, pages)
	chunk.MetaData.Statistics = statistics(total)
	return chunk, total, nil
}

// newEncoder chooses an encoding: for the fresh layout by what the values look like, for the archive one by trying.
func (w *fileWriter) newEncoder(t event.Type, stored arrow.Array, cuts []int) (encoder, error) {
	if w.layout.Codec == Archive {
		return w.archiveEncoder(t, stored, cuts)
	}
	return newEncoder(t, stored), nil
}

func (w *fileWriter) writeDictionary(meta *format.ColumnMetaData, d dictionary) error {
	plain := d.page()
	body := w.pack.compressAnyway(plain)
	header := format.PageHeader{
		Type: format.DictionaryPage, UncompressedPageSize: int32(len(plain)), CompressedPageSize: int32(len(body)),
		CRC: int32(crc32.ChecksumIEEE(body)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{
			NumValues: int32(d.count()), Encoding: format.Plain,
		}),
	}
	return w.emit(meta, &header, nil, body)
}

// writePage writes rows from..to of a column as one data page: its statistics come from the values, its bytes from their stored form.
func (w *fileWriter) writePage(meta *format.ColumnMetaData, c event.Column, encoder encoder, values, stored arrow.Array,
	from, to int) (
	prune.Stats, format.PageLocation, error) {
	rows := array.NewSlice(values, int64(from), int64(to))
	stats := prune.Collect(rows, c.Type)
	var levels []byte
	if !c.NotNull {
		levels = encodeLevels(event.ValidityOf(rows), rows.Len())
	}
	plain, err := encoder.encode(array.NewSlice(stored, int64(from), int64(to)), from)
	if err != nil {
		return stats, format.PageLocation{}, err
	}
	if body := w.compressJoined(levels, plain, stats.Nulls, rows.Len()); body != nil {
		joined := joinedPage{plain: levelsHead + len(levels) + len(plain), first: from, rows: rows.Len(), nulls: stats.Nulls}
		location, err := w.writeJoined(meta, encoder, body, joined)
		return stats, location, err
	}
	body := w.compressPage(plain)
	compressed := body != nil
	if !compressed {
		body = plain
	}
	header := format.PageHeader{
		Type: format.DataPageV2, UncompressedPageSize: int32(len(levels) + len(plain)), CompressedPageSize: int32(len(levels) + len(body)),
		CRC: int32(crc32.Update(crc32.ChecksumIEEE(levels), crc32.IEEETable, body)),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(rows.Len()), NumNulls: int32(stats.Nulls), NumRows: int32(rows.Len()), Encoding: encoder.encoding(),
			DefinitionLevelsByteLength: int32(len(levels)), IsCompressed: thrift.New(compressed),
			// Bounds stand in the page index; repeated here they would only make small files larger.
			Statistics: format.Statistics{NullCount: stats.Nulls},
		}),
	}
	location := format.PageLocation{Offset: w.offset, FirstRowIndex: int64(from)}
	if err := w.emit(meta, &header, levels, body); err != nil {
		return stats, location, err
	}
	location.CompressedPageSize = int32(w.offset - location.Offset)
	return stats, location, nil
}

// compressJoined compresses values together with which rows have one, as data pages of version 1 have it: those of version 2 leave the latter as
// they are, which of values that take a few bits each is most of a page. It is for the archive layout, and nil where there is nothing to gain.
func (w *fileWriter) compressJoined(levels, plain []byte, nulls int64, rows int) []byte {
	if w.layout.Codec != Archive || w.incompressible || nulls == 0 || nulls == int64(rows) {
		return nil
	}
	joined := binary.LittleEndian.AppendUint32(make([]byte, 0, levelsHead+len(levels)+len(plain)), uint32(len(levels)))
	joined = append(append(joined, levels...), plain...)
	if body := w.pack.compress(joined); w.pack.pays(joined, body) {
		return body
	}
	return nil
}

// joinedPage describes a page that compressJoined made.
type joinedPage struct {
	plain, first int // bytes, and the first row in the row group
	rows         int
	nulls        int64
}

// writeJoined writes a data page of version 1.
func (w *fileWriter) writeJoined(meta *format.ColumnMetaData, encoder encoder, body []byte, p joinedPage) (format.PageLocation, error) {
	header := format.PageHeader{
		Type: format.DataPage, UncompressedPageSize: int32(p.plain), CompressedPageSize: int32(len(body)), CRC: int32(crc32.ChecksumIEEE(body)),
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(p.rows), Encoding: encoder.encoding(), DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
			Statistics: format.Statistics{NullCount: p.nulls},
		}),
	}
	location := format.PageLocation{Offset: w.offset, FirstRowIndex: int64(p.first)}
	err := w.emit(meta, &header, nil, body)
	location.CompressedPageSize = int32(w.offset - location.Offset)
	return location, err
}

// emit writes a page and accounts it to its column.
func (w *fileWriter) emit(meta *format.ColumnMetaData, header *format.PageHeader, levels, body []byte) error {
	n, err := w.writeThrift(header)
	if err != nil {
		return err
	}
	meta.TotalUncompressedSize += int64(n) + int64(header.UncompressedPageSize)
	meta.TotalCompressedSize += int64(n) + int64(header.CompressedPageSize)
	if err := w.write(levels); err != nil {
		return err
	}
	return w.write(body)
}

// compressPage compresses a page of values. The pages of a column are alike: after one that did not compress, the rest of its row
// group is not tried.
func (w *fileWriter) compressPage(plain []byte) []byte {
	if w.incompressible {
		return nil
	}
	body := w.pack.compress(plain)
	if !w.pack.pays(plain, body) {
		body = nil
	}
	w.incompressible = body == nil
	return body
}

// statistics renders the statistics of a page or a whole column.
func statistics(s prune.Stats) format.Statistics {
	out := format.Statistics{NullCount: s.Nulls}
	if s.Bounded {
		out.MinValue, out.MaxValue = boundBytes(s.Type, s.Min), boundBytes(s.Type, s.Max)
	}
	return out
}

// columnIndex lists the statistics of all pages, or is nil where some page with values has no bounds: the format cannot
// leave out a single one.
func columnIndex(pages []prune.Stats) *format.ColumnIndex {
	out := &format.ColumnIndex{}
	for _, s := range pages {
		if !s.Bounded && !s.AllNull() {
			return nil
		}
		low, high := []byte{}, []byte{}
		if s.Bounded {
			low, high = boundBytes(s.Type, s.Min), boundBytes(s.Type, s.Max)
		}
		out.NullPages = append(out.NullPages, s.AllNull())
		out.MinValues = append(out.MinValues, low)
		out.MaxValues = append(out.MaxValues, high)
		out.NullCounts = append(out.NullCounts, s.Nulls)
	}
	if ascending(pages) {
		out.BoundaryOrder = format.Ascending
	}
	return out
}

// ascending reports that bounds never fall from one page to the next, as those of the event time. Only whole numbers are looked at.
func ascending(pages []prune.Stats) bool {
	for i, s := range pages {
		if !s.Bounded || !prune.Whole(s.Type) {
			return false
		}
		if i > 0 && (s.Min.Int < pages[i-1].Min.Int || s.Max.Int < pages[i-1].Max.Int) {
			return false
		}
	}
	return true
}

// boundBytes is a bound as PLAIN encodes it.
func boundBytes(t event.Type, b prune.Bound) []byte {
	switch t.Kind {
	case event.Boolean:
		return []byte{byte(b.Int)}
	case event.Double:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(b.Float))
	case event.Text:
		return append([]byte{}, b.Text...)
	case event.SmallInt, event.Integer, event.Date, event.Real, event.Numeric, event.UUID:
		return declaredBound(t, b)
	default:
		return binary.LittleEndian.AppendUint64(nil, uint64(b.Int))
	}
}
