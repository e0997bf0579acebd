package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// distinctAccumulator gives another accumulator each combination of a group and argument values once. It keeps the combinations
// and computes at the end, since only then it is known which of them other workers have met as well.
type distinctAccumulator struct {
	inner kernel.Accumulator
	types []event.Type // of the arguments
	pairs []*keyPairs  // combine the groups with one argument after another
	ids   []uint32     // scratch
}

func newDistinctAccumulator(inner kernel.Accumulator, types []event.Type) *distinctAccumulator {
	a := &distinctAccumulator{inner: inner, types: types}
	for _, t := range types {
		a.pairs = append(a.pairs, newKeyPairs(t))
	}
	return a
}

func (a *distinctAccumulator) Update(groups kernel.Groups, args []kernel.Operand, rows int) error {
	columns := make([]arrow.Array, len(args))
	for i, arg := range args {
		columns[i] = arg.Expand(rows)
	}
	a.ids = resized(a.ids, rows)
	if groups.IDs == nil {
		clear(a.ids)
	} else {
		copy(a.ids, groups.IDs)
	}
	a.add(columns)
	return nil
}

// add takes rows whose groups are in ids, which it overwrites.
func (a *distinctAccumulator) add(columns []arrow.Array) {
	for i, pair := range a.pairs {
		pair.combine(a.ids, columns[i])
	}
}

// Merge goes over the combinations of other as if they were rows.
func (a *distinctAccumulator) Merge(other kernel.Accumulator, mapping []uint32, _ int) error {
	columns, groups, err := other.(*distinctAccumulator).rows()
	if err != nil {
		return err
	}
	a.ids = resized(a.ids, len(groups))
	for i, g := range groups {
		a.ids[i] = mapping[g]
	}
	a.add(columns)
	return nil
}

// rows gives every combination as a row.
func (a *distinctAccumulator) rows() (columns []arrow.Array, groups []uint32, err error) {
	last := len(a.pairs) - 1
	columns, groups = make([]arrow.Array, len(a.pairs)), sequenceOf(a.pairs[last].count())
	for i := last; i >= 0; i-- {
		if groups, columns[i], err = a.pairs[i].split(groups); err != nil {
			return nil, nil, err
		}
	}
	return columns, groups, nil
}

// State is, for each argument, lists of the values of each group's combinations.
func (a *distinctAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	columns, ids, err := a.rows()
	if err != nil {
		return nil, err
	}
	return listRows(columns, ids, groups)
}

func (a *distinctAccumulator) Restore(state []arrow.Array) error {
	columns, ids, err := openListRows(state, a.types)
	if err != nil {
		return err
	}
	a.ids = ids
	a.add(columns)
	return nil
}

func (a *distinctAccumulator) Result(groups int) (arrow.Array, error) {
	columns, ids, err := a.rows()
	if err != nil {
		return nil, err
	}
	args := make([]kernel.Operand, len(columns))
	for i, c := range columns {
		args[i].Array = c
	}
	if err := a.inner.Update(kernel.Groups{IDs: ids, Count: groups}, args, len(ids)); err != nil {
		return nil, err
	}
	return a.inner.Result(groups)
}

func (a *distinctAccumulator) Bytes() int64 {
	total := a.inner.Bytes() + int64(4*cap(a.ids))
	for _, p := range a.pairs {
		total += p.bytes()
	}
	return total
}
