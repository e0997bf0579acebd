package views

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/segments"
)

// sharedReads has views that read the same columns of the same rows at about the same time read them once. Views that keep up with a stream
// come to the same rows together; one that is behind joins them once it has caught up.
//
// Rows in memory were decoded when they came; what is shared of those is the one change that is made of many batches. Sealed rows are decoded
// from their segments: a thousand views that start together decode them once.
type sharedReads struct {
	// held is told how much is kept.
	held *atomic.Int64

	mu struct {
		sync.Mutex
		entries map[readKey]*sharedRead
		order   []readKey // the oldest first
		bytes   int64
		read    int64 // how many were read
		shared  int64 // how many were not, as another view had
	}
}

// readKey names rows. The stream is there by itself, for another of the same name has other rows.
type readKey struct {
	stream *ingest.Stream
	rows   string
}

// sharedRead is one change that was read, or is about to be.
type sharedRead struct {
	done  chan struct{}
	delta continuous.Delta
	err   error
	bytes int64
}

// sharedBytes and sharedEntries bound what is kept for views that may still come to it.
const (
	sharedBytes   = 32 << 20
	sharedEntries = 256
)

func newSharedReads(held *atomic.Int64) *sharedReads {
	s := &sharedReads{held: held}
	s.mu.entries = map[readKey]*sharedRead{}
	return s
}

// get gives what read gives, or has given to another view under the same key.
func (s *sharedReads) get(ctx context.Context, key readKey, read func(context.Context) (continuous.Delta, error)) (continuous.Delta, error) {
	e, mine := s.find(key)
	if mine {
		s.fill(ctx, e, read)
		return e.copied(), e.err
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		return continuous.Delta{}, ctx.Err()
	}
	if e.err != nil {
		return read(ctx) // the other view may have been stopped
	}
	return e.copied(), nil
}

// fill reads for all who wait for an entry. Whatever happens in read, they do not wait for ever.
func (s *sharedReads) fill(ctx context.Context, e *sharedRead, read func(context.Context) (continuous.Delta, error)) {
	defer func() {
		close(e.done)
		s.keep(e)
	}()
	e.err = errNotRead
	if e.delta, e.err = read(ctx); e.err != nil {
		return
	}
	for _, c := range e.delta.Columns {
		countNulls(c)
		e.bytes += event.ArrayBytes(c)
	}
}

// countNulls has an array count its NULLs now: arrays do so when they are first asked, which several views at a time must not be the first
// to do.
func countNulls(values arrow.Array) {
	if values == nil {
		return
	}
	values.NullN()
	switch a := values.(type) {
	case *array.Dictionary:
		countNulls(a.Dictionary())
	case array.ListLike:
		countNulls(a.ListValues())
	}
}

// errNotRead is what those find who waited for a read that ended in a panic.
var errNotRead = errors.New("the rows were not read")

// find gives the entry of a key; mine tells that it is new, and the caller's to fill.
func (s *sharedReads) find(key readKey) (e *sharedRead, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.mu.entries[key]; ok {
		s.mu.shared++
		return e, false
	}
	e = &sharedRead{done: make(chan struct{})}
	s.mu.entries[key], s.mu.order = e, append(s.mu.order, key)
	s.mu.read++
	return e, true
}

// copied has columns of its own, as an operator may put others in their place.
func (e *sharedRead) copied() continuous.Delta {
	out := e.delta
	out.Columns = append(out.Columns[:0:0], out.Columns...)
	return out
}

// keep counts what was read and lets go of the oldest.
func (s *sharedReads) keep(e *sharedRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.mu.bytes
	s.mu.bytes += e.bytes
	for (s.mu.bytes > sharedBytes || len(s.mu.order) > sharedEntries) && len(s.mu.order) > 0 {
		oldest := s.mu.entries[s.mu.order[0]]
		select {
		case <-oldest.done:
		default:
			s.held.Add(s.mu.bytes - before)
			return // it is being read
		}
		s.mu.bytes -= oldest.bytes
		delete(s.mu.entries, s.mu.order[0])
		s.mu.order = s.mu.order[1:]
	}
	s.held.Add(s.mu.bytes - before)
}

// Reads says how many changes views have read of their streams, and how often one was spared that because another had.
func (s *Set) Reads() (read, shared int64) {
	s.reads.mu.Lock()
	defer s.reads.mu.Unlock()
	return s.reads.mu.read, s.reads.mu.shared
}

// keyOf begins the name of rows of a stream in the columns that an input wants.
func keyOf(kind string, want continuous.Input) []byte {
	out := fmt.Appendf(nil, "%s %d", kind, want.Schema.Version)
	for _, id := range want.Fields {
		out = fmt.Appendf(out, ",%d", id)
	}
	return out
}

// keyOfBatches names the rows of batches, which follow each other within a partition.
func keyOfBatches(want continuous.Input, batches []*event.Batch) string {
	out := keyOf("tail", want)
	for i, b := range batches {
		if i == 0 || batches[i-1].Partition != b.Partition {
			out = fmt.Appendf(out, " %d:%d", b.Partition, b.First)
		}
		if i == len(batches)-1 || batches[i+1].Partition != b.Partition {
			out = fmt.Appendf(out, "-%d", b.Last)
		}
	}
	return string(out)
}

// keyOfSegments names the rows between two vectors in segments; a number behind it names one of their pieces.
func keyOfSegments(want continuous.Input, view *segments.View, from, to event.Vector) string {
	h := xxh3.New()
	for _, s := range view.Segments() {
		_, _ = h.WriteString(s.File + "/")
	}
	return string(fmt.Appendf(keyOf("segments", want), " %s %s %x", from, to, h.Sum128().Bytes()))
}
