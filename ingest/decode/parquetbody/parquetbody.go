// Package parquetbody reads a body that is a Parquet file, of any writer, into chunks of rows.
//
// Columns become Arrow arrays, which package columnar takes on; nested columns become JSON on the way, as Dremel's levels say (Melnik et al.,
// 2010). Of the Parquet library only the footer's reader is used: its pages come from pools that all readers of the process share, and a
// damaged page that makes it give one back twice would change what others read.
//
// What always holds: no length that the body declares makes memory beyond a fixed bound; a body that contradicts itself is an error and
// no panic. A Reader is used by one goroutine and holds the body while it is read.
package parquetbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

const (
	// batchRows is how many rows are read at a time.
	batchRows = 4096
	// fileTimes bounds what all pages become when they are decompressed, in sizes of the body, beyond fileFree.
	fileTimes = 250
	fileFree  = 64 << 20
)

// Reader reads one body.
type Reader struct {
	file      *parquet.File
	schema    *arrow.Schema
	converter *columnar.Converter
	columns   []column
	leaves    []*parquet.Column // of the file, in order
	body      []byte
	budget    int64 // bytes that pages may still become

	left   int64 // rows of the present group to come
	number int   // of the next group
	batch  arrow.RecordBatch
	at     int64 // rows of batch that were given
}

// column is one column of the rows, with the leaves that it has in the file.
type column struct {
	first, leaves int
	// flat is set where the column is one leaf with one value for each row.
	flat    bool
	build   builder
	readers []*leaf
}

// NewReader reads a whole body, which must not change while it is read.
func NewReader(body []byte) (r *Reader, err error) {
	if len(body) == 0 {
		return nil, event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("it must be a Parquet file")
	}
	r = &Reader{body: body, budget: fileFree + fileTimes*int64(len(body))}
	err = guard("the schema", func() error { return r.open(body) })
	return r, err
}

func (r *Reader) open(body []byte) error {
	if err := checkFooter(body); err != nil {
		return err
	}
	var err error
	r.file, err = parquet.OpenFile(bytes.NewReader(body), int64(len(body)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	var fields []arrow.Field
	for _, node := range r.file.Root().Columns() {
		first := len(r.leaves)
		r.leaves = appendLeaves(r.leaves, node)
		field, build, err := columnOf(node)
		if err != nil {
			return err
		}
		fields = append(fields, field)
		r.columns = append(r.columns, column{first: first, leaves: len(r.leaves) - first, flat: node.Leaf() && !node.Repeated(), build: build})
	}
	r.schema = arrow.NewSchema(fields, nil)
	if r.converter, err = columnar.New(r.schema, r.budget); err == nil {
		r.converter.Keep()
	}
	return err
}

// appendLeaves lists the leaves of a column in the order of the file.
func appendLeaves(leaves []*parquet.Column, c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return append(leaves, c)
	}
	for _, child := range c.Columns() {
		leaves = appendLeaves(leaves, child)
	}
	return leaves
}

// Next returns the next chunk of rows, or io.EOF after the last.
func (r *Reader) Next() (chunk *decode.Chunk, err error) {
	err = guard(fmt.Sprintf("row group %d", r.number), func() error {
		for r.batch == nil || r.at >= r.batch.NumRows() {
			if err := r.nextBatch(); err != nil {
				return err
			}
		}
		var n int64
		var err error
		chunk, n, err = r.converter.Convert(r.batch, r.at)
		r.at += n
		return err
	})
	if err != nil {
		return nil, err
	}
	return chunk, nil
}

// nextBatch reads rows of the present group, or opens the next one.
func (r *Reader) nextBatch() error {
	for r.left == 0 {
		if r.number == len(r.file.Metadata().RowGroups) {
			return io.EOF
		}
		if err := r.openGroup(); err != nil {
			return err
		}
	}
	n := int(min(r.left, batchRows))
	arrays := make([]arrow.Array, len(r.columns))
	for i, c := range r.columns {
		var err error
		if arrays[i], err = c.build(c.readers, n); err != nil {
			return fmt.Errorf("column %q: %w", r.schema.Field(i).Name, err)
		}
		if arrays[i].Len() != n {
			return fmt.Errorf("column %q has another number of rows than its group", r.schema.Field(i).Name)
		}
	}
	r.left -= int64(n)
	r.batch, r.at = array.NewRecordBatch(r.schema, arrays, int64(n)), 0
	return nil
}

// openGroup starts to read the columns of the next group.
func (r *Reader) openGroup() error {
	group := &r.file.Metadata().RowGroups[r.number]
	r.number++
	if len(group.Columns) != len(r.leaves) {
		return errors.New("it has another number of columns than the schema")
	}
	for i := range r.columns {
		c := &r.columns[i]
		c.readers = nil
		for at := c.first; at < c.first+c.leaves; at++ {
			l, err := newLeaf(r.body, r.leaves[at], &group.Columns[at].MetaData, &r.budget)
			if err != nil {
				return err
			}
			l.flat = c.flat
			c.readers = append(c.readers, l)
		}
	}
	r.left = group.NumRows
	if r.left < 0 || len(r.columns) == 0 && r.left > 0 {
		return fmt.Errorf("it declares %d rows", r.left)
	}
	return nil
}

// guard words what is wrong with a body, also where a contradiction in it led to a panic of the Parquet library.
func guard(where string, read func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = event.Errorf(event.CodeBadRequest, "the Parquet file is damaged: %s: %v", where, fault)
		}
	}()
	err = read()
	var fault *event.Error
	switch {
	case err == nil || err == io.EOF: //nolint:errorlint // a wrapped one is a file that ends too early
		return err
	case errors.As(err, &fault):
		return fault
	default:
		return event.Errorf(event.CodeBadRequest, "the Parquet file is damaged: %s: %v", where, err)
	}
}
