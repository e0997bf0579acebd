package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

func registerPercentileSketch(all map[string]func() Accumulator) {
	all["approx_percentile"+twoDoubles] = func() Accumulator { return &percentileSketch{fraction: math.NaN()} }
}

// percentileSketch is approx_percentile(x, fraction), by DDSketch (C. Masson, J. E. Rim and H. K. Lee, DDSketch, VLDB 2019): the
// answer lies within 1 % of the exact percentile_disc, as long as the magnitudes of a group span less than 17 powers of ten;
// beyond, the smallest ones are taken together. Merging is exact.
type percentileSketch struct {
	fraction float64
	groups   []ddSketch
	bytes    int64
}

func (s *percentileSketch) Update(groups Groups, args []Operand, rows int) error {
	s.groups = grown(s.groups, groups.Count, ddSketch{})
	if err := readFraction(&s.fraction, args[1], rows); err != nil {
		return err
	}
	values, valid := fixed[float64](args[0]), args[0].validity(rows)
	for i := range rows {
		if valid.Valid(i) {
			s.bytes += s.groups[groupOf(groups, i)].add(values.at(i))
		}
	}
	return nil
}

func (s *percentileSketch) Merge(other Accumulator, mapping []uint32, count int) error {
	s.groups = grown(s.groups, count, ddSketch{})
	o := other.(*percentileSketch)
	if math.IsNaN(s.fraction) {
		s.fraction = o.fraction
	}
	for g := range o.groups {
		s.bytes += s.groups[mapping[g]].merge(&o.groups[g])
	}
	return nil
}

func (s *percentileSketch) State(groups []uint32) ([]arrow.Array, error) {
	s.groups = grown(s.groups, reach(groups), ddSketch{})
	items := make([][]int64, len(groups))
	for i, g := range groups {
		items[i] = s.groups[g].words()
	}
	sketches, err := wordLists(items)
	return []arrow.Array{steadyDouble(s.fraction, len(groups)), sketches}, err
}

func (s *percentileSketch) Restore(state []arrow.Array) error {
	if err := CheckState(state, doubleType, wordsType); err != nil {
		return err
	}
	s.fraction = readSteady(state[0])
	items := openWordLists(state[1])
	s.groups = make([]ddSketch, len(items))
	for i, words := range items {
		grew, ok := s.groups[i].read(words)
		if !ok {
			return errState("%d words are no sketch", len(words))
		}
		s.bytes += grew
	}
	return nil
}

func (s *percentileSketch) Result(groups int) (arrow.Array, error) {
	s.groups = grown(s.groups, groups, ddSketch{})
	return finishDoubles(s.groups[:groups], func(g *ddSketch) (float64, bool) {
		n := g.count()
		if n == 0 || math.IsNaN(s.fraction) {
			return 0, false
		}
		return g.at(int64(discrete(int(n), s.fraction, false))), true
	}), nil
}

func (s *percentileSketch) Bytes() int64 { return sizeOf(s.groups) + s.bytes }

// firstNumber reads an argument that is the same in every row; false where it is NULL.
func firstNumber(o Operand, rows int) (float64, bool) {
	if rows == 0 || isNull(o.Array) {
		return 0, false
	}
	if whole, ok := o.Array.(*array.Int64); ok {
		return float64(whole.Value(0)), true
	}
	return fixed[float64](o).at(0), true
}

var jsonType = event.Type{Kind: event.JSONB}
