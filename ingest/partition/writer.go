// Package partition turns decoded rows into acknowledged ones: it chooses a partition for them, and one writer per
// partition puts them in order, makes them durable and publishes them.
//
// A writer's work is done by whoever has its turn, of which there is one. That is its goroutine, if rows wait whose sender goes on meanwhile. A
// sender that would only wait does it itself if nobody else does, or is given the turn by who had it: to wake another goroutine and to be woken by it is
// a good part of what a small request costs. It gives the turn on after one group. Who only means to wait loses nothing but time by something else that it
// waits for first: what it has entered is stored by the goroutine after a while.
//
// A turn takes what waits in the bounded queue, appends all of it to the log, syncs once for all, and only then
// publishes to the tail and answers: the sync in flight is the window in which the next group gathers. So an answer means
// durable, a published row is durable, and rows become visible in offset order. Rows whose sender asked for it are answered
// when they are written, and may wait for their sync for FlushInterval; they are published after it like all others. After a
// failed write or sync the writer refuses everything until the process is restarted; it never retries a sync. Rows for which there is no
// space are refused, and later ones taken again.
//
// Any goroutine may call Append and Enter. Close waits for the writer and its queue.
package partition

import (
	"context"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/slabs"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// queueLength bounds the requests that wait for a writer; groupBytes bounds what one sync covers, beyond the first request;
// maxMillis is about how many timestamps are kept room for.
const (
	queueLength = 256
	groupBytes  = 1 << 20
	maxMillis   = 16 << 10
)

// Rows is what Append takes: decoded rows that one schema version fits.
type Rows struct {
	Schema *event.Schema
	// Columns are the stream's own columns in the schema's order.
	Columns []arrow.Array
	// Raw holds each row as it is to be kept in the log; nil for rows that are kept as columns.
	Raw [][]byte
	// Times are the rows' event times in microseconds.
	Times []int64
	// Arrival is when the rows came, in microseconds.
	Arrival int64
	// Request is set for rows of a request with a key. Lines then has each row's index among those of its chunk.
	Request *eventlog.Request
	Lines   []int
	// Keys are the rows' keys under the stream's DEDUP KEY; nil without one.
	Keys []dedup.RowKey
	// Early asks for the reply when the rows are written. Then they need not be durable yet, nor visible, for FlushInterval.
	Early bool
	// Producer is set for rows that are a batch of a producer that counts its batches.
	Producer *eventlog.Producer
	// Done, if not nil, is called when it is decided what becomes of the rows, before the reply unless that is early.
	Done func()
}

// Span is the offsets that rows were given, both ends included.
type Span struct {
	Partition   event.Partition
	First, Last event.Offset
}

// Options of a writer.
type Options struct {
	Partition event.Partition
	// Bound is how far the watermark stays behind the greatest event time; rows more than FutureLimit beyond their arrival do not move it.
	// IdleTimeout is noted in the log beside them: all three are what replay goes by.
	Bound, FutureLimit, IdleTimeout time.Duration
	// Clock is the partition's event time at the log's end.
	Clock tail.Clock
	// FlushInterval is how long rows with an early reply may wait for their sync; 0 is not at all.
	FlushInterval time.Duration
	// Now is the wall clock.
	Now func() time.Time
	// Confirm, if not nil, is told of every entry when it is durable, in order, before its rows can be seen. The rows of an idle marker are
	// empty.
	Confirm func(*eventlog.Entry, *Rows)
	// Memory is where columns of the rows are cut from; it may be nil.
	Memory *slabs.Arena
	// Observe, if not nil, is told of every sync.
	Observe func(took time.Duration, requests int)
}

// Writer is the only one to append to its partition.
type Writer struct {
	log     *eventlog.Log
	tail    *tail.Tail
	options Options
	stamp   stamper

	// slots has an element for each request that waits, and so bounds them.
	slots chan struct{}
	// called gives the turn to the writer's goroutine.
	called chan struct{}
	done   chan struct{}

	// What follows, up to closing, is of whoever has the turn. First what is written and not synced, and since when.
	unsynced struct {
		requests []*request
		bytes    int
		since    time.Time
		due      *time.Timer
	}

	// group is memory for the requests being stored, and millis for the timestamps of entries.
	group  []*request
	millis []int64
	// turned are the producers of which a batch found no space, with that batch.
	turned map[int64]eventlog.Producer

	closing sync.RWMutex // read side: senders; write side: Close
	closed  bool

	// entered fires when rows have waited for their sender for long enough.
	entered *time.Timer

	mu struct {
		sync.Mutex
		failure error
		// waiting are the requests that nobody has begun to store, in their order.
		waiting []*request
		// taken is set while somebody has the turn, and minded until entered fires.
		taken, minded bool
		// due is set once what is written has waited for its sync for long enough, and ending once no more requests come: the goroutine has the next turn then.
		due, ending bool
	}
}

// request is rows to be stored, or an idle marker.
type request struct {
	rows     Rows
	idle     *idle
	entry    *eventlog.Entry // nil for a marker that has become void
	reply    chan<- Reply
	batch    *event.Batch
	clock    tail.Clock
	bytes    int
	answered bool
	// turn is where the sender hears that it has the turn, once it waits; nil for one that is not to have it. Under the writer's lock.
	turn chan<- Reply
}

// Reply is what becomes of appended rows.
type Reply struct {
	Span Span
	// Err is nil when the rows are durable and visible, or written if the reply is early. An error from the log means that it is unknown
	// whether they are.
	Err error
	// turn is set for what is no reply yet: the sender has the turn.
	turn bool
}

// NewWriter starts the writer of a partition.
func NewWriter(log *eventlog.Log, t *tail.Tail, options Options) *Writer {
	w := &Writer{
		log: log, tail: t, options: options,
		stamp: stamper{
			partition: options.Partition, bound: options.Bound, futureLimit: options.FutureLimit, idleTimeout: options.IdleTimeout, clock: options.Clock,
			memory: options.Memory,
		},
		slots:  make(chan struct{}, queueLength),
		called: make(chan struct{}, 1),
		done:   make(chan struct{}),
		turned: map[int64]eventlog.Producer{},
	}
	w.unsynced.due, w.entered = stopped(), stopped()
	go w.run()
	return w
}

// stopped is a timer that does not run yet.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// Append queues rows, at least one; the reply comes on the channel, which must have room for it. It blocks while the queue is
// full, and fails without queueing when ctx ends first, or when the writer is closed or has failed.
func (w *Writer) Append(ctx context.Context, rows Rows, reply chan<- Reply) error {
	return w.queue(ctx, &request{rows: rows, reply: reply}, true)
}

// queue lets a request wait until it is stored; by the goroutine at the latest, if that is called.
func (w *Writer) queue(ctx context.Context, r *request, call bool) error {
	w.closing.RLock()
	defer w.closing.RUnlock()
	if w.closed {
		return event.Errorf(event.CodeClosed, "the server is stopping")
	}
	if err := w.Failure(); err != nil {
		return err
	}
	r.bytes = r.rows.bytes()
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	w.wait(r, call)
	return nil
}

// idle is a marker to be written if the partition still stands at next.
type idle struct {
	next      event.Offset
	watermark int64
}

// Idle queues an idle marker, which raises the partition's watermark. It is void if rows get in before it: next is the offset that it must
// have. It is also left out if the queue is full, or the writer closed or failed. It never blocks, and nobody is answered.
func (w *Writer) Idle(next event.Offset, watermark int64) {
	w.closing.RLock()
	defer w.closing.RUnlock()
	if w.closed || w.Failure() != nil {
		return
	}
	select {
	case w.slots <- struct{}{}:
		w.wait(&request{idle: &idle{next: next, watermark: watermark}}, true)
	default:
	}
}

// Failure says why the writer refuses rows, or nil.
func (w *Writer) Failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.failure
}

// Close lets the queue drain, stops the goroutine and closes the log.
func (w *Writer) Close() error {
	w.closing.Lock()
	first := !w.closed
	w.closed = true
	w.closing.Unlock()
	if first {
		w.end()
	}
	<-w.done
	if !first {
		return nil
	}
	return w.log.Close()
}

func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	failure := &event.Error{
		Code:   event.CodeClosed,
		Detail: "the log of this partition failed and takes no more events until the server is restarted: " + err.Error(),
		Cause:  err,
	}
	if vfs.Full(err) {
		failure.Code, failure.Hint = event.CodeDiskFull, "free some space in the data directory's file system, then restart the server"
	}
	w.mu.failure = failure
}

// milliseconds rounds down, as Kafka timestamps count milliseconds. What it gives is good until none waits for a sync any more.
func (w *Writer) milliseconds(micros []int64) []int64 {
	if w.millis == nil || cap(w.millis)-len(w.millis) < len(micros) { // others keep what they were given
		w.millis = make([]int64, 0, max(len(micros), min(2*cap(w.millis), maxMillis)))
	}
	at := len(w.millis)
	for _, t := range micros {
		floor := t / 1000
		if t%1000 < 0 {
			floor--
		}
		w.millis = append(w.millis, floor)
	}
	return w.millis[at:len(w.millis):len(w.millis)]
}
