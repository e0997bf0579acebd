package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Moves says how the frames of many keys move over rows. Before result i the frame of Keys[i] gains the rows of Added from AddedTo[i-1] to
// before AddedTo[i], and then loses those of Removed from RemovedTo[i-1] to before RemovedTo[i]: always the ones that it has had longest.
// Rows are places in the arguments.
type Moves struct {
	Keys  []uint32
	Count int // one more than the greatest key so far

	Added, Removed     []int32
	AddedTo, RemovedTo []int32
	// Place says which row of the outcome a result is.
	Place []int32
}

// Roller computes an aggregate over one frame for each of many keys, whose rows come and go in one order. A row costs the same whatever
// the length of its frame. It is not safe for concurrent use.
type Roller interface {
	// Roll moves the frames and gives the aggregate of each after its moves. It fails where a result does not fit its type.
	Roll(m Moves, args []Operand, rows int) (arrow.Array, error)
	// Clear makes the frames of keys empty.
	Clear(keys []uint32)
	// Fork gives a Roller whose frames, numbered from 0 on, are now those of keys. The two move apart from each other.
	Fork(keys []uint32) Roller
	// Bytes is the memory held.
	Bytes() int64
}

// RunningRoller is a Roller of frames that lose no rows: what it holds of a key does not grow, and can be kept without the rows.
type RunningRoller interface {
	Roller
	// State and Restore are as those of an Accumulator.
	State(keys []uint32) ([]arrow.Array, error)
	Restore(state []arrow.Array) error
	// Adopt adds what State gave of keys, which hold nothing now; count is one more than the greatest key so far.
	Adopt(state []arrow.Array, keys []uint32, count int) error
}

// NewRoller makes a Roller of an aggregate; ok is false for one that has none.
func NewRoller(f *plan.Function) (r Roller, ok bool) {
	if f.Name == "min" || f.Name == "max" {
		return newRollingExtreme(f)
	}
	return NewRunningRoller(f)
}

// NewRunningRoller makes a Roller of an aggregate over frames that lose no rows; ok is false for one that has none.
func NewRunningRoller(f *plan.Function) (r RunningRoller, ok bool) {
	switch f.Signature() {
	case "sum(BIGINT)", "avg(BIGINT)":
		return &bigintRoller{bigintSum{average: f.Name == "avg"}}, true
	case "sum(DOUBLE PRECISION)", "avg(DOUBLE PRECISION)":
		return &doubleRoller{exactDoubleSum{average: f.Name == "avg"}}, true
	}
	switch f.Name {
	case "count":
		return &countRoller{}, true
	case "min", "max":
		return newRunningExtreme(f)
	}
	if a, ok := numericAccumulator(f); ok {
		if sums, ok := a.(*numericSum); ok {
			return &numericRoller{*sums}, true
		}
	}
	return nil, false
}

// results is the number of results.
func (m *Moves) results() int { return len(m.Keys) }

// rollStates moves frames whose states change row by row, where times is 1 for a row that comes and -1 for one that goes, and has give
// put each state where its result belongs. Rows that valid does not mark change nothing.
func rollStates[S any](m *Moves, states []S, valid event.Bitmap, change func(s *S, row int, times int64), give func(s *S, place int) error) error {
	added, removed := int32(0), int32(0)
	for i, key := range m.Keys {
		s := &states[key]
		for ; added < m.AddedTo[i]; added++ {
			if row := int(m.Added[added]); valid.Valid(row) {
				change(s, row, 1)
			}
		}
		for ; removed < m.RemovedTo[i]; removed++ {
			if row := int(m.Removed[removed]); valid.Valid(row) {
				change(s, row, -1)
			}
		}
		if err := give(s, int(m.Place[i])); err != nil {
			return err
		}
	}
	return nil
}

// placed has a copy of each state where its result belongs.
func placed[S any](m *Moves, states []S, valid event.Bitmap, change func(s *S, row int, times int64)) []S {
	out := make([]S, m.results())
	_ = rollStates(m, states, valid, change, func(s *S, place int) error { // it gives no error
		out[place] = *s
		return nil
	})
	return out
}

// forked are copies of the states of keys; those that have none yet are of no rows.
func forked[S any](states []S, keys []uint32) []S {
	out := make([]S, len(keys))
	for i, k := range keys {
		if int(k) < len(states) {
			out[i] = states[k]
		}
	}
	return out
}

// clearStates makes the states of keys those of no rows.
func clearStates[S any](states []S, keys []uint32) {
	var none S
	for _, k := range keys {
		if int(k) < len(states) {
			states[k] = none
		}
	}
}
