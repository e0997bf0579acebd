package kernel

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// Accumulator computes one aggregate over many groups at once. It is not safe for concurrent use: each worker has one of its
// own, and they are merged at the end.
type Accumulator interface {
	// Update adds the rows of a batch, each to its group. Arrays in args are good during the call only: their numbers are
	// overwritten by the next batch. Strings taken out of them stay good.
	Update(groups Groups, args []Operand, rows int) error
	// Merge adds what other, an accumulator of the same function, holds of its group g to group mapping[g]. It grows to count
	// groups. other stays as it is and may be merged again, as overlapping frames do; it must not be updated afterwards.
	Merge(other Accumulator, mapping []uint32, count int) error
	// State is what the accumulator holds of some groups, a row for each: what leaves memory for a file and comes back by Restore.
	// The number of arrays and their types depend on the function alone; see StateVersion.
	State(groups []uint32) ([]arrow.Array, error)
	// Restore fills an empty accumulator with a state of the same function: row i becomes group i. What no accumulator gave as its
	// state is an error of code corrupt.
	Restore(state []arrow.Array) error
	// Result is the aggregate of groups 0 to groups-1, those never updated included.
	Result(groups int) (arrow.Array, error)
	// Bytes is the memory held.
	Bytes() int64
}

// Groups says which group each row of a batch belongs to.
type Groups struct {
	// IDs has an element for each row, below Count; nil puts all rows into group 0.
	IDs []uint32
	// Count is the number of groups so far.
	Count int
}

// NewAccumulator makes an empty accumulator for an aggregate function. It reports false for what is not one.
func NewAccumulator(f *plan.Function) (Accumulator, bool) {
	if !f.Aggregate {
		return nil, false
	}
	if a, ok := arrayAccumulator(f); ok {
		return a, true
	}
	if a, ok := numericAccumulator(f); ok {
		return a, true
	}
	maker, ok := accumulators[f.Signature()]
	if !ok {
		return nil, false
	}
	a := maker()
	if t, ok := a.(typedAccumulator); ok {
		t.of(f)
	}
	return a, true
}

// typedAccumulator is one that has to know the function's types with precision and scale.
type typedAccumulator interface{ of(f *plan.Function) }

// accumulators maps the signature of every aggregate to its maker. It is filled before main and never changes.
var accumulators = buildAccumulators()

func buildAccumulators() map[string]func() Accumulator {
	all := map[string]func() Accumulator{}
	registerCount(all)
	registerBigintSum(all)
	registerIntervalSum(all)
	registerDoubleSum(all)
	registerExtreme(all)
	registerTextExtreme(all)
	registerIntervalExtreme(all)
	registerWordExtreme(all)
	registerVariance(all)
	registerProduct(all)
	registerRegression(all)
	registerQuantiles(all)
	registerTextQuantile(all)
	registerMode(all)
	registerFirst(all)
	registerBits(all)
	registerStringAgg(all)
	registerJSONAgg(all)
	registerDistinctSketch(all)
	registerPercentileSketch(all)
	registerTopK(all)
	registerHistogram(all)
	registerCounters(all)
	registerArrayAgg(all)
	return all
}

// grown extends states to count elements, the new ones set to initial.
func grown[S any](states []S, count int, initial S) []S {
	if count <= len(states) {
		return states
	}
	if count > cap(states) {
		larger := make([]S, len(states), max(count, 2*cap(states)))
		copy(larger, states)
		states = larger
	}
	for len(states) < count {
		states = append(states, initial)
	}
	return states
}

func sizeOf[S any](states []S) int64 {
	var s S
	return int64(cap(states)) * int64(unsafe.Sizeof(s))
}
