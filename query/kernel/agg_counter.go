package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
)

func registerCounters(all map[string]func() Accumulator) {
	for name, finish := range map[string]func(s *counterState) (float64, bool){
		"increase": func(s *counterState) (float64, bool) { return s.rise, s.n > 1 },
		"delta":    func(s *counterState) (float64, bool) { return s.last - s.first, s.n > 1 },
		"rate": func(s *counterState) (float64, bool) {
			const microsPerSecond = 1e6
			return s.rise / (float64(s.end-s.start) / microsPerSecond), s.n > 1 && s.end > s.start
		},
	} {
		all[name+"(DOUBLE PRECISION, TIMESTAMPTZ)"] = func() Accumulator { return &counter{finish: finish} }
	}
}

// counter is increase, delta and rate over samples of a counter or gauge, which must come in the order of their times. A counter
// only grows, except that it starts again from zero: a value below the one before counts in full. delta takes no notice of that.
// Nothing is extrapolated: the span is that between the first sample and the last, so fewer than two samples give NULL.
type counter struct {
	states []counterState
	finish func(s *counterState) (float64, bool)
}

type counterState struct {
	n           int64
	first, last float64
	rise        float64
	start, end  int64
}

func (s *counterState) add(v float64, at int64) {
	if s.n == 0 {
		*s = counterState{n: 1, first: v, last: v, start: at, end: at}
		return
	}
	s.rise += risen(s.last, v)
	s.last, s.end = v, at
	s.n++
}

// risen is by how much a counter grew from one sample to the next.
func risen(from, to float64) float64 {
	if to < from {
		return to
	}
	return to - from
}

func (s *counterState) merge(o *counterState) {
	if s.n == 0 || o.n == 0 {
		if s.n == 0 {
			*s = *o
		}
		return
	}
	s.rise += risen(s.last, o.first) + o.rise
	s.last, s.end = o.last, o.end
	s.n += o.n
}

func (a *counter) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, counterState{})
	values, times, valid := fixed[float64](args[0]), fixed[int64](args[1]), jointValidity(args, rows)
	for i := range rows {
		if valid.Valid(i) {
			a.states[groupOf(groups, i)].add(values.at(i), times.at(i))
		}
	}
	return nil
}

func (a *counter) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, counterState{})
	states := other.(*counter).states
	for g := range states {
		a.states[mapping[g]].merge(&states[g])
	}
	return nil
}

func (a *counter) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), counterState{})
	return wordColumns(a.states, groups), nil
}

func (a *counter) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[counterState](state)
	return err
}

func (a *counter) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, counterState{})
	return finishDoubles(a.states[:groups], a.finish), nil
}

func (a *counter) Bytes() int64 { return sizeOf(a.states) }
