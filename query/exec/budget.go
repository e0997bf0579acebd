package exec

import (
	"fmt"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
)

// Budget bounds the memory of one query. It may be used from any goroutine.
type Budget struct {
	limit int64
	held  atomic.Int64
	peak  *peak
	// whole is the budget that this one is a share of, with a peak of its own; nil for a budget by itself.
	whole *Budget
}

// peak is the most that was held at one time of a budget, or of any of some budgets.
type peak struct{ bytes atomic.Int64 }

// NewBudget makes a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, peak: &peak{}} }

// share is a budget that takes everything from this one's whole, and counts it by itself too.
func (b *Budget) share(counted *peak) *Budget {
	whole := b
	if b.whole != nil {
		whole = b.whole
	}
	return &Budget{limit: whole.limit, peak: counted, whole: whole}
}

// left is what can still be taken.
func (b *Budget) left() int64 {
	if b.whole != nil {
		return b.whole.left()
	}
	return b.limit - b.held.Load()
}

// Reserve takes bytes for an operator, or fails with memory_limit and takes nothing.
func (b *Budget) Reserve(operator string, bytes int64) error {
	if b.whole != nil {
		if err := b.whole.Reserve(operator, bytes); err != nil {
			return err
		}
		raise(&b.peak.bytes, b.held.Add(bytes))
		return nil
	}
	held := b.held.Add(bytes)
	if held > b.limit {
		b.held.Add(-bytes)
		return event.Errorf(event.CodeMemoryLimit, "%s needs %s beyond the %s that the query holds; its limit is %s",
			operator, FormatBytes(bytes), FormatBytes(held-bytes), FormatBytes(b.limit)).
			WithHint("group by fewer values, sort fewer rows with LIMIT, or narrow the time range")
	}
	raise(&b.peak.bytes, held)
	return nil
}

// Release gives bytes back.
func (b *Budget) Release(bytes int64) {
	b.held.Add(-bytes)
	if b.whole != nil {
		b.whole.Release(bytes)
	}
}

// Peak is the most that was held at one time.
func (b *Budget) Peak() int64 { return b.peak.bytes.Load() }

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
