package parquet

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// writerRows is the least number of rows that a Writer makes a row group of, the last one apart: enough for the columns to compress,
// and few enough to be held for every answer that is being sent.
const writerRows = 64 << 10

// writerBytes ends a row group early where rows hold long text.
const writerBytes = 64 << 20

// Writer makes a file of rows that come in batches and in no order: one for readers elsewhere, not a segment. Row groups are written
// as soon as they are full. It belongs to one goroutine.
type Writer struct {
	out     *fileWriter
	batches [][]arrow.Array
	rows    int
	bytes   int64
}

// NewWriter begins a file of columns, all of which may be NULL. It fails with CodeNotSupported for a type that files do not have.
func NewWriter(w io.Writer, columns []Column) (*Writer, error) {
	layout := Layout{}.withDefaults()
	pack, err := newCompressor(layout)
	if err != nil {
		return nil, fmt.Errorf("make compressor: %w", err)
	}
	out := &fileWriter{layout: layout, pack: pack, buffer: bufio.NewWriterSize(w, writeBuffer)}
	for _, c := range columns {
		out.columns = append(out.columns, event.Column{ID: c.ID, Name: c.Name, Type: c.Type})
	}
	if err := out.begin([]format.KeyValue{}); err != nil {
		return nil, err
	}
	return &Writer{out: out}, nil
}

// Write adds rows. The arrays are kept until their row group is written.
func (w *Writer) Write(columns []arrow.Array) error {
	if len(columns) == 0 || columns[0].Len() == 0 {
		return nil
	}
	w.batches = append(w.batches, columns)
	w.rows += columns[0].Len()
	for _, c := range columns {
		w.bytes += event.ArrayBytes(c)
	}
	if w.rows < writerRows && w.bytes < writerBytes {
		return nil
	}
	return w.writeGroup()
}

// writeGroup writes the batches held as one row group.
func (w *Writer) writeGroup() error {
	if w.rows == 0 {
		return nil
	}
	joined := make(arrays, len(w.out.columns))
	for i, c := range w.out.columns {
		var err error
		if joined[i], err = w.joined(i); err != nil {
			return fmt.Errorf("write column %q: %w", c.Name, err)
		}
	}
	for from := 0; from < w.rows; {
		to := groupEnd(joined, len(joined), from, w.out.layout)
		if err := w.out.writeRowGroup(context.Background(), joined, from, to); err != nil {
			return err
		}
		from = to
	}
	w.batches, w.rows, w.bytes = nil, 0, 0
	return w.out.buffer.Flush()
}

// joined is a column of all batches as one array. Text that comes partly as a dictionary becomes plain.
func (w *Writer) joined(column int) (arrow.Array, error) {
	if len(w.batches) == 1 {
		return w.batches[0][column], nil
	}
	parts := make([]arrow.Array, len(w.batches))
	mixed := false
	for i, b := range w.batches {
		parts[i] = b[column]
		mixed = mixed || !arrow.TypeEqual(parts[i].DataType(), parts[0].DataType())
	}
	if mixed {
		for i, p := range parts {
			parts[i] = event.PlainText(p)
		}
	}
	return array.Concatenate(parts, memory.DefaultAllocator)
}

// Close writes the rest and the footer. It does not close what is written to.
func (w *Writer) Close() error {
	if err := w.writeGroup(); err != nil {
		return err
	}
	return w.out.finish()
}
