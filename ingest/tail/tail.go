// Package tail keeps the acknowledged rows of a stream that are not sealed yet, as immutable Arrow batches in memory.
//
// Each partition has one publisher at a time: its writer, which publishes in offset order and only what the log has made
// durable. Views may be taken from any goroutine; a View never changes. Small batches are joined as they come, so that a
// stream of single events is still read in long vectors. The package does no I/O.
package tail

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

// joinRows bounds the batches that Publish makes by joining: the number of rows that queries work on at a time.
const joinRows = 32 << 10

// joinCells bounds those of streams with many columns: a column that some rows have values of takes memory for all of a batch.
const joinCells = 1 << 20

// joinBatches is the least number of batches that Publish joins: with so many at a time a row is copied once or twice on the way
// from a request's few hundred rows to a batch of thousands.
const joinBatches = 8

// onceRows is from how many rows on a batch is joined only once, with as many others as make wideRows: copying rows a second time would be a good
// part of what a request of a hundred costs. Smaller ones would be too many until then.
const onceRows = 65

// wideRows is from how many rows on a batch is left as it is: what a query does for each batch is little beside what it does for its rows,
// and copying them is a good part of what a large request costs.
const wideRows = 2048

// Clock is a partition's event time after some row or idle marker: what the next row's watermark derives from.
type Clock struct {
	// MaxEventTime is the greatest event time so far that was not beyond the future limit, in microseconds.
	MaxEventTime int64
	// Valid is false while there has been no such row.
	Valid bool
	// Watermark is what the rows so far and the idle markers among them say: the next row has it. It never falls. In microseconds.
	Watermark int64
	// HasWatermark is false while nothing has set the watermark.
	HasWatermark bool
}

// Raise gives the clock with a watermark of at least that.
func (c Clock) Raise(watermark int64) Clock {
	if !c.HasWatermark || watermark > c.Watermark {
		c.Watermark, c.HasWatermark = watermark, true
	}
	return c
}

// Tail holds the unsealed rows of one stream.
type Tail struct {
	partitions []*part

	mu struct {
		sync.Mutex
		rows   int64
		bytes  int64
		oldest time.Time // when the oldest row now held was published; zero when there is none
		// published is closed by the next Publish or PublishIdle; nil while nobody waits for it.
		published chan struct{}
	}
}

type part struct {
	// publishing serialises Publish and Drop, which replace batches; it is taken before mu of Tail.
	publishing sync.Mutex
	mu         struct {
		sync.Mutex
		batches []*event.Batch // never changed in place: a View shares it
		next    event.Offset
		clock   Clock
		// newest is when rows were published last; zero when there were none yet.
		newest time.Time
	}
}

// View is what a tail held at one moment.
type View struct {
	// Batches are in offset order within a partition.
	Batches []*event.Batch
	// Next says up to where each partition was published, sealed rows included.
	Next event.Vector
	// Clocks holds each partition's event time and watermark at Next. A partition's batches, next offset and clock belong together.
	Clocks []Clock
}

// New makes the tail of a stream whose partitions continue at next with the given clocks; clocks may be nil for a new stream.
func New(partitions int, next event.Vector, clocks []Clock) *Tail {
	t := &Tail{partitions: make([]*part, partitions)}
	for p := range t.partitions {
		t.partitions[p] = &part{}
		t.partitions[p].mu.next = next.At(event.Partition(p))
		if p < len(clocks) {
			t.partitions[p].mu.clock = clocks[p]
		}
	}
	return t
}

// Publish makes a batch visible. now is the wall time, from which the age of the tail is reckoned.
func (t *Tail) Publish(batch *event.Batch, clock Clock, now time.Time) error {
	p := t.partitions[batch.Partition]
	p.publishing.Lock()
	defer p.publishing.Unlock()

	p.mu.Lock()
	held, next := p.mu.batches, p.mu.next
	p.mu.Unlock()
	if batch.First < next {
		return fmt.Errorf("publish partition %d: offset %d is below %d", batch.Partition, batch.First, next)
	}
	joined, err := appendJoining(held, batch)
	if err != nil {
		return fmt.Errorf("publish partition %d: %w", batch.Partition, err)
	}
	p.mu.Lock()
	p.mu.batches, p.mu.next, p.mu.clock, p.mu.newest = joined, batch.Last+1, clock, now
	p.mu.Unlock()
	t.account(int64(batch.Rows()), batch.Bytes(), now)
	return nil
}

// PublishIdle makes an idle marker visible: the partition stands at next with a clock, without new rows.
func (t *Tail) PublishIdle(partition event.Partition, next event.Offset, clock Clock) error {
	p := t.partitions[partition]
	p.publishing.Lock()
	defer p.publishing.Unlock()
	p.mu.Lock()
	before := p.mu.next
	if next > before {
		p.mu.next, p.mu.clock = next, clock
	}
	p.mu.Unlock()
	if next <= before {
		return fmt.Errorf("publish idle marker of partition %d: offset %d is below %d", partition, next-1, before)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
	return nil
}

// appendJoining adds a batch to a copy of held. Once enough of the last batches are small and none is much larger than those after it
// together, they become one: each row is copied a logarithmic number of times at most, and once where it comes with enough others.
func appendJoining(held []*event.Batch, batch *event.Batch) ([]*event.Batch, error) {
	out := append(slices.Clip(held), batch)
	from := len(out) - 1
	rows := batch.Rows()
	for from > 0 && joinable(out[from-1], batch, rows) {
		from--
		rows += out[from].Rows()
	}
	if len(out)-from < joinBatches || rows < wideRows && out[from].Rows() >= onceRows && batch.Rows() >= onceRows {
		return out, nil
	}
	joined, err := event.Concat(out[from:])
	if err != nil {
		return nil, err
	}
	return append(out[:from:from], joined), nil
}

func joinable(earlier, batch *event.Batch, rows int) bool {
	return earlier.Schema.Version == batch.Schema.Version && earlier.Rows() < wideRows && earlier.Rows() <= 2*rows && earlier.Rows()+rows <= joinRows &&
		(earlier.Rows()+rows)*len(batch.Schema.Columns) <= joinCells
}

func (t *Tail) account(rows, bytes int64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.rows == 0 {
		t.mu.oldest = now
	}
	t.mu.rows += rows
	t.mu.bytes += bytes
	t.wake()
}

// wake tells those who wait that there is something new. The lock is held.
func (t *Tail) wake() {
	if t.mu.published != nil {
		close(t.mu.published)
		t.mu.published = nil
	}
}

// Wake has those who wait for something new look, though there is nothing.
func (t *Tail) Wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake()
}

// Published returns a channel that is closed by the next Publish or PublishIdle to any partition, or Wake.
func (t *Tail) Published() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.published == nil {
		t.mu.published = make(chan struct{})
	}
	return t.mu.published
}

// Next is the offset after the last published one of a partition.
func (t *Tail) Next(partition event.Partition) event.Offset {
	p := t.partitions[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.next
}

// Activity is how far a partition is, its clock there, and when it got rows last: the zero time if it has had none since the start.
func (t *Tail) Activity(partition event.Partition) (next event.Offset, clock Clock, newest time.Time) {
	p := t.partitions[partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.next, p.mu.clock, p.mu.newest
}

// View pins what is held now. Each partition's state is consistent in itself.
func (t *Tail) View() View {
	v := View{Next: make(event.Vector, len(t.partitions)), Clocks: make([]Clock, len(t.partitions))}
	for i, p := range t.partitions {
		p.mu.Lock()
		v.Batches = append(v.Batches, p.mu.batches...)
		v.Next[i], v.Clocks[i] = p.mu.next, p.mu.clock
		p.mu.Unlock()
	}
	return v
}

// Drop forgets the rows below sealed, which segments now hold.
func (t *Tail) Drop(sealed event.Vector, now time.Time) {
	for i, p := range t.partitions {
		rows, bytes := p.drop(sealed.At(event.Partition(i)))
		t.release(rows, bytes, now)
	}
}

func (p *part) drop(sealed event.Offset) (rows, bytes int64) {
	p.publishing.Lock()
	defer p.publishing.Unlock()
	p.mu.Lock()
	held := p.mu.batches
	p.mu.Unlock()

	var kept []*event.Batch
	for _, b := range held {
		rest := b.From(sealed)
		rows += int64(b.Rows())
		bytes += b.Bytes()
		if rest != nil {
			kept = append(kept, rest)
			rows -= int64(rest.Rows())
			bytes -= rest.Bytes()
		}
	}
	p.mu.Lock()
	p.mu.batches = kept
	p.mu.Unlock()
	return rows, bytes
}

// release takes dropped rows off the account. What is left was published after the view that was sealed, so its age starts over.
func (t *Tail) release(rows, bytes int64, now time.Time) {
	if rows == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.rows -= rows
	t.mu.bytes -= bytes
	t.mu.oldest = now
	if t.mu.rows == 0 {
		t.mu.oldest = time.Time{}
	}
}

// Size is the number of rows held, about how many bytes they take, and when the oldest of them was published (zero when none).
func (t *Tail) Size() (rows, bytes int64, oldest time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.rows, t.mu.bytes, t.mu.oldest
}
