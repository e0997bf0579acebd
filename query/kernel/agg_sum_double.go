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

// twoSum adds a value that is finite and gives the rounding error as well, by the sum of D. Knuth (The Art of Computer Programming, volume
// 2, section 4.2.2): the same as in addFinite without asking which side is larger.
func twoSum(sum, v float64) (total, lost float64) {
	total = sum + v
	added := total - sum
	return total, (sum - (total - added)) + (v - added)
}

// addGrouped adds each value, which are finite, to its group.
func addGrouped(states []compensatedSum, groups []uint32, values []float64) {
	groups = groups[:len(values)]
	for i, v := range values {
		s := &states[groups[i]]
		total, lost := twoSum(s.sum, v)
		s.sum = total
		s.lost += lost
		s.n++
	}
}

// allFinite reports whether no value is infinite or NaN.
func allFinite(values []float64) bool {
	const exponent = 0x7ff << 52 // all of it is set in those that are not
	for _, v := range values {
		if math.Float64bits(v)&exponent == exponent {
			return false
		}
	}
	return true
}

// addAll runs several sums side by side, since each addition has to wait for the one before it.
func (a *doubleSum) addAll(values []float64) {
	if !allFinite(values) {
		for _, v := range values {
			a.states[0].add(v)
		}
		return
	}
	var first, second, third, lost1, lost2, lost3, off float64
	rest := values
	for ; len(rest) >= 3; rest = rest[3:] {
		first, off = twoSum(first, rest[0])
		lost1 += off
		second, off = twoSum(second, rest[1])
		lost2 += off
		third, off = twoSum(third, rest[2])
		lost3 += off
	}
	s := &a.states[0]
	s.merge(compensatedSum{sum: first, lost: lost1, n: int64(len(values) - len(rest))})
	s.merge(compensatedSum{sum: second, lost: lost2})
	s.merge(compensatedSum{sum: third, lost: lost3})
	for _, v := range rest {
		s.add(v)
	}
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
