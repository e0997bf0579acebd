package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// distinctAccumulator gives another accumulator each combination of a group and argument values once. It keeps the combinations
// and computes at the end, since only then it is known which of them other workers have met as well.
type distinctAccumulator struct {
	inner  kernel.Accumulator
	types  []event.Type // of the arguments
	values *groupTable  // numbers the combinations of arguments
	pairs  pairTable    // numbers those with groups
	codes  []uint32     // scratch
	ids    []uint32     // scratch
}

func newDistinctAccumulator(inner kernel.Accumulator, types []event.Type) *distinctAccumulator {
	return &distinctAccumulator{inner: inner, types: types, values: newGroupTable(types)}
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
	return a.add(columns)
}

// add takes rows whose groups are in ids.
func (a *distinctAccumulator) add(columns []arrow.Array) error {
	a.codes = resized(a.codes, len(a.ids))
	a.values.assign(columns, a.codes)
	a.pairs.combine(a.ids, a.codes)
	return nil
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
	return a.add(columns)
}

// rows gives every combination as a row.
func (a *distinctAccumulator) rows() (columns []arrow.Array, groups []uint32, err error) {
	ids := make([]uint32, a.pairs.count())
	for i := range ids {
		ids[i] = uint32(i)
	}
	groups, codes := a.pairs.split(ids)
	keys, err := a.values.keys()
	if err != nil {
		return nil, nil, err
	}
	rows := make([]int32, len(codes))
	for i, code := range codes {
		rows[i] = int32(code)
	}
	for _, k := range keys {
		columns = append(columns, kernel.Take(k, rows))
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
	return a.add(columns)
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
	return a.inner.Bytes() + a.values.bytes() + a.pairs.bytes() + int64(4*(cap(a.codes)+cap(a.ids)))
}
