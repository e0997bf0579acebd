package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerDoubleSum(all map[string]func() Accumulator) {
	all["sum(DOUBLE PRECISION)"] = func() Accumulator { return &doubleSum{} }
	all["avg(DOUBLE PRECISION)"] = func() Accumulator { return &doubleSum{average: true} }
}

// doubleSum adds doubles with the compensation of A. Neumaier (Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
// Summen, ZAMM 54, 1974), which keeps the error at about one rounding whatever the number of rows.
type doubleSum struct {
	states  []compensatedSum
	average bool
}

// compensatedSum keeps infinities and NaN apart: they would turn the compensation into NaN, and a finite sum that overflows
// must be told from one that holds an infinity.
type compensatedSum struct {
	sum, lost float64
	special   float64 // the sum of infinities and NaN
	n         int64
}

func (s *compensatedSum) add(v float64) {
	s.n++
	if !isFinite(v) {
		s.special += v
		return
	}
	s.addFinite(v)
}

func (s *compensatedSum) addFinite(v float64) {
	t := s.sum + v
	if math.Abs(s.sum) >= math.Abs(v) {
		s.lost += (s.sum - t) + v
	} else {
		s.lost += (v - t) + s.sum
	}
	s.sum = t
}

func (s *compensatedSum) merge(o compensatedSum) {
	s.addFinite(o.sum)
	s.lost += o.lost
	s.special += o.special
	s.n += o.n
}

func (a *doubleSum) Update(groups Groups, args []Operand, rows int) error {
	a.states = grown(a.states, groups.Count, compensatedSum{})
	values, valid := fixed[float64](args[0]), args[0].validity(rows)
	switch {
	case groups.IDs == nil && valid == nil && !args[0].Const:
		a.addAll(values.values[:rows])
	case groups.IDs == nil:
		for i := range rows {
			if valid.Valid(i) {
				a.states[0].add(values.at(i))
			}
		}
	case valid == nil && !args[0].Const && allFinite(values.values[:rows]):
		addGrouped(a.states, groups.IDs[:rows], values.values[:rows])
	case valid == nil:
		for i, g := range groups.IDs[:rows] {
			a.states[g].add(values.at(i))
		}
	default:
		for i, g := range groups.IDs[:rows] {
			if valid.Valid(i) {
				a.states[g].add(values.at(i))
			}
		}
	}
	return nil
}

// addGrouped adds each value to its group. The rounding error comes from the sum of D. Knuth (The Art of Computer Programming, volume
// 2, section 4.2.2), which gives the same as addFinite without asking which side is larger.
func addGrouped(states []compensatedSum, groups []uint32, values []float64) {
	groups = groups[:len(values)]
	for i, v := range values {
		s := &states[groups[i]]
		t := s.sum + v
		added := t - s.sum
		s.lost += (s.sum - (t - added)) + (v - added)
		s.sum = t
		s.n++
	}
}

// allFinite reports whether no value is infinite or NaN.
func allFinite(values []float64) bool {
	for _, v := range values {
		if !isFinite(v) {
			return false
		}
	}
	return true
}

// addAll runs two sums side by side, since each addition has to wait for the one before it.
func (a *doubleSum) addAll(values []float64) {
	even, odd := a.states[0], compensatedSum{}
	i := 0
	for ; i+1 < len(values); i += 2 {
		even.add(values[i])
		odd.add(values[i+1])
	}
	if i < len(values) {
		even.add(values[i])
	}
	even.merge(odd)
	a.states[0] = even
}

func (a *doubleSum) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, compensatedSum{})
	for g, s := range other.(*doubleSum).states {
		a.states[mapping[g]].merge(s)
	}
	return nil
}

func (a *doubleSum) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), compensatedSum{})
	return wordColumns(a.states, groups), nil
}

func (a *doubleSum) Restore(state []arrow.Array) (err error) {
	a.states, err = wordStates[compensatedSum](state)
	return err
}

func (a *doubleSum) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, compensatedSum{})
	out, valid := make([]float64, groups), event.NewBitmap(groups)
	for g, s := range a.states[:groups] {
		if s.n == 0 {
			continue
		}
		valid.Set(g)
		total, err := s.total()
		if err != nil {
			return nil, err
		}
		if a.average {
			total /= float64(s.n)
		}
		out[g] = total
	}
	return event.NewFloat64s(out, valid), nil
}

func (s *compensatedSum) total() (float64, error) {
	if s.special != 0 {
		return s.special, nil
	}
	total := s.sum + s.lost
	if !isFinite(total) {
		return 0, event.Errorf(event.CodeInvalidValue, "DOUBLE PRECISION overflow in a sum of %d values", s.n)
	}
	return total, nil
}

func (a *doubleSum) Bytes() int64 { return sizeOf(a.states) }

// isFinite reports whether v is neither infinite nor NaN.
func isFinite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 }
