package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerCount(all map[string]func() Accumulator) {
	for _, f := range plan.Functions["count"] {
		all[f.Signature()] = func() Accumulator { return &countAccumulator{} }
	}
}

// countAccumulator counts rows, or those in which the argument is not NULL.
type countAccumulator struct{ counts []int64 }

func (a *countAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.counts = grown(a.counts, groups.Count, 0)
	var valid event.Bitmap
	if len(args) > 0 {
		valid = args[0].validity(rows)
	}
	switch {
	case groups.IDs == nil:
		a.counts[0] += int64(rows - valid.Nulls(rows))
	case valid == nil:
		for _, g := range groups.IDs[:rows] {
			a.counts[g]++
		}
	default:
		for i, g := range groups.IDs[:rows] {
			if valid.Valid(i) {
				a.counts[g]++
			}
		}
	}
	return nil
}

func (a *countAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.counts = grown(a.counts, count, 0)
	for g, n := range other.(*countAccumulator).counts {
		a.counts[mapping[g]] += n
	}
	return nil
}

func (a *countAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.counts = grown(a.counts, reach(groups), 0)
	return wordColumns(a.counts, groups), nil
}

func (a *countAccumulator) Restore(state []arrow.Array) (err error) {
	a.counts, err = wordStates[int64](state)
	return err
}

func (a *countAccumulator) Result(groups int) (arrow.Array, error) {
	a.counts = grown(a.counts, groups, 0)
	return event.NewInt64s(slices.Clone(a.counts[:groups]), nil), nil
}

func (a *countAccumulator) Bytes() int64 { return sizeOf(a.counts) }
