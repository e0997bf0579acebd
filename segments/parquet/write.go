package parquet

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// magic begins and ends every Parquet file.
const magic = "PAR1"

// writeBuffer gathers small pages into writes worth a system call.
const writeBuffer = 256 << 10

// Write makes a file of sorted rows that are in memory as a whole: columns are those of schema.All(), in that order and of one length.
func Write(w io.Writer, schema *event.Schema, columns []arrow.Array, meta FileMeta, layout Layout) (Info, error) {
	if want := len(schema.All()); len(columns) != want {
		return Info{}, fmt.Errorf("write segment: %d columns for a schema of %d", len(columns), want)
	}
	for i, c := range schema.All() {
		if err := checkColumn(c, columns[i], columns[0].Len()); err != nil {
			return Info{}, fmt.Errorf("write segment: column %q: %w", c.Name, err)
		}
	}
	return WriteRows(context.Background(), w, schema, arrays(columns), meta, layout)
}

// WriteRows makes a file of sorted rows.
func WriteRows(ctx context.Context, w io.Writer, schema *event.Schema, rows Rows, meta FileMeta, layout Layout) (Info, error) {
	out := &fileWriter{schema: schema, columns: schema.All(), layout: layout.withDefaults(), buffer: bufio.NewWriterSize(w, writeBuffer)}
	var err error
	if out.pack, err = newCompressor(out.layout); err != nil {
		return Info{}, fmt.Errorf("write segment: %w", err)
	}
	pairs, err := meta.keyValues(schema)
	if err != nil {
		return Info{}, err
	}
	out.sortBy = meta.SortBy
	if err := out.begin(pairs); err != nil {
		return Info{}, err
	}
	for from := 0; from < rows.Len(); {
		if err := rows.Advance(ctx, from, min(rows.Len(), from+out.layout.RowGroupRows)); err != nil {
			return Info{}, err
		}
		to := groupEnd(rows, len(out.columns), from, out.layout)
		if err := out.writeRowGroup(ctx, rows, from, to); err != nil {
			return Info{}, err
		}
		from = to
	}
	if err := out.finish(); err != nil {
		return Info{}, err
	}
	return Info{Rows: int64(rows.Len()), Bytes: out.offset, Stats: out.stats}, nil
}

// fileWriter is a file being written.
type fileWriter struct {
	schema  *event.Schema // nil for a file that is no segment
	columns []event.Column
	layout  Layout
	buffer  *bufio.Writer
	offset  int64
	footer  format.FileMetaData
	indexes [][]chunkIndex // by row group and column
	stats   []prune.Stats
	sortBy  []event.FieldID

	// documents are the members of columns, by column; nil for those without. They are chosen with the first row group.
	documents []*documentMembers

	// sum is the CRC32C of what has been written.
	sum uint32

	pack *compressor
	// hashes is memory for those of a column.
	hashes []uint64
	// incompressible says that a page of the column at hand did not become smaller.
	incompressible bool
}

// chunkIndex is what helps to leave out one column of a row group.
type chunkIndex struct {
	column *format.ColumnIndex // nil where a page's bounds are not known
	offset format.OffsetIndex
	// filter is nil where there is none, and once it is written.
	filter bloom.SplitBlockFilter
}

func (w *fileWriter) begin(pairs []format.KeyValue) error {
	elements, err := schemaElements(w.columns)
	if err != nil {
		return err
	}
	w.stats, w.documents = make([]prune.Stats, len(w.columns)), make([]*documentMembers, len(w.columns))
	orders := make([]format.ColumnOrder, len(w.columns))
	for i, c := range w.columns {
		w.stats[i].Type = c.Type
		orders[i].Value = &format.TypeDefinedOrder{}
	}
	w.footer = format.FileMetaData{
		Version: 2, Schema: elements, KeyValueMetadata: pairs, CreatedBy: "tidemark version 1", ColumnOrders: orders,
		RowGroups: []format.RowGroup{},
	}
	return w.write([]byte(magic))
}

func (w *fileWriter) writeRowGroup(ctx context.Context, rows Rows, from, to int) error {
	group := format.RowGroup{
		FileOffset: w.offset, NumRows: int64(to - from), Ordinal: int16(len(w.footer.RowGroups)), SortingColumns: w.sorting(),
	}
	cuts := pageCuts(rows, len(w.columns), from, to, w.layout)
	indexes := make([]chunkIndex, len(w.columns))
	var taken memberChunks
	for i, c := range w.columns {
		values, err := rows.Column(ctx, i, from, to)
		if err == nil {
			err = checkColumn(c, values, to-from)
		}
		if err != nil {
			return fmt.Errorf("write segment: column %q: %w", c.Name, err)
		}
		chunk, stats, err := w.writeChunk(c, values, cuts, &indexes[i])
		if err != nil {
			return fmt.Errorf("write segment: column %q: %w", c.Name, err)
		}
		group.Columns = append(group.Columns, chunk)
		w.stats[i] = w.stats[i].Merge(stats)
		if err := w.writeMembers(i, values, cuts, &taken); err != nil {
			return fmt.Errorf("write segment: members of column %q: %w", c.Name, err)
		}
	}
	group.Columns, indexes = append(group.Columns, taken.chunks...), append(indexes, taken.indexes...)
	for i := range group.Columns {
		group.TotalByteSize += group.Columns[i].MetaData.TotalUncompressedSize
		group.TotalCompressedSize += group.Columns[i].MetaData.TotalCompressedSize
	}
	if err := w.writeFilters(&group, indexes); err != nil {
		return err
	}
	w.footer.RowGroups = append(w.footer.RowGroups, group)
	w.footer.NumRows += group.NumRows
	w.indexes = append(w.indexes, indexes)
	return nil
}

// sorting declares the columns that rows are sorted by: the event time, then those asked for. A time that may be missing is not
// declared, since such rows stand where their arrival puts them, and nothing after it holds.
func (w *fileWriter) sorting() []format.SortingColumn {
	if w.schema == nil {
		return nil
	}
	id := w.schema.TimeColumn
	if id == 0 {
		id = event.FieldIngestedAt
	}
	var out []format.SortingColumn
	for _, id := range append([]event.FieldID{id}, w.sortBy...) {
		i := slices.IndexFunc(w.columns, func(c event.Column) bool { return c.ID == id })
		if i < 0 || (len(out) == 0 && !w.columns[i].NotNull) {
			break
		}
		out = append(out, format.SortingColumn{ColumnIdx: int32(i)})
	}
	return out
}

func (w *fileWriter) finish() error {
	for g := range w.indexes {
		for i := range w.indexes[g] {
			if index := w.indexes[g][i].column; index != nil {
				chunk := &w.footer.RowGroups[g].Columns[i]
				chunk.ColumnIndexOffset = w.offset
				n, err := w.writeThrift(index)
				if err != nil {
					return err
				}
				chunk.ColumnIndexLength = int32(n)
			}
		}
	}
	for g := range w.indexes {
		for i := range w.indexes[g] {
			chunk := &w.footer.RowGroups[g].Columns[i]
			chunk.OffsetIndexOffset = w.offset
			n, err := w.writeThrift(&w.indexes[g][i].offset)
			if err != nil {
				return err
			}
			chunk.OffsetIndexLength = int32(n)
		}
	}
	if err := w.describeMembers(); err != nil {
		return err
	}
	if err := w.writeFooter(); err != nil {
		return err
	}
	if err := w.buffer.Flush(); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}

// writeFooter writes the description of the file, its size, and the magic. That of a segment has the checksum of the whole file.
func (w *fileWriter) writeFooter() error {
	if w.schema != nil {
		w.footer.CreatedBy = summedBy
		w.footer.KeyValueMetadata = append(w.footer.KeyValueMetadata, format.KeyValue{Key: keySum, Value: noSum})
	}
	data, err := thrift.Marshal(new(thrift.CompactProtocol), &w.footer)
	if err != nil {
		return fmt.Errorf("write segment: encode footer: %w", err)
	}
	end := binary.LittleEndian.AppendUint32(nil, uint32(len(data)))
	end = append(end, magic...)
	if at := placeOfSum(data); w.schema != nil && at >= 0 {
		sum := crc32.Update(crc32.Update(w.sum, castagnoli, data), castagnoli, end)
		copy(data[at:], fmt.Sprintf("%0*x", len(noSum), sum))
	}
	if err := w.write(data); err != nil {
		return err
	}
	return w.write(end)
}

// writeThrift writes one structure of the format and returns its size.
func (w *fileWriter) writeThrift(v any) (int, error) {
	data, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		return 0, fmt.Errorf("write segment: encode %T: %w", v, err)
	}
	return len(data), w.write(data)
}

func (w *fileWriter) write(data []byte) error {
	n, err := w.buffer.Write(data)
	w.offset += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli, data)
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}
