package kernel

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func newRollingExtreme(f *plan.Function) (Roller, bool) {
	switch form := extremeForm(f).(type) {
	case setForm[int64]:
		return &rollingExtreme[int64]{form: form, sign: extremeSign(f)}, true
	case setForm[decimal128.Num]:
		return &rollingExtreme[decimal128.Num]{form: form, sign: extremeSign(f)}, true
	case setForm[string]:
		return &rollingExtreme[string]{form: form, sign: extremeSign(f)}, true
	default:
		return nil, false
	}
}

func newRunningExtreme(f *plan.Function) (RunningRoller, bool) {
	switch form := extremeForm(f).(type) {
	case setForm[int64]:
		return &runningExtreme[int64]{form: form, sign: extremeSign(f)}, true
	case setForm[decimal128.Num]:
		return &runningExtreme[decimal128.Num]{form: form, sign: extremeSign(f)}, true
	case setForm[string]:
		return &runningExtreme[string]{form: form, sign: extremeSign(f)}, true
	default:
		return nil, false
	}
}

// rollingExtreme is min and max over frames. Of each frame it keeps the values that are before all that came after them, as a list from
// the first value, which is the frame's, to the last (a monotone queue): a value enters it once and leaves it once.
type rollingExtreme[T comparable] struct {
	form   setForm[T]
	sign   int // -1 for max
	queues []extremeQueue
	// The lists lie in one slab: entries by number less one, those without use chained through next.
	entries []extremeEntry[T]
	unused  uint32
	held    int64 // what the values point to
}

// extremeQueue is the list of one key, and how many rows have come to and gone from its frame.
type extremeQueue struct{ first, last, came, went uint32 }

// extremeEntry is a value and the number of its row in the key's order.
type extremeEntry[T comparable] struct {
	value        T
	row          uint32
	next, before uint32
}

func (r *rollingExtreme[T]) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.queues = grown(r.queues, m.Count, extremeQueue{})
	at, valid := r.form.read(args[0], rows), args[0].validity(rows)
	out, known := make([]T, m.results()), event.NewBitmap(m.results())
	added, removed := int32(0), int32(0)
	for i, key := range m.Keys {
		q := &r.queues[key]
		for ; added < m.AddedTo[i]; added++ {
			if row := int(m.Added[added]); valid.Valid(row) {
				r.push(q, at(row))
			}
			q.came++
		}
		for ; removed < m.RemovedTo[i]; removed++ {
			if q.first != 0 && r.entries[q.first-1].row == q.went {
				r.pop(q)
			}
			q.went++
		}
		if q.first != 0 {
			out[m.Place[i]] = r.entries[q.first-1].value
			known.Set(int(m.Place[i]))
		}
	}
	return r.form.write(out, known), nil
}

// push adds a value behind those that are before it; the others can be the first no more.
func (r *rollingExtreme[T]) push(q *extremeQueue, v T) {
	for q.last != 0 && r.form.compare(r.entries[q.last-1].value, v)*r.sign >= 0 {
		gone := q.last
		if q.last = r.entries[gone-1].before; q.last == 0 {
			q.first = 0
		}
		r.release(gone)
	}
	if r.form.own != nil {
		v = r.form.own(v)
	}
	r.append(q, v, q.came)
}

// append puts a value behind all others.
func (r *rollingExtreme[T]) append(q *extremeQueue, v T, row uint32) {
	if r.form.size != nil {
		r.held += int64(r.form.size(v))
	}
	n := r.unused
	if n != 0 {
		r.unused = r.entries[n-1].next
	} else {
		r.entries = append(r.entries, extremeEntry[T]{})
		n = uint32(len(r.entries))
	}
	r.entries[n-1] = extremeEntry[T]{value: v, row: row, before: q.last}
	if q.last == 0 {
		q.first = n
	} else {
		r.entries[q.last-1].next = n
	}
	q.last = n
}

// pop drops the first value.
func (r *rollingExtreme[T]) pop(q *extremeQueue) {
	gone := q.first
	if q.first = r.entries[gone-1].next; q.first == 0 {
		q.last = 0
	} else {
		r.entries[q.first-1].before = 0
	}
	r.release(gone)
}

func (r *rollingExtreme[T]) release(n uint32) {
	if r.form.size != nil {
		r.held -= int64(r.form.size(r.entries[n-1].value))
	}
	r.entries[n-1] = extremeEntry[T]{next: r.unused}
	r.unused = n
}

func (r *rollingExtreme[T]) Clear(keys []uint32) {
	for _, k := range keys {
		if int(k) < len(r.queues) {
			for q := &r.queues[k]; q.first != 0; {
				r.pop(q)
			}
			r.queues[k] = extremeQueue{}
		}
	}
}

// Fork implements Roller.
func (r *rollingExtreme[T]) Fork(keys []uint32) Roller {
	out := &rollingExtreme[T]{form: r.form, sign: r.sign, queues: forked(r.queues, keys)}
	for i := range out.queues {
		q := &out.queues[i]
		at := q.first
		for q.first, q.last = 0, 0; at != 0; at = r.entries[at-1].next {
			e := r.entries[at-1]
			out.append(q, e.value, e.row)
		}
	}
	return out
}

func (r *rollingExtreme[T]) Bytes() int64 { return sizeOf(r.queues) + sizeOf(r.entries) + r.held }

// runningExtreme is min and max over frames that lose no rows.
type runningExtreme[T comparable] struct {
	form setForm[T]
	sign int // -1 for max
	best []T
	seen []bool
	held int64 // what the values point to
}

func (r *runningExtreme[T]) grow(count int) {
	var none T
	r.best, r.seen = grown(r.best, count, none), grown(r.seen, count, false)
}

func (r *runningExtreme[T]) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.grow(m.Count)
	at, valid := r.form.read(args[0], rows), args[0].validity(rows)
	out, known := make([]T, m.results()), event.NewBitmap(m.results())
	added := int32(0)
	for i, key := range m.Keys {
		for ; added < m.AddedTo[i]; added++ {
			if row := int(m.Added[added]); valid.Valid(row) {
				r.take(key, at(row))
			}
		}
		if r.seen[key] {
			out[m.Place[i]] = r.best[key]
			known.Set(int(m.Place[i]))
		}
	}
	return r.form.write(out, known), nil
}

func (r *runningExtreme[T]) take(key uint32, v T) {
	if r.seen[key] && r.form.compare(v, r.best[key])*r.sign >= 0 {
		return
	}
	if r.form.own != nil {
		v = r.form.own(v)
		r.held += int64(r.form.size(v) - r.form.size(r.best[key]))
	}
	r.best[key], r.seen[key] = v, true
}

func (r *runningExtreme[T]) Clear(keys []uint32) {
	if r.form.size != nil {
		for _, k := range keys {
			if int(k) < len(r.best) {
				r.held -= int64(r.form.size(r.best[k]))
			}
		}
	}
	clearStates(r.best, keys)
	clearStates(r.seen, keys)
}

// Fork implements Roller.
func (r *runningExtreme[T]) Fork(keys []uint32) Roller {
	out := &runningExtreme[T]{form: r.form, sign: r.sign, best: forked(r.best, keys), seen: forked(r.seen, keys)}
	if r.form.size != nil {
		for _, v := range out.best {
			out.held += int64(r.form.size(v))
		}
	}
	return out
}

// State has the value of each key, NULL where it has none.
func (r *runningExtreme[T]) State(keys []uint32) ([]arrow.Array, error) {
	r.grow(reach(keys))
	return []arrow.Array{r.form.write(chosen(r.best, keys), chosenFlags(r.seen, keys))}, nil
}

// Restore reads what State gave.
func (r *runningExtreme[T]) Restore(state []arrow.Array) error {
	if err := CheckState(state, r.form.result.Arrow()); err != nil {
		return err
	}
	count := state[0].Len()
	r.grow(count)
	at := r.form.read(Operand{Array: state[0]}, count)
	for key := range count {
		if state[0].IsValid(key) {
			r.take(uint32(key), at(key))
		}
	}
	return nil
}

// Adopt implements RunningRoller.
func (r *runningExtreme[T]) Adopt(state []arrow.Array, keys []uint32, count int) error {
	if err := CheckState(state, r.form.result.Arrow()); err != nil {
		return err
	}
	r.grow(count)
	at := r.form.read(Operand{Array: state[0]}, state[0].Len())
	for i, key := range keys {
		if state[0].IsValid(i) {
			r.take(key, at(i))
		}
	}
	return nil
}

func (r *runningExtreme[T]) Bytes() int64 {
	var v T
	return int64(cap(r.best))*int64(unsafe.Sizeof(v)) + int64(cap(r.seen)) + r.held
}
