package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// doubleState is what an aggregate of doubles keeps of one group: 64-bit words only.
type doubleState[S any] interface {
	*S
	add(v float64)
	// merge adds a group of another accumulator, whose rows come after.
	merge(o *S)
}

// doubleGroups is an aggregate of one DOUBLE PRECISION argument with a DOUBLE PRECISION result, by the states of its groups.
type doubleGroups[S any, P doubleState[S]] struct {
	states []S
	// finish is the result of a group; false makes it NULL.
	finish func(s *S) (float64, bool)
}

func (a *doubleGroups[S, P]) Update(groups Groups, args []Operand, rows int) error {
	var empty S
	a.states = grown(a.states, groups.Count, empty)
	values, valid := fixed[float64](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			P(&a.states[groupOf(groups, i)]).add(values.at(i))
		}
	}
	return nil
}

func (a *doubleGroups[S, P]) Merge(other Accumulator, mapping []uint32, count int) error {
	var empty S
	a.states = grown(a.states, count, empty)
	states := other.(*doubleGroups[S, P]).states
	for g := range states {
		P(&a.states[mapping[g]]).merge(&states[g])
	}
	return nil
}

func (a *doubleGroups[S, P]) State(groups []uint32) ([]arrow.Array, error) {
	var empty S
	a.states = grown(a.states, reach(groups), empty)
	return wordColumns(a.states, groups), nil
}

func (a *doubleGroups[S, P]) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[S](state)
	return err
}

func (a *doubleGroups[S, P]) Result(groups int) (arrow.Array, error) {
	var empty S
	a.states = grown(a.states, groups, empty)
	return finishDoubles(a.states[:groups], a.finish), nil
}

func (a *doubleGroups[S, P]) Bytes() int64 { return sizeOf(a.states) }

func finishDoubles[S any](states []S, finish func(s *S) (float64, bool)) arrow.Array {
	out, valid := make([]float64, len(states)), event.NewBitmap(len(states))
	for g := range states {
		if v, ok := finish(&states[g]); ok {
			out[g] = v
			valid.Set(g)
		}
	}
	return event.NewFloat64s(out, valid)
}
