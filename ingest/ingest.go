// Package ingest takes events in: it joins the decoder, the partitions' writers, the log, the tail and the sealer into streams
// that can be written to.
//
// An Engine owns every open stream. Rows are acknowledged when they are durable, and are then in the stream's tail until
// a segment holds them. All methods may be called from any goroutine. Close drains the writers; nothing is sealed by it.
package ingest

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/seal"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// Options of an Engine. Every field must be set but for the observers.
type Options struct {
	// PendingBytes bounds the request bytes that are decoded and not yet acknowledged, over all streams, and as many that are being read.
	PendingBytes int64
	// TailBytes bounds what each stream's tail holds; beyond it, ingest waits for the sealer.
	TailBytes int64
	// DedupBytes bounds the memory for what requests with a key have stored, over all streams.
	DedupBytes int64
	// RowKeyBytes bounds the memory for the keys of rows of streams with DEDUP KEY, over all streams.
	RowKeyBytes int64
	// LogFileBytes is the size at which a log begins a new file; 0 means 64 MiB.
	LogFileBytes int64
	// FlushInterval is how long rows that are answered when they are written may wait for their sync; 0 is not at all.
	FlushInterval time.Duration
	Seal          seal.Limits
	// Now is the wall clock.
	Now    func() time.Time
	Logger *slog.Logger
	// ObserveSync is told how long each sync of a log took and how many requests it covered.
	ObserveSync func(took time.Duration, requests int)
	// ObserveSeal is told of each segment made.
	ObserveSeal func(segment *manifest.Segment, took time.Duration)
}

// Engine is all streams, open for writing.
type Engine struct {
	fs      vfs.FS
	catalog *catalog.Catalog
	store   *segments.Store
	options Options
	pending *shares
	reading *shares
	sealer  *seal.Sealer
	room    room
	idling  *idling // from the end of Open on
	dedup   *dedup.Budget
	rowKeys *dedup.Budget

	// claims are the keys of requests under way.
	claims struct {
		sync.Mutex
		held map[claim]chan struct{}
	}

	mu struct {
		sync.RWMutex
		streams map[string]*Stream
		// dropping are the names that Drop is at work on.
		dropping []string
		closed   bool
	}
}

// Open recovers every stream of the catalog: its unsealed rows are read from the log back into the tail.
func Open(fs vfs.FS, c *catalog.Catalog, store *segments.Store, options Options) (*Engine, error) {
	e := &Engine{
		fs: fs, catalog: c, store: store, options: options,
		pending: newShares(options.PendingBytes),
		reading: newShares(max(options.PendingBytes, leastReading)),
		room:    room{fs: fs, now: options.Now},
		dedup:   dedup.NewBudget(options.DedupBytes),
		rowKeys: dedup.NewBudget(options.RowKeyBytes),
		sealer:  seal.New(store, seal.Options{Limits: options.Seal, Now: options.Now, Logger: options.Logger, Observe: options.ObserveSeal}),
	}
	e.mu.streams, e.claims.held = map[string]*Stream{}, map[claim]chan struct{}{}
	if err := e.discardOrphans(); err != nil {
		return nil, errors.Join(err, e.sealer.Close())
	}
	for _, definition := range c.Streams() {
		if _, err := e.open(definition.Name); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	e.idling = newIdling(e)
	return e, nil
}

// Stream finds a stream.
func (e *Engine) Stream(name string) (*Stream, error) {
	e.mu.RLock()
	s, closed := e.mu.streams[name], e.mu.closed
	e.mu.RUnlock()
	if closed {
		return nil, errStopping()
	}
	if s != nil {
		return s, nil
	}
	if _, ok := e.catalog.Stream(name); !ok {
		return nil, event.Errorf(event.CodeNotFound, "there is no stream %q", name)
	}
	return e.open(name)
}

func errStopping() error { return event.Errorf(event.CodeClosed, "the server is stopping") }

// Create defines a new stream and opens it.
func (e *Engine) Create(definition catalog.Stream) (*Stream, error) {
	if err := e.room.take(0); err != nil {
		return nil, err
	}
	if _, err := e.catalog.Create(definition); err != nil {
		return nil, err
	}
	return e.Stream(definition.Name)
}

// open makes the Stream of a definition, once.
func (e *Engine) open(name string) (*Stream, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.closed {
		return nil, errStopping()
	}
	if s, ok := e.mu.streams[name]; ok {
		return s, nil
	}
	if slices.Contains(e.mu.dropping, name) {
		return nil, errDropping(name)
	}
	s, err := e.recoverStream(name)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", name, err)
	}
	e.mu.streams[name] = s
	e.sealer.Watch(s.sealing)
	return s, nil
}

// Writing gives the log files that are being written, and where what they hold ends at this moment.
func (e *Engine) Writing() map[string]int64 {
	out := map[string]int64{}
	for _, s := range e.openStreams() {
		for _, log := range s.sealing.Logs {
			name, end := log.Writing()
			out[name] = end
		}
	}
	return out
}

// openStreams lists the streams that are open.
func (e *Engine) openStreams() []*Stream {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Collect(maps.Values(e.mu.streams))
}

// Tail pins the unsealed rows of a stream. Take it before the segments' view of the stream: rows sealed in between are then in
// both, and never in neither.
func (e *Engine) Tail(name string) (tail.View, error) {
	s, err := e.Stream(name)
	if err != nil {
		return tail.View{}, err
	}
	return s.sealing.Tail.View(), nil
}

// Unsealed is the number of rows in the stream's tail.
func (e *Engine) Unsealed(name string) int64 {
	s, err := e.Stream(name)
	if err != nil {
		return 0
	}
	rows, _, _ := s.sealing.Tail.Size()
	return rows
}

// DedupMemory is the budget of what is known of requests.
func (e *Engine) DedupMemory() *dedup.Budget { return e.dedup }

// RowKeyMemory is the budget of the keys of rows under DEDUP KEY.
func (e *Engine) RowKeyMemory() *dedup.Budget { return e.rowKeys }

// Failures says what keeps rows from being taken or read: a full disk, every partition whose log has failed, and what is quarantined.
func (e *Engine) Failures() []string {
	var out []string
	if err := e.room.full(); err != nil {
		out = append(out, err.Error())
	}
	for _, d := range e.catalog.Streams() {
		for _, q := range d.Lost() {
			out = append(out, fmt.Sprintf("stream %s: %s", d.Name, q))
		}
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for name, s := range e.mu.streams {
		for p, w := range s.writers {
			if err := w.Failure(); err != nil {
				out = append(out, fmt.Sprintf("stream %s, partition %d: %v", name, p, err))
			}
		}
	}
	return out
}

// FailedPartitions is how many partitions take no rows until a restart.
func (e *Engine) FailedPartitions() (failed int64) {
	for _, s := range e.openStreams() {
		for _, w := range s.writers {
			if w.Failure() != nil {
				failed++
			}
		}
	}
	return failed
}

// DiskFree is how many bytes the disk has left; 0 where it does not say.
func (e *Engine) DiskFree() int64 {
	free, _, err := e.fs.FreeBytes()
	if err != nil {
		return 0
	}
	return int64(free)
}

// Close waits for what was accepted, stops every goroutine and closes the logs. It may be called twice.
func (e *Engine) Close() error {
	e.mu.Lock()
	streams := e.mu.streams
	e.mu.streams, e.mu.closed = nil, true
	e.mu.Unlock()
	if e.idling != nil {
		e.idling.close()
	}
	errs := []error{e.sealer.Close()}
	for _, s := range streams {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
