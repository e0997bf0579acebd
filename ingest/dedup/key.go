package dedup

import (
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
)

// RowKey is a hash of the values that tell a row from another: those of the columns of DEDUP KEY. The zero value is of a row that is never
// a duplicate.
type RowKey [16]byte

const (
	// rowKeyBytes is about what a remembered key takes.
	rowKeyBytes = 48
	// leastSweep is how many keys are remembered at least before the old ones are looked for.
	leastSweep = 1 << 14
)

// rowKeys is what is remembered of the rows of a stream with DEDUP KEY. The State's lock guards it.
type rowKeys struct {
	budget *Budget
	// within is how far apart in event time two rows of one key may be and still be one, in microseconds; 0 without DEDUP KEY.
	within int64
	// seen has the newest event time of each key.
	seen map[RowKey]int64
	// pending has the keys of rows that are being stored.
	pending map[RowKey]*Reservation
	// sweep is how many keys there are when old ones are looked for the next time, and swept the time before which there are none since the last
	// time.
	sweep int
	swept int64
}

// Reservation is keys whose rows are being stored. Others who come with them wait for it. Without DEDUP KEY it is nil, and its methods do
// nothing.
type Reservation struct {
	state *State
	keys  []RowKey
	parts atomic.Int32
	done  chan struct{}
}

// Reserve finds which rows are duplicates and reserves the keys of the others, which are then stored in so many parts: Done has to be called
// for each. If a key is being stored by somebody else, nothing is reserved and the channel is closed when it is worth to ask again.
// floor gives the time before which no row of the stream is expected any more; it is called when memory has to be made.
//
// The first row of a key wins, also among the rows given.
func (s *State) Reserve(keys []RowKey, times []int64, floor func() (int64, bool)) (*Reservation, []bool, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := &s.mu.rows
	if len(k.seen)+len(keys) > max(k.sweep, leastSweep) || k.full(len(keys)) {
		k.forget(floor)
	}
	if k.full(len(keys)) {
		return nil, nil, nil, event.Errorf(event.CodeTooBusy, "the keys of the stream's rows take more than %d bytes", k.budget.limit).
			WithHint("raise dedup_key_memory, or shorten the interval of DEDUP KEY")
	}
	duplicates := make([]bool, len(keys))
	own := make(map[RowKey]int64, len(keys))
	for i, key := range keys {
		if key == (RowKey{}) {
			continue
		}
		if other := k.pending[key]; other != nil {
			return nil, nil, other.done, nil
		}
		before, known := own[key]
		if !known {
			before, known = k.seen[key]
		}
		if known && k.same(before, times[i]) {
			duplicates[i] = true
			continue
		}
		own[key] = max(times[i], before)
	}
	r := &Reservation{state: s, done: make(chan struct{})}
	for key := range own {
		r.keys = append(r.keys, key)
		k.pending[key] = r
	}
	return r, duplicates, nil, nil
}

// full reports whether there is no memory for so many more keys.
func (k *rowKeys) full(more int) bool {
	return k.budget.used.Load()+int64(more)*rowKeyBytes > k.budget.limit
}

// same reports whether two rows of one key with these event times are one.
func (k *rowKeys) same(a, b int64) bool { return max(a, b)-min(a, b) <= k.within }

// Expect sets in how many parts the rows are stored.
func (r *Reservation) Expect(parts int) {
	if r != nil {
		r.parts.Store(int32(parts))
	}
}

// Done says that a part is stored, or will not be. After the last one the keys are free: those of stored rows are remembered by then.
func (r *Reservation) Done() {
	if r != nil && r.parts.Add(-1) == 0 {
		r.Release()
	}
}

// Release gives up a reservation without parts.
func (r *Reservation) Release() {
	if r == nil {
		return
	}
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for _, key := range r.keys {
		delete(r.state.mu.rows.pending, key)
	}
	close(r.done)
}

// remember notes the keys of durable rows. What a key remembers does not depend on the order of rows of different partitions.
func (k *rowKeys) remember(keys []RowKey, times []int64) {
	before := len(k.seen)
	for i, key := range keys {
		if key == (RowKey{}) {
			continue
		}
		if t, known := k.seen[key]; !known || times[i] > t {
			k.seen[key] = times[i]
		}
	}
	k.budget.used.Add(int64(len(k.seen)-before) * rowKeyBytes)
}

// forget drops the keys that are too old to meet a row that is in time. Where time stands still, nothing has become too old: whoever sends rows for
// which there is no memory, again and again, does not have all keys looked at each time.
func (k *rowKeys) forget(floor func() (int64, bool)) {
	if least, ok := floor(); ok && least > k.swept {
		k.swept = least
		before := len(k.seen)
		for key, t := range k.seen {
			if t+k.within < least {
				delete(k.seen, key)
			}
		}
		k.budget.used.Add(int64(len(k.seen)-before) * rowKeyBytes)
	}
	k.sweep = 2 * len(k.seen)
}
