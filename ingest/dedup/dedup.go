// Package dedup remembers what a stream has stored for the sake of those who send it again.
//
// The state of a stream is a function of its log: Apply folds in one entry after the other, when it is durable and before its rows
// can be seen, and a restart folds in the same entries again. So what is called a duplicate here is always durable. A snapshot holds
// the state up to a vector of offsets; it lets the log be trimmed, and bounds what a restart has to read again.
//
// Any goroutine may call any method; entries of one partition are applied in order by one at a time. The package decides nothing
// about rows in flight: whoever asks makes sure that nobody else is storing the same meanwhile.
package dedup

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

// Keep is how long a request can be repeated.
const Keep = 24 * time.Hour

// Budget bounds the memory of the states that share it.
type Budget struct {
	limit int64
	used  atomic.Int64
	// forgotten counts the requests that were forgotten before their time for want of memory.
	forgotten atomic.Int64
}

// NewBudget makes a budget of so many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{limit: bytes} }

// Used is how many bytes the states take.
func (b *Budget) Used() int64 { return b.used.Load() }

// Forgotten counts the chunks of requests that were forgotten before their time, since the start.
func (b *Budget) Forgotten() int64 { return b.forgotten.Load() }

// State is what is remembered of one stream.
type State struct {
	budget *Budget

	mu struct {
		sync.Mutex
		// next says up to where each partition's log has been applied.
		next event.Vector
		// ages are the requests by the hour of their arrival, oldest first.
		ages []*age
		// arrival is the newest arrival applied, in microseconds.
		arrival int64
		rows    rowKeys
		// producers count their batches.
		producers producers
		// unsaved is how many bytes of the log were applied since the last snapshot.
		unsaved int64
	}
}

// Options of a State.
type Options struct {
	// Requests is the memory for requests with a key, and Rows that for the keys of rows.
	Requests, Rows *Budget
	// Within is the interval of DEDUP KEY; 0 without one.
	Within time.Duration
}

// New makes an empty state.
func New(options Options) *State {
	s := &State{budget: options.Requests}
	s.mu.rows = rowKeys{
		budget: options.Rows, within: options.Within.Microseconds(), seen: map[RowKey]int64{}, pending: map[RowKey]*Reservation{},
		swept: math.MinInt64,
	}
	s.mu.producers.known = map[producerKey]*producer{}
	return s
}

// Next says up to where the log of a partition has been applied.
func (s *State) Next(p event.Partition) event.Offset {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.next.At(p)
}

// Apply folds in a durable entry of a partition's log. Entries that were applied before are passed over. keys and times are the keys and
// event times of its rows, in microseconds, where the stream has a DEDUP KEY.
func (s *State) Apply(p event.Partition, e *eventlog.Entry, keys []RowKey, times []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for int(p) >= len(s.mu.next) {
		s.mu.next = append(s.mu.next, 0)
	}
	if e.First < s.mu.next[p] {
		return
	}
	s.mu.next[p] = e.End()
	s.mu.unsaved += int64(e.Bytes)
	s.mu.arrival = max(s.mu.arrival, e.Meta.Arrival)
	s.mu.rows.remember(keys, times)
	if e.Producer != nil {
		s.produced(p, e)
	}
	if e.Meta.Request != nil {
		s.add(stored{
			Request: *e.Meta.Request, Arrival: e.Meta.Arrival,
			Part: Part{Partition: p, First: e.First, Rows: uint32(e.Rows())},
		})
	}
}

// Close gives the memory back to the budget.
func (s *State) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.mu.ages) > 0 {
		s.dropOldest()
	}
	s.budget.used.Add(-int64(len(s.mu.producers.known)) * producerBytes)
	clear(s.mu.producers.known)
	s.mu.rows.budget.used.Add(-int64(len(s.mu.rows.seen)) * rowKeyBytes)
	clear(s.mu.rows.seen)
}
