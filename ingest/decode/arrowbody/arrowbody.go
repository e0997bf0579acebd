// Package arrowbody reads a body that is an Arrow IPC stream, or an Arrow file, into chunks of rows.
//
// What always holds: no length that the body declares makes memory beyond what one of its messages is and a fixed bound; a body that
// contradicts itself is an error and no panic. A Reader is used by one goroutine and holds one message at a time.
package arrowbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

const (
	// memoryBytes bounds what the decoded message may take beside itself: compressed buffers say how large they become.
	memoryBytes = 128 << 20
	// textTimes bounds the JSON that a body's rows make, in sizes of the body, beyond textFree.
	textTimes = 250
	textFree  = 64 << 20
	// rowsFree bounds the rows that a batch can declare beyond those that its bytes may hold, a bit each: a column of NULLs or of runs takes
	// no bytes for a row.
	rowsFree = 1 << 16
)

// Reader reads one body.
type Reader struct {
	messages  *messages
	plain     *plain      // nil where the library reads the stream
	batches   *ipc.Reader // nil where it does not
	memory    *limitedAllocator
	converter *columnar.Converter
	batch     arrow.RecordBatch
	at        int64 // rows of batch that were given
	number    int
}

// NewReader reads a stream as it comes. hold is asked for the memory that the bytes of a message take, and may refuse it; it may be nil.
func NewReader(src io.Reader, hold func(bytes int64) error) (r *Reader, err error) {
	r = &Reader{messages: &messages{src: src, hold: hold, mostAside: asideBytes}, memory: &limitedAllocator{left: memoryBytes}}
	err = guard("the schema", func() error {
		if r.messages.err = r.messages.next(); r.messages.err == nil {
			if r.plain = plains.of(r.messages.message); r.plain != nil {
				r.converter = r.plain.plan.Converter(textFree)
				return nil
			}
		}
		text := bytes.Clone(r.messages.message)
		if err := r.open(r.messages); err != nil {
			return err
		}
		plan, err := columnar.NewPlan(r.batches.Schema())
		if err != nil {
			return err
		}
		plains.add(text, r.batches.Schema(), plan)
		r.converter = plan.Converter(textFree)
		return nil
	})
	return r, err
}

// open lets the Arrow library read the stream, whose first message is the schema.
func (r *Reader) open(src io.Reader) (err error) {
	r.batches, err = ipc.NewReader(src, ipc.WithAllocator(r.memory), ipc.WithMetadataSizeLimit(metadataBytes), ipc.WithBodySizeLimit(messageBytes))
	switch {
	case r.messages.err != nil && !errors.Is(r.messages.err, io.EOF):
		return r.messages.err
	case errors.Is(err, io.EOF) && r.messages.number == 0 && len(r.messages.message) == 0:
		return event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("an Arrow stream begins with its schema")
	case errors.Is(err, io.EOF) && r.messages.number == 0:
		return errors.New("there is none")
	default:
		return err
	}
}

// Next returns the next chunk of rows, or io.EOF after the last.
func (r *Reader) Next() (chunk *decode.Chunk, err error) {
	err = guard(fmt.Sprintf("record batch %d", r.number), func() error {
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

// nextBatch reads the next record batch.
func (r *Reader) nextBatch() error {
	before := r.messages.taken
	batch, err := r.readBatch()
	if err != nil {
		return err
	}
	r.batch, r.at = batch, 0
	r.number++
	r.converter.Allow(textTimes * (r.messages.taken - before))
	if rows := r.batch.NumRows(); rows < 0 || rows > rowsFree+8*(r.messages.taken+r.memory.made) {
		return fmt.Errorf("it declares %d rows", rows)
	}
	return nil
}

// readBatch takes a plain batch as it lies, and lets the library read any other, and all that follow it.
func (r *Reader) readBatch() (arrow.RecordBatch, error) {
	if r.plain != nil {
		if r.messages.err = r.messages.next(); r.messages.err != nil {
			return nil, r.messages.err
		}
		if batch := r.plain.batch(r.messages.metadata, r.messages.body); batch != nil {
			return batch, nil
		}
		schema := r.plain.text
		r.plain = nil
		if err := r.open(io.MultiReader(bytes.NewReader(schema), r.messages)); err != nil {
			return nil, err
		}
	}
	if r.batches.Next() {
		return r.batches.RecordBatch(), nil
	}
	if err := r.messages.err; err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := r.batches.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// guard words what is wrong with a body, also where a contradiction in it led to a panic of the Arrow library.
func guard(where string, read func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			if limit, ok := fault.(error); ok && errors.Is(limit, errTooLarge) {
				err = errTooLarge
				return
			}
			err = event.Errorf(event.CodeBadRequest, "the Arrow data is damaged: %s: %v", where, fault)
		}
	}()
	err = read()
	var fault *event.Error
	switch {
	case err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case errors.As(err, &fault):
		return fault
	default:
		return event.Errorf(event.CodeBadRequest, "the Arrow data is damaged: %s: %v", where, err)
	}
}

// errTooLarge is the panic of an allocation beyond the bound.
var errTooLarge = event.Errorf(event.CodeTooLarge, "the body takes more than %d MiB when it is decompressed", memoryBytes>>20).
	WithHint("send it in parts")

// limitedAllocator makes memory up to a bound.
type limitedAllocator struct {
	heap memory.GoAllocator
	left int
	made int64 // in all
}

// Allocate implements memory.Allocator.
func (a *limitedAllocator) Allocate(size int) []byte {
	if size < 0 || size > a.left {
		panic(errTooLarge)
	}
	a.left -= size
	a.made += int64(size)
	return a.heap.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (a *limitedAllocator) Reallocate(size int, b []byte) []byte {
	if size < 0 || size-len(b) > a.left {
		panic(errTooLarge)
	}
	a.left -= size - len(b)
	a.made += int64(max(size-len(b), 0))
	return a.heap.Reallocate(size, b)
}

// Free implements memory.Allocator.
func (a *limitedAllocator) Free(b []byte) {
	a.left += len(b)
	a.heap.Free(b)
}
