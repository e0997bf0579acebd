package parquet

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// magic begins and ends every Parquet file.
const magic = "PAR1"

// writeBuffer gathers small pages into writes worth a system call.
const writeBuffer = 256 << 10

// Write makes a file of sorted rows: columns are those of schema.All(), in that order and of one length.
func Write(w io.Writer, schema *event.Schema, columns []arrow.Array, meta FileMeta, layout Layout) (Info, error) {
	out := &fileWriter{schema: schema, columns: schema.All(), layout: layout.withDefaults(), buffer: bufio.NewWriterSize(w, writeBuffer)}
	rows, err := out.check(columns)
	if err != nil {
		return Info{}, err
	}
	if err := out.begin(meta); err != nil {
		return Info{}, err
	}
	for from := 0; from < rows; from += out.layout.RowGroupRows {
		if err := out.writeRowGroup(columns, from, min(rows, from+out.layout.RowGroupRows)); err != nil {
			return Info{}, err
		}
	}
	if err := out.finish(); err != nil {
		return Info{}, err
	}
	return Info{Rows: int64(rows), Bytes: out.offset, Stats: out.stats}, nil
}

// fileWriter is a file being written.
type fileWriter struct {
	schema  *event.Schema
	columns []event.Column
	layout  Layout
	buffer  *bufio.Writer
	offset  int64
	footer  format.FileMetaData
	indexes [][]chunkIndex // by row group and column
	stats   []prune.Stats

	lz4     lz4.Compressor
	scratch []byte // compressed bytes of the page at hand
}

// chunkIndex is what the page index says of one column of a row group.
type chunkIndex struct {
	column *format.ColumnIndex // nil where a page's bounds are not known
	offset format.OffsetIndex
}

func (w *fileWriter) check(columns []arrow.Array) (rows int, err error) {
	if len(columns) != len(w.columns) {
		return 0, fmt.Errorf("write segment: %d columns for a schema of %d", len(columns), len(w.columns))
	}
	rows = columns[0].Len()
	for i, c := range w.columns {
		switch values := columns[i]; {
		case values.Len() != rows:
			return 0, fmt.Errorf("write segment: column %q has %d rows, not %d", c.Name, values.Len(), rows)
		case c.NotNull && values.NullN() > 0:
			return 0, fmt.Errorf("write segment: column %q is NOT NULL and has %d NULLs", c.Name, values.NullN())
		case !arrow.TypeEqual(values.DataType(), c.Type.Arrow()) && !arrow.TypeEqual(values.DataType(), event.DictionaryType):
			return 0, fmt.Errorf("write segment: column %q is %s, not %s", c.Name, values.DataType(), c.Type)
		}
	}
	return rows, nil
}

func (w *fileWriter) begin(meta FileMeta) error {
	elements, err := schemaElements(w.columns)
	if err != nil {
		return err
	}
	pairs, err := meta.keyValues(w.schema)
	if err != nil {
		return err
	}
	w.stats = make([]prune.Stats, len(w.columns))
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

func (w *fileWriter) writeRowGroup(columns []arrow.Array, from, to int) error {
	group := format.RowGroup{
		FileOffset: w.offset, NumRows: int64(to - from), Ordinal: int16(len(w.footer.RowGroups)), SortingColumns: w.sorting(),
	}
	parts := make([]arrow.Array, len(columns))
	for i, values := range columns {
		parts[i] = array.NewSlice(values, int64(from), int64(to))
	}
	cuts := pageCuts(parts, w.layout.PageRows)
	indexes := make([]chunkIndex, len(columns))
	for i, c := range w.columns {
		chunk, stats, err := w.writeChunk(c, parts[i], cuts, &indexes[i])
		if err != nil {
			return fmt.Errorf("write segment: column %q: %w", c.Name, err)
		}
		group.Columns = append(group.Columns, chunk)
		group.TotalByteSize += chunk.MetaData.TotalUncompressedSize
		group.TotalCompressedSize += chunk.MetaData.TotalCompressedSize
		w.stats[i] = w.stats[i].Merge(stats)
	}
	w.footer.RowGroups = append(w.footer.RowGroups, group)
	w.footer.NumRows += group.NumRows
	w.indexes = append(w.indexes, indexes)
	return nil
}

// sorting declares the column that rows are sorted by.
func (w *fileWriter) sorting() []format.SortingColumn {
	id := w.schema.TimeColumn
	if id == 0 {
		id = event.FieldIngestedAt
	}
	for i, c := range w.columns {
		if c.ID == id && c.NotNull {
			return []format.SortingColumn{{ColumnIdx: int32(i)}}
		}
	}
	return nil
}

// pageCuts decides after which rows pages end, the same for all columns: after pageRows, or earlier where text is long.
func pageCuts(columns []arrow.Array, pageRows int) []int {
	rows := columns[0].Len()
	var cuts []int
	for from := 0; from < rows; {
		to := min(rows, from+pageRows)
		for _, values := range columns {
			if text, ok := values.(*array.String); ok {
				to = cutText(text, from, to)
			}
		}
		cuts = append(cuts, to)
		from = to
	}
	return cuts
}

// cutText lowers to until the text of the rows fits a page; one row is always taken.
func cutText(values *array.String, from, to int) int {
	offsets := values.ValueOffsets()
	for to-from > 1 && offsets[to]-offsets[from] > maxPageText {
		to = from + (to-from)/2
	}
	return to
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
	n, err := w.writeThrift(&w.footer)
	if err != nil {
		return err
	}
	end := binary.LittleEndian.AppendUint32(nil, uint32(n))
	if err := w.write(append(end, magic...)); err != nil {
		return err
	}
	if err := w.buffer.Flush(); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
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
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}
