package spill

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/pierrec/lz4/v4"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// File is chunks of rows, one after another. Where each lies is known in memory only.
type File struct {
	space *Space
	name  string
	file  vfs.File
	size  int64

	encoded    bytes.Buffer // scratch
	compressed []byte       // scratch
	compressor lz4.Compressor
}

// Chunk is where some rows lie in a File.
type Chunk struct {
	// Rows is how many rows there are.
	Rows int
	// Bytes is about what the rows take in memory.
	Bytes int64

	present  []bool // which columns are not nil
	offset   int64
	length   int
	plain    int // bytes before compression; equal to length where compression did not help
	checksum uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append writes rows, as an Arrow stream in one block of LZ4. Columns that are nil come back as nil; dictionaries come back as plain
// text.
func (f *File) Append(columns []arrow.Array, rows int) (Chunk, error) {
	c := Chunk{Rows: rows, present: make([]bool, len(columns)), offset: f.size}
	if err := f.encode(columns, &c); err != nil {
		return c, err
	}
	block := f.encoded.Bytes()
	c.plain, c.Bytes = len(block), int64(len(block))
	f.compressed = sized(f.compressed, lz4.CompressBlockBound(len(block)))
	if n, err := f.compressor.CompressBlock(block, f.compressed); err == nil && n > 0 && n < len(block) {
		block = f.compressed[:n]
	}
	c.length, c.checksum = len(block), crc32.Checksum(block, castagnoli)
	if err := f.space.take(int64(len(block))); err != nil {
		return c, err
	}
	f.size += int64(len(block))
	if _, err := f.file.Write(block); err != nil {
		return c, fmt.Errorf("write temporary file of a query: %w", diskFull(err))
	}
	return c, nil
}

// encode writes the columns that there are into the scratch.
func (f *File) encode(columns []arrow.Array, c *Chunk) error {
	var fields []arrow.Field
	var present []arrow.Array
	for i, column := range columns {
		if column == nil {
			continue
		}
		column = kernel.Decode(column)
		c.present[i] = true
		fields = append(fields, arrow.Field{Name: strconv.Itoa(i), Type: column.DataType(), Nullable: true})
		present = append(present, column)
	}
	schema := arrow.NewSchema(fields, nil)
	f.encoded.Reset()
	w := ipc.NewWriter(&f.encoded, ipc.WithSchema(schema))
	if err := w.Write(array.NewRecordBatch(schema, present, int64(c.Rows))); err != nil {
		return fmt.Errorf("encode rows for a temporary file: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("encode rows for a temporary file: %w", err)
	}
	return nil
}

// Read gives the columns of a chunk that Append wrote.
func (f *File) Read(c Chunk) ([]arrow.Array, error) {
	block := make([]byte, c.length)
	if n, err := f.file.ReadAt(block, c.offset); n < c.length {
		return nil, fmt.Errorf("read temporary file of a query: %w", err)
	}
	if crc32.Checksum(block, castagnoli) != c.checksum {
		return nil, event.Errorf(event.CodeCorrupt, "temporary file of a query: %d bytes at %d are damaged", c.length, c.offset)
	}
	if c.plain != c.length {
		plain := make([]byte, c.plain)
		if n, err := lz4.UncompressBlock(block, plain); err != nil || n != c.plain {
			return nil, errors.Join(event.Errorf(event.CodeCorrupt, "temporary file of a query: a block cannot be read"), err)
		}
		block = plain
	}
	r, err := ipc.NewReader(bytes.NewReader(block))
	if err != nil {
		return nil, fmt.Errorf("decode temporary file of a query: %w", err)
	}
	if !r.Next() {
		return nil, fmt.Errorf("decode temporary file of a query: %w", errors.Join(r.Err(), errNoRows))
	}
	columns, read := make([]arrow.Array, len(c.present)), r.RecordBatch().Columns()
	for i, present := range c.present {
		if present {
			columns[i], read = read[0], read[1:]
		}
	}
	return columns, nil
}

var errNoRows = errors.New("no rows where some were written")

// Close removes the file. It may be called twice.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.file.Close(), f.space.fs.Remove(f.name))
	f.space.used.Add(-f.size)
	f.file = nil
	if err != nil {
		return fmt.Errorf("remove temporary file of a query: %w", err)
	}
	return nil
}

// sized is a slice of n bytes, in the same memory where it suffices.
func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// Stored is the bytes on disk.
func (c Chunk) Stored() int64 { return int64(c.length) }
