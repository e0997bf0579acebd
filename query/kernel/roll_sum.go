package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// countRoller counts rows, or those in which the argument is not NULL.
type countRoller struct{ countAccumulator }

func (r *countRoller) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.counts = grown(r.counts, m.Count, 0)
	var valid event.Bitmap
	if len(args) > 0 {
		valid = args[0].validity(rows)
	}
	if valid != nil {
		return event.NewInt64s(placed(&m, r.counts, valid, func(n *int64, _ int, times int64) { *n += times }), nil), nil
	}
	out, added, removed := make([]int64, m.results()), int32(0), int32(0)
	for i, key := range m.Keys {
		r.counts[key] += int64(m.AddedTo[i] - added - m.RemovedTo[i] + removed)
		added, removed = m.AddedTo[i], m.RemovedTo[i]
		out[m.Place[i]] = r.counts[key]
	}
	return event.NewInt64s(out, nil), nil
}

// Adopt implements RunningRoller.
func (r *countRoller) Adopt(state []arrow.Array, keys []uint32, count int) error {
	return adopt(&r.countAccumulator, &countAccumulator{}, state, keys, count)
}

// adopt merges a state into an accumulator by way of an empty one.
func adopt(into, empty Accumulator, state []arrow.Array, keys []uint32, count int) error {
	if err := empty.Restore(state); err != nil {
		return err
	}
	return into.Merge(empty, keys, count)
}

func (r *countRoller) Clear(keys []uint32) { clearStates(r.counts, keys) }

// Fork implements Roller.
func (r *countRoller) Fork(keys []uint32) Roller {
	return &countRoller{countAccumulator{forked(r.counts, keys)}}
}

// bigintRoller is sum and avg of BIGINT.
type bigintRoller struct{ bigintSum }

func (r *bigintRoller) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.states = grown(r.states, m.Count, wideSum{})
	values := fixed[int64](args[0])
	out := placed(&m, r.states, args[0].validity(rows), func(s *wideSum, row int, times int64) {
		if v := values.at(row); times > 0 {
			s.add(uint64(v), v>>63, 1)
		} else {
			s.subtract(&wideSum{low: uint64(v), high: v >> 63, n: 1})
		}
	})
	return (&bigintSum{average: r.average, states: out}).Result(len(out))
}

// Adopt implements RunningRoller.
func (r *bigintRoller) Adopt(state []arrow.Array, keys []uint32, count int) error {
	return adopt(&r.bigintSum, &bigintSum{average: r.average}, state, keys, count)
}

func (r *bigintRoller) Clear(keys []uint32) { clearStates(r.states, keys) }

// Fork implements Roller.
func (r *bigintRoller) Fork(keys []uint32) Roller {
	return &bigintRoller{bigintSum{average: r.average, states: forked(r.states, keys)}}
}

// numericRoller is sum and avg of NUMERIC.
type numericRoller struct{ numericSum }

func (r *numericRoller) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.states = grown(r.states, m.Count, widestSum{})
	values := fixed[decimal128.Num](args[0])
	out := placed(&m, r.states, args[0].validity(rows), func(s *widestSum, row int, times int64) {
		if v := values.at(row); times > 0 {
			s.add(widestOf(v))
		} else {
			s.subtract(v)
		}
	})
	results := r.numericSum
	results.states = out
	return results.Result(len(out))
}

// Adopt implements RunningRoller.
func (r *numericRoller) Adopt(state []arrow.Array, keys []uint32, count int) error {
	empty := r.numericSum
	empty.states = nil
	return adopt(&r.numericSum, &empty, state, keys, count)
}

func (r *numericRoller) Clear(keys []uint32) { clearStates(r.states, keys) }

// Fork implements Roller.
func (r *numericRoller) Fork(keys []uint32) Roller {
	out := &numericRoller{r.numericSum}
	out.states = forked(r.states, keys)
	return out
}

// doubleRoller is sum and avg of DOUBLE PRECISION. What compensated sums lose they do not get back, so these are exact.
type doubleRoller struct{ exactDoubleSum }

func (r *doubleRoller) Roll(m Moves, args []Operand, rows int) (arrow.Array, error) {
	r.states = grown(r.states, m.Count, exactSum{})
	values := fixed[float64](args[0])
	out, valid := make([]float64, m.results()), event.NewBitmap(m.results())
	err := rollStates(&m, r.states, args[0].validity(rows), func(s *exactSum, row int, times int64) {
		r.change(s, values.at(row), times)
	}, func(s *exactSum, place int) error { return r.give(s, out, valid, place) })
	return event.NewFloat64s(out, valid), err
}

// Adopt implements RunningRoller.
func (r *doubleRoller) Adopt(state []arrow.Array, keys []uint32, count int) error {
	return adopt(&r.exactDoubleSum, &exactDoubleSum{average: r.average}, state, keys, count)
}

func (r *doubleRoller) Clear(keys []uint32) {
	for _, k := range keys {
		if int(k) < len(r.states) {
			r.held -= r.states[k].bytes()
		}
	}
	clearStates(r.states, keys)
}

// Fork implements Roller.
func (r *doubleRoller) Fork(keys []uint32) Roller {
	out := &doubleRoller{exactDoubleSum{average: r.average, states: forked(r.states, keys)}}
	for i, s := range out.states {
		if s.rest != nil {
			rest := *s.rest
			out.states[i].rest = &rest
		}
		out.held += s.bytes()
	}
	return out
}
