package kernel

import (
	"math"
	"slices"
)

const (
	// ddAccuracy is the relative error of a sketch's answers.
	ddAccuracy = 0.01
	// ddBins bounds each sign's bins. At 1 % they span a factor of e^40.
	ddBins = 2048
)

// ddLogGamma is the logarithm of the ratio between the bounds of a bin.
var ddLogGamma = math.Log((1 + ddAccuracy) / (1 - ddAccuracy))

// ddSketch counts doubles in bins whose bounds grow geometrically: bin i holds magnitudes in (gamma^(i-1), gamma^i].
type ddSketch struct {
	negative, positive ddStore
	zeros              int64
	below, above, nans int64 // infinities and NaN
}

// add counts a value and returns by how many bytes the sketch grew.
func (s *ddSketch) add(v float64) int64 {
	switch {
	case v != v:
		s.nans++
	case v > math.MaxFloat64:
		s.above++
	case v < -math.MaxFloat64:
		s.below++
	case math.Abs(v) < smallestNormal:
		s.zeros++
	case v > 0:
		return s.positive.add(ddIndex(v), 1)
	default:
		return s.negative.add(ddIndex(-v), 1)
	}
	return 0
}

// smallestNormal is the least magnitude told from zero.
const smallestNormal = 0x1p-1022

func ddIndex(magnitude float64) int { return int(math.Ceil(math.Log(magnitude) / ddLogGamma)) }

// ddValue is the value within ddAccuracy of everything in a bin.
func ddValue(index int) float64 {
	gamma := math.Exp(ddLogGamma)
	return 2 * math.Exp(float64(index)*ddLogGamma-math.Log(gamma+1))
}

func (s *ddSketch) count() int64 {
	return s.below + s.negative.total + s.zeros + s.positive.total + s.above + s.nans
}

func (s *ddSketch) merge(o *ddSketch) int64 {
	s.zeros += o.zeros
	s.below += o.below
	s.above += o.above
	s.nans += o.nans
	return s.negative.merge(&o.negative) + s.positive.merge(&o.positive)
}

// words is the sketch as a list of integers: zeros, below, above, NaNs, the number of bins of the negative values, their first bin
// and their counts, and the same of the positive values up to the end of the list.
func (s *ddSketch) words() []int64 {
	out := make([]int64, 0, 7+len(s.negative.counts)+len(s.positive.counts))
	out = append(out, s.zeros, s.below, s.above, s.nans, int64(len(s.negative.counts)), int64(s.negative.first))
	out = append(append(out, s.negative.counts...), int64(s.positive.first))
	return append(out, s.positive.counts...)
}

// read fills an empty sketch from its words and returns by how many bytes it grew; false where they are no sketch.
func (s *ddSketch) read(words []int64) (int64, bool) {
	const head = 6
	if len(words) <= head || words[4] < 0 || words[4] > ddBins || int64(len(words)) <= head+words[4] {
		return 0, false
	}
	s.zeros, s.below, s.above, s.nans = words[0], words[1], words[2], words[3]
	rest := words[head+words[4]:]
	negative, ok := s.negative.read(words[5], words[head:head+words[4]])
	positive, alright := s.positive.read(rest[0], rest[1:])
	return negative + positive, ok && alright
}

// at is about the value that has rank others before it.
func (s *ddSketch) at(rank int64) float64 {
	if rank -= s.below; rank < 0 {
		return math.Inf(-1)
	}
	if rank < s.negative.total {
		return -ddValue(s.negative.at(s.negative.total - 1 - rank))
	}
	if rank -= s.negative.total; rank < s.zeros {
		return 0
	}
	if rank -= s.zeros; rank < s.positive.total {
		return ddValue(s.positive.at(rank))
	}
	if rank -= s.positive.total; rank < s.above {
		return math.Inf(1)
	}
	return math.NaN()
}

// ddStore counts by bin. Where the bins would be too many, the lowest are taken together; that the highest ddBins stay does not
// depend on the order in which values come.
type ddStore struct {
	counts []int64
	first  int // the bin of counts[0]
	total  int64
}

func (s *ddStore) add(index int, n int64) int64 {
	before := cap(s.counts)
	s.total += n
	s.reach(index)
	s.counts[max(0, index-s.first)] += n
	return int64(8 * (cap(s.counts) - before))
}

// reach makes room for a bin.
func (s *ddStore) reach(index int) {
	switch last := s.first + len(s.counts) - 1; {
	case len(s.counts) == 0:
		s.counts, s.first = make([]int64, 1, 16), index
	case index > last:
		s.resize(max(s.first, index-ddBins+1), index)
	case index < s.first:
		s.resize(max(index, last-ddBins+1), last)
	}
}

// resize lets the bins run from first to last; what lies below goes into the first.
func (s *ddStore) resize(first, last int) {
	moved := make([]int64, last-first+1, (last-first+16)&^15)
	for i, n := range s.counts {
		moved[max(0, s.first+i-first)] += n
	}
	s.counts, s.first = moved, first
}

func (s *ddStore) merge(o *ddStore) int64 {
	grew := int64(0)
	for i := len(o.counts) - 1; i >= 0; i-- {
		if o.counts[i] > 0 {
			grew += s.add(o.first+i, o.counts[i])
		}
	}
	return grew
}

// at is the bin of the value with so many before it.
func (s *ddStore) at(rank int64) int {
	for i, n := range s.counts {
		if rank -= n; rank < 0 {
			return s.first + i
		}
	}
	return s.first + len(s.counts) - 1
}

// read fills an empty store and returns by how many bytes it grew; false where counts are none of a store.
func (s *ddStore) read(first int64, counts []int64) (int64, bool) {
	const farthest = 1 << 20 // beyond the bin of any double
	if len(counts) > ddBins || first < -farthest || first > farthest {
		return 0, false
	}
	s.first, s.counts = int(first), slices.Clone(counts)
	for _, n := range counts {
		if n < 0 {
			return 0, false
		}
		s.total += n
	}
	return sizeOf(s.counts), true
}
