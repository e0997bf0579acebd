// Package seal moves rows from a stream's tail and log into Parquet segments.
//
// One goroutine looks at all streams and seals those whose tail has grown large or old enough. Sealing takes a view of
// the tail, writes and commits the segment, and only then lets the tail drop the rows and the log its old files, so
// that at every moment each row is in the tail, in a segment, or in both at a known vector. A stream is sealed by one
// goroutine at a time. A failed seal leaves everything as it was and is tried again at the next look.
package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// lookEvery is how often ages are looked at; a tail that has grown too large is seen at once.
const lookEvery = time.Second

// trimEvery is how often logs are looked at for files that have become too old. They are also when rows are sealed.
const trimEvery = time.Minute

// Limits say when a tail is due: when any of them is reached. All must be positive.
type Limits struct {
	Rows  int64
	Bytes int64
	// Age is how long the oldest row has been in the tail.
	Age time.Duration
}

// Stream is what the sealer works on.
type Stream struct {
	// Definition gives the present definition.
	Definition func() *catalog.Stream
	Tail       *tail.Tail
	Logs       []*eventlog.Log
	// Spare says up to where nothing but rows needs the logs any more. It is called before logs are trimmed.
	Spare func() (event.Vector, error)

	sealing sync.Mutex
	// forgotten is guarded by sealing.
	forgotten bool
}

// Options of a Sealer.
type Options struct {
	Limits Limits
	Now    func() time.Time
	Logger *slog.Logger
	// Observe, if not nil, is told of every segment made.
	Observe func(segment *manifest.Segment, took time.Duration)
}

// Sealer seals the streams that it watches. Its methods may be called from any goroutine.
type Sealer struct {
	store   *segments.Store
	options Options

	grown  chan struct{}
	cancel context.CancelFunc
	done   chan struct{}

	mu struct {
		sync.Mutex
		streams []*Stream
		sealed  chan struct{} // closed and replaced after every seal
	}
}

// New starts a sealer over a store.
func New(store *segments.Store, options Options) *Sealer {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sealer{store: store, options: options, grown: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	s.mu.sealed = make(chan struct{})
	go s.run(ctx)
	return s
}

// Watch adds a stream.
func (s *Sealer) Watch(stream *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.streams = append(s.mu.streams, stream)
}

// Forget takes a stream away. When it returns no seal of the stream is under way, and none will begin.
func (s *Sealer) Forget(stream *Stream) {
	s.mu.Lock()
	s.mu.streams = slices.DeleteFunc(slices.Clone(s.mu.streams), func(known *Stream) bool { return known == stream })
	s.mu.Unlock()
	stream.sealing.Lock()
	defer stream.sealing.Unlock()
	stream.forgotten = true
}

// Grown tells the sealer that a tail took rows: it looks whether the limits are reached. It never blocks.
func (s *Sealer) Grown(stream *Stream) {
	rows, bytes, _ := stream.Tail.Size()
	if rows < s.options.Limits.Rows && bytes < s.options.Limits.Bytes {
		return
	}
	select {
	case s.grown <- struct{}{}:
	default:
	}
}

// Sealed returns a channel that is closed after the next seal: what those wait for who find a tail too large.
func (s *Sealer) Sealed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.sealed
}

// Close stops the goroutine and waits for it. A seal under way is cancelled.
func (s *Sealer) Close() error {
	s.cancel()
	<-s.done
	return nil
}

func (s *Sealer) run(ctx context.Context) {
	defer close(s.done)
	ticker, trim := time.NewTicker(lookEvery), time.NewTicker(trimEvery)
	defer ticker.Stop()
	defer trim.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.grown:
		case <-ticker.C:
		case <-trim.C:
			s.trimAll(ctx)
		}
		s.look(ctx)
	}
}

func (s *Sealer) look(ctx context.Context) {
	s.mu.Lock()
	streams := s.mu.streams
	s.mu.Unlock()
	for _, stream := range streams {
		if !s.due(stream) || ctx.Err() != nil {
			continue
		}
		if _, err := s.Seal(ctx, stream); err != nil && ctx.Err() == nil {
			s.options.Logger.Error("seal failed; it will be tried again", "stream", stream.Definition().Name, "error", err)
		}
	}
}

// trimAll removes the log files of all streams that have become too old since their rows were sealed.
func (s *Sealer) trimAll(ctx context.Context) {
	s.mu.Lock()
	streams := s.mu.streams
	s.mu.Unlock()
	for _, stream := range streams {
		if ctx.Err() != nil {
			return
		}
		if err := s.trimOne(stream); err != nil {
			s.options.Logger.Error("trimming a log failed; it will be tried again", "stream", stream.Definition().Name, "error", err)
		}
	}
}

func (s *Sealer) trimOne(stream *Stream) error {
	stream.sealing.Lock()
	defer stream.sealing.Unlock()
	if stream.forgotten {
		return nil
	}
	definition := stream.Definition()
	view := s.store.View(definition.Name)
	next := view.Sealed().Next
	return errors.Join(view.Close(), s.trim(stream, definition, next))
}

func (s *Sealer) due(stream *Stream) bool {
	rows, bytes, oldest := stream.Tail.Size()
	limits := s.options.Limits
	return rows > 0 && (rows >= limits.Rows || bytes >= limits.Bytes || s.options.Now().Sub(oldest) >= limits.Age)
}

// Seal writes what the tail holds now into a segment, whatever the limits say, and returns the segment; nil when there was nothing.
func (s *Sealer) Seal(ctx context.Context, stream *Stream) (*manifest.Segment, error) {
	stream.sealing.Lock()
	defer stream.sealing.Unlock()
	view := stream.Tail.View()
	if len(view.Batches) == 0 || stream.forgotten {
		return nil, nil
	}
	definition := stream.Definition()
	start := s.options.Now()
	segment, err := s.store.Add(ctx, definition, view.Batches, sealedState(view))
	if err != nil {
		return nil, err
	}
	stream.Tail.Drop(view.Next, s.options.Now())
	s.announce()
	if s.options.Observe != nil {
		s.options.Observe(segment, s.options.Now().Sub(start))
	}
	return segment, s.trim(stream, definition, view.Next)
}

// sealedState is what the manifest keeps of the partitions beside the list of segments, so that a restart goes on with the same clocks.
func sealedState(view tail.View) manifest.Sealed {
	sealed := manifest.Sealed{Next: view.Next}
	for _, clock := range view.Clocks {
		newest, watermark := int64(manifest.NoTime), int64(manifest.NoTime)
		if clock.Valid {
			newest = clock.MaxEventTime
		}
		if clock.HasWatermark {
			watermark = clock.Watermark
		}
		sealed.MaxEventTime = append(sealed.MaxEventTime, newest)
		sealed.Watermark = append(sealed.Watermark, watermark)
	}
	return sealed
}

// trim removes log files that hold sealed rows only and are older, or take more space, than the stream keeps raw records. While the clock
// is not to be trusted, nothing is old.
func (s *Sealer) trim(stream *Stream, definition *catalog.Stream, next event.Vector) error {
	var before time.Time
	if !s.store.RetentionHeld() {
		before = s.options.Now().Add(-definition.LogRetention)
	}
	spare, err := stream.Spare()
	if err != nil {
		return err
	}
	keep := int64(0)
	if definition.LogRetentionBytes > 0 {
		keep = max(definition.LogRetentionBytes/int64(len(stream.Logs)), 1)
	}
	for p, log := range stream.Logs {
		if err := log.Trim(min(next.At(event.Partition(p)), spare.At(event.Partition(p))), before, keep); err != nil {
			return fmt.Errorf("trim log of partition %d: %w", p, err)
		}
	}
	return nil
}

func (s *Sealer) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.mu.sealed)
	s.mu.sealed = make(chan struct{})
}
