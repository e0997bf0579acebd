package exec

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
)

// Budget bounds the memory of one query, by a limit of its own and by what the Pool has. It may be used from any goroutine.
type Budget struct {
	limit int64
	pool  *Pool
	held  atomic.Int64
	peak  *peak
	// parent is the budget that this one is a share or a part of; nil for that of a whole query.
	parent *Budget
	counts bool // it is a share, whose only purpose is to count

	mu struct {
		sync.Mutex
		closed bool
	}
	granted atomic.Int64 // by the pool; changed under mu
}

// peak is the most that was held at one time of a budget, or of any of some budgets.
type peak struct{ bytes atomic.Int64 }

// NewBudget makes a budget of limit bytes, in a pool of its own.
func NewBudget(limit int64) *Budget {
	pool := NewPool(limit)
	pool.mu.Lock()
	pool.start()
	pool.mu.Unlock()
	return newBudget(limit, pool)
}

// newBudget makes the budget of a query that the pool has admitted.
func newBudget(limit int64, pool *Pool) *Budget {
	b := &Budget{limit: limit, pool: pool, peak: &peak{}}
	b.granted.Store(pool.least)
	return b
}

// share is a budget that takes everything from this one, and counts it by itself too. A share of a share takes from the same one.
func (b *Budget) share(counted *peak) *Budget {
	if b.counts {
		b = b.parent
	}
	return &Budget{limit: b.limit, pool: b.pool, peak: counted, parent: b, counts: true}
}

// part is a budget that takes everything from this one and gives it back at close. Shares do not count it.
func (b *Budget) part() *Budget {
	if b.counts {
		b = b.parent
	}
	return &Budget{limit: b.limit, pool: b.pool, peak: &peak{}, parent: b}
}

// Reserve takes bytes for an operator, or fails with memory_limit and takes nothing.
func (b *Budget) Reserve(operator string, bytes int64) error {
	if b.take(bytes, b.limit) {
		return nil
	}
	held := b.whole().held.Load()
	if held+bytes <= b.limit {
		return event.Errorf(event.CodeMemoryLimit, "%s needs %s beyond the %s that the query holds; all queries together have %s",
			operator, FormatBytes(bytes), FormatBytes(held), FormatBytes(b.pool.limit)).
			WithHint("send the query again when fewer others run")
	}
	return event.Errorf(event.CodeMemoryLimit, "%s needs %s beyond the %s that the query holds; its limit is %s",
		operator, FormatBytes(bytes), FormatBytes(held), FormatBytes(b.limit)).
		WithHint("group by fewer values, sort fewer rows with LIMIT, or narrow the time range")
}

// take is Reserve below a bound, without an error.
func (b *Budget) take(bytes, bound int64) bool {
	held := b.held.Add(bytes)
	switch {
	case b.parent != nil:
		if !b.parent.take(bytes, bound) {
			b.held.Add(-bytes)
			return false
		}
	case held > bound, held > b.granted.Load() && !b.ask():
		b.held.Add(-bytes)
		return false
	}
	raise(&b.peak.bytes, held)
	return true
}

// ask brings what the pool has granted to what is held.
func (b *Budget) ask() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	granted := b.granted.Load()
	need := b.held.Load() - granted
	if need <= 0 {
		return true // another goroutine has asked
	}
	more := b.pool.grant(granted, need)
	b.granted.Add(more)
	return more > 0
}

// Release gives bytes back.
func (b *Budget) Release(bytes int64) {
	const surplus = 2 * grantBytes
	held := b.held.Add(-bytes)
	if b.parent != nil {
		b.parent.Release(bytes)
		return
	}
	if b.granted.Load()-held <= surplus {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	keep := max(b.held.Load(), b.pool.least)
	if back := b.granted.Load() - keep; back > 0 && !b.mu.closed {
		b.granted.Add(-back)
		b.pool.giveBack(back)
	}
}

// whole is the budget of the whole query.
func (b *Budget) whole() *Budget {
	for b.parent != nil {
		b = b.parent
	}
	return b
}

// Peak is the most that was held at one time.
func (b *Budget) Peak() int64 { return b.peak.bytes.Load() }

// close gives everything back; the query has ended, or the part of it. It may be called twice.
func (b *Budget) close() {
	if b.parent != nil {
		b.parent.Release(b.held.Swap(0))
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mu.closed {
		b.mu.closed = true
		b.pool.leave(b.granted.Load())
	}
}

// reservation is one operator's share of a budget. It belongs to one goroutine.
type reservation struct {
	budget   *Budget
	operator string
	held     int64
}

// resize brings the share to bytes. Tables are resized after each batch, so that they overshoot by one batch's growth at most.
func (r *reservation) resize(bytes int64) error {
	if bytes < r.held {
		r.budget.Release(r.held - bytes)
	} else if bytes > r.held {
		if err := r.budget.Reserve(r.operator, bytes-r.held); err != nil {
			return err
		}
	}
	r.held = bytes
	return nil
}

// fits is resize for an operator that can spill: it reports whether there is room. A quarter of the budget stays free for
// operators that cannot, and for what spilling itself takes.
func (r *reservation) fits(bytes int64) bool {
	if bytes <= r.held {
		r.budget.Release(r.held - bytes)
	} else if b := r.budget; b.pool.crowded(b.whole().granted.Load()) || !b.take(bytes-r.held, b.limit/4*3) {
		return false
	}
	r.held = bytes
	return true
}

// release gives the whole share back.
func (r *reservation) release() {
	r.budget.Release(r.held)
	r.held = 0
}

// FormatBytes prints a size in the largest unit of which there is at least one.
func FormatBytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
