package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// exactDoubleSum is sum and avg of doubles that can go again.
type exactDoubleSum struct {
	states  []exactSum
	average bool
	held    int64 // what states point to, about
}

func (a *exactDoubleSum) Update(groups Groups, args []Operand, rows int) error {
	a.each(groups, args, rows, 1)
	return nil
}

// Retract takes rows out.
func (a *exactDoubleSum) Retract(groups Groups, args []Operand, rows int) error {
	a.each(groups, args, rows, -1)
	return nil
}

func (a *exactDoubleSum) each(groups Groups, args []Operand, rows int, times int64) {
	a.states = grown(a.states, groups.Count, exactSum{})
	values, valid := fixed[float64](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			a.change(&a.states[groupOf(groups, i)], values.at(i), times)
		}
	}
}

// change adds a value to a sum, or takes it out where times is -1.
func (a *exactDoubleSum) change(s *exactSum, v float64, times int64) {
	before := s.bytes()
	s.change(v, times)
	a.held += s.bytes() - before
}

func (a *exactDoubleSum) Merge(other Accumulator, mapping []uint32, count int) error {
	a.states = grown(a.states, count, exactSum{})
	o := other.(*exactDoubleSum)
	for g := range o.states {
		s := &a.states[mapping[g]]
		before := s.bytes()
		s.merge(&o.states[g])
		a.held += s.bytes() - before
	}
	return nil
}

// exactWords are the parts of a sum that are words, for wordColumns.
type exactWords struct {
	words   [3]uint64
	unit, n int64
	used    int64
}

// State has the words of a sum, and of few sums what does not fit into them.
func (a *exactDoubleSum) State(groups []uint32) ([]arrow.Array, error) {
	a.states = grown(a.states, reach(groups), exactSum{})
	words, rests, all := make([]exactWords, len(groups)), make([][]byte, len(groups)), make([]uint32, len(groups))
	for i, g := range groups {
		s := &a.states[g]
		words[i] = exactWords{words: s.words, unit: int64(s.unit), n: s.n}
		if s.used {
			words[i].used = 1
		}
		rests[i], all[i] = s.rest.encoded(), uint32(i)
	}
	rest, err := bytesColumn(rests)
	return append(wordColumns(words, all), rest), err
}

// Restore reads what State gave.
func (a *exactDoubleSum) Restore(state []arrow.Array) error {
	last := wordsIn[exactWords]()
	if len(state) != last+1 {
		return errState("%d columns of a sum, not %d", len(state), last+1)
	}
	words, err := wordStates[exactWords](state[:last])
	if err != nil {
		return err
	}
	rests, ok := state[last].(*array.Binary)
	if !ok || rests.Len() != len(words) {
		return errState("a sum without what does not fit into words")
	}
	a.states, a.held = make([]exactSum, len(words)), 0
	for i, w := range words {
		s := &a.states[i]
		*s = exactSum{words: w.words, unit: int32(w.unit), used: w.used == 1, n: w.n}
		if rests.IsValid(i) {
			if s.rest, err = openRest(rests.Value(i)); err != nil {
				return err
			}
		}
		if w.used&^1 != 0 || int64(s.unit) < widestUnit-unitsBelow || int64(s.unit) != w.unit || w.unit > 1024 || w.n < 0 {
			return errState("a sum of %d values in units of 2^%d", w.n, w.unit)
		}
		a.held += s.bytes()
	}
	return nil
}

func (a *exactDoubleSum) Result(groups int) (arrow.Array, error) {
	a.states = grown(a.states, groups, exactSum{})
	out, valid := make([]float64, groups), event.NewBitmap(groups)
	for g := range out {
		if err := a.give(&a.states[g], out, valid, g); err != nil {
			return nil, err
		}
	}
	return event.NewFloat64s(out, valid), nil
}

// ResultOf is the result of some groups.
func (a *exactDoubleSum) ResultOf(groups []uint32) (arrow.Array, error) {
	a.states = grown(a.states, reach(groups), exactSum{})
	out, valid := make([]float64, len(groups)), event.NewBitmap(len(groups))
	for i, g := range groups {
		if err := a.give(&a.states[g], out, valid, i); err != nil {
			return nil, err
		}
	}
	return event.NewFloat64s(out, valid), nil
}

// give writes the result of a sum, where it has one.
func (a *exactDoubleSum) give(s *exactSum, out []float64, valid event.Bitmap, at int) (err error) {
	if s.n == 0 {
		return nil
	}
	valid.Set(at)
	if out[at], err = s.total(); a.average {
		out[at] /= float64(s.n)
	}
	return err
}

func (a *exactDoubleSum) Bytes() int64 { return sizeOf(a.states) + a.held }
