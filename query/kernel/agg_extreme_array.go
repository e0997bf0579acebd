package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// arrayExtreme is min and max of arrays, which compare element by element, NULL behind every value, and the shorter first.
type arrayExtreme struct {
	result event.Type
	sign   int // -1 for max
	best   arrow.Array
}

// Update keeps, of each group's values, the one that comes first.
func (a *arrayExtreme) Update(groups Groups, args []Operand, rows int) error {
	if rows == 0 {
		return nil
	}
	return a.take(args[0], rows, groups.Count, func(i int) int { return int(groupOf(groups, i)) })
}

// take compares rows of a column, each in its group, with the best so far.
func (a *arrayExtreme) take(values Operand, rows, count int, group func(i int) int) error {
	column := Decode(values.Expand(rows))
	known := 0
	if a.best != nil {
		known = a.best.Len()
	}
	best := make([]int32, max(count, known, 1)) // rows of what is known and the column, one behind the other; -1 for none
	for g := range best {
		best[g] = -1
		if g < known && a.best.IsValid(g) {
			best[g] = int32(g)
		}
	}
	whole := column
	if known > 0 {
		var err error
		if whole, err = Concat([]arrow.Array{a.best, column}); err != nil {
			return err
		}
	}
	compare := ordering(Operand{Array: whole}, Operand{Array: whole}, a.result)
	for i := range rows {
		at := known + i
		if whole.IsNull(at) {
			continue
		}
		if g := group(i); best[g] < 0 || a.sign*compare(at, int(best[g])) < 0 {
			best[g] = int32(at)
		}
	}
	a.best = TakeOrNull(whole, best)
	return nil
}

// Merge takes the other's values as rows.
func (a *arrayExtreme) Merge(other Accumulator, mapping []uint32, count int) error {
	o := other.(*arrayExtreme)
	if o.best == nil {
		return nil
	}
	rows := min(o.best.Len(), len(mapping))
	return a.take(Operand{Array: o.best}, rows, count, func(i int) int { return int(mapping[i]) })
}

// State is the value of each group.
func (a *arrayExtreme) State(groups []uint32) ([]arrow.Array, error) {
	picks := make([]int32, len(groups))
	for i, g := range groups {
		picks[i] = -1
		if a.best != nil && int(g) < a.best.Len() && a.best.IsValid(int(g)) {
			picks[i] = int32(g)
		}
	}
	return []arrow.Array{a.pick(picks)}, nil
}

func (a *arrayExtreme) pick(picks []int32) arrow.Array {
	if a.best == nil {
		return event.NewNulls(a.result, len(picks))
	}
	return TakeOrNull(a.best, picks)
}

// Restore takes what State gave.
func (a *arrayExtreme) Restore(state []arrow.Array) error {
	if err := CheckState(state, a.result.Arrow()); err != nil {
		return err
	}
	a.best = state[0]
	return nil
}

// Result is NULL for groups without a value.
func (a *arrayExtreme) Result(groups int) (arrow.Array, error) {
	all := make([]uint32, groups)
	for i := range all {
		all[i] = uint32(i)
	}
	state, err := a.State(all)
	return state[0], err
}

// Bytes counts the values twice, since they are copied to be replaced.
func (a *arrayExtreme) Bytes() int64 {
	if a.best == nil {
		return 0
	}
	return 2 * int64(a.best.Data().SizeInBytes())
}
