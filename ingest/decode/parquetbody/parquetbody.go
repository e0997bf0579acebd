// Package parquetbody reads a body that is a Parquet file, of any writer, into chunks of rows.
//
// Columns become Arrow arrays, which package columnar takes on; nested columns become JSON on the way, as Dremel's levels say (Melnik et al.,
// 2010). Of the Parquet library only what it knows of schemas is used: its pages come from pools that all readers of the process share, and a
// damaged page that makes it give one back twice would change what others read.
//
// What always holds: no length that the body declares makes memory beyond a fixed bound, whatever its values stand for: of each column one page
// and one dictionary are held, and of the rows one batch; a body that contradicts itself is an error and
// no panic. A Reader is used by one goroutine.
package parquetbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

const (
	// batchRows is how many rows are read at a time, unless their values would take more than batchBytes, or those of one row more than rowBytes.
	batchRows  = 4096
	batchBytes = 32 << 20
	rowBytes   = 128 << 20
	// fileTimes bounds what all pages become when they are decompressed, in sizes of the body, beyond fileFree.
	fileTimes = 250
	fileFree  = 64 << 20
)

// Reader reads one body.
type Reader struct {
	file      io.ReaderAt
	size      int64
	body      []byte // the file, where it is in memory
	footer    *footer
	schema    *schema
	converter *columnar.Converter
	shared    shared
	budget    int64
	nested    []*assembler // by column; nil for flat ones

	leaves []leaf // of the present group
	before []leaf // what they were at the beginning of the batch
	left   int64  // rows of the present group to come
	rows   int    // of the batches, as many as have fitted
	number int    // of the next group
	batch  arrow.RecordBatch
	at     int64 // rows of batch that were given
}

// NewReader reads a whole body, which must not change while it is read. hold is asked for the memory that reading takes beside it, or given some
// back by a negative number, and may refuse; it may be nil.
func NewReader(body []byte, hold func(bytes int64) error) (*Reader, error) {
	return open(&Reader{file: bytes.NewReader(body), size: int64(len(body)), body: body, shared: shared{account: hold}})
}

// NewFileReader is NewReader for a file of a size, of which no more is in memory than is under way.
func NewFileReader(file io.ReaderAt, size int64, hold func(bytes int64) error) (*Reader, error) {
	return open(&Reader{file: file, size: size, shared: shared{account: hold}})
}

func open(r *Reader) (*Reader, error) {
	if r.size == 0 {
		return nil, event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("it must be a Parquet file")
	}
	r.budget, r.rows = fileFree+fileTimes*r.size, batchRows
	r.shared.budget = &r.budget
	return r, guard("the schema", r.open)
}

func (r *Reader) open() error {
	var err error
	if r.footer, err = readFooter(r.file, r.size, r.shared.hold); err != nil {
		return err
	}
	if r.schema, err = schemas.of(r.footer.schema); err != nil {
		return err
	}
	r.nested = make([]*assembler, len(r.schema.columns))
	for i, c := range r.schema.columns {
		if !c.flat {
			r.nested[i] = &assembler{root: c.root, types: c.types}
		}
	}
	r.converter = r.schema.plan.Converter(r.budget)
	r.converter.Keep()
	return nil
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
	r.batch = nil
	for r.left == 0 {
		if r.number == len(r.footer.groups) {
			r.leave()
			return io.EOF
		}
		if err := r.openGroup(); err != nil {
			return err
		}
	}
	for r.rows = min(2*r.rows, batchRows); ; r.rows = (r.rows + 1) / 2 {
		n := int(min(r.left, int64(r.rows)))
		err := r.read(n)
		var refused *event.Error
		if !errors.Is(err, errSplit) || errors.As(err, &refused) {
			return err
		}
		if n == 1 {
			return event.Errorf(event.CodeTooLarge, "a row takes more than %d MiB", rowBytes>>20)
		}
		r.rows = n
	}
}

// read reads a batch of n rows. Where they take too much, the leaves are as they were.
func (r *Reader) read(n int) error {
	r.shared.room = batchBytes
	if n == 1 {
		r.shared.room = rowBytes
	}
	if n > 1 { // else it cannot be tried again with fewer
		if cap(r.before) == 0 {
			r.before = newLeaves(len(r.leaves))
		}
		r.before = append(r.before[:0], r.leaves...)
	}
	held, budget := r.shared.held, r.budget
	arrays := make([]arrow.Array, len(r.schema.columns))
	for i, c := range r.schema.columns {
		var err error
		if c.flat {
			arrays[i], err = r.leaves[c.first].readFlat(&c.types[0], n)
		} else {
			arrays[i], err = r.nested[i].build(r.leaves[c.first:c.first+c.leaves], n)
		}
		if errors.Is(err, errSplit) {
			copy(r.leaves, r.before)
			r.budget = budget
			return errors.Join(errSplit, r.shared.hold(held-r.shared.held))
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", r.schema.arrow.Field(i).Name, err)
		}
	}
	clear(r.before) // pages that were left behind are let go
	r.left -= int64(n)
	r.batch, r.at = array.NewRecordBatch(r.schema.arrow, arrays, int64(n)), 0
	return nil
}

// Leaves are large, and so are used again: for a file of one row they were the most that is allocated. Longer lists than keptLeaves are not kept.
const keptLeaves = 128

var freeLeaves sync.Pool // of *[]leaf

// newLeaves is a list with room for so many.
func newLeaves(n int) []leaf {
	if kept, ok := freeLeaves.Get().(*[]leaf); ok && cap(*kept) >= n {
		return *kept
	}
	return make([]leaf, 0, n)
}

// leave lets go of the leaves behind the last row.
func (r *Reader) leave() {
	for _, leaves := range []*[]leaf{&r.leaves, &r.before} {
		clear(*leaves)
		if kept := (*leaves)[:0]; 0 < cap(kept) && cap(kept) <= keptLeaves {
			freeLeaves.Put(&kept)
		}
		*leaves = nil
	}
}

// openGroup starts to read the columns of the next group.
func (r *Reader) openGroup() error {
	group := &r.footer.groups[r.number]
	r.number++
	if len(group.columns) != len(r.schema.leaves) {
		return errors.New("it has another number of columns than the schema")
	}
	for i := range r.leaves {
		r.leaves[i].release()
	}
	if group.rows == 0 { // its columns may lie nowhere
		r.leaves = r.leaves[:0]
		return nil
	}
	if cap(r.leaves) == 0 {
		r.leaves = newLeaves(len(r.schema.leaves))
	}
	r.leaves = r.leaves[:len(r.schema.leaves)]
	for _, c := range r.schema.columns {
		for at := c.first; at < c.first+c.leaves; at++ {
			if group.columns[at].elsewhere {
				return event.Errorf(event.CodeNotSupported, "a column of the Parquet file is encrypted, or in another file").
					WithHint("write it as one file without encryption")
			}
			var err error
			if r.leaves[at], err = r.newLeaf(&r.schema.leaves[at], &group.columns[at], c.flat); err != nil {
				return err
			}
		}
	}
	r.left = group.rows
	if r.left < 0 || len(r.schema.columns) == 0 && r.left > 0 {
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
