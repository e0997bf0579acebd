package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// orderedAccumulator gives another accumulator the rows of each group in the order of keys. It collects all rows and sorts them
// at the end. Its arguments are the other's followed by the keys.
type orderedAccumulator struct {
	ctx     *kernel.Context
	inner   kernel.Accumulator
	keys    []plan.SortKey
	types   []event.Type // of arguments and keys
	batches []*Batch     // arguments, keys, group
	rows    int
	size    int64
}

func newOrderedAccumulator(ctx *kernel.Context, inner kernel.Accumulator, keys []plan.SortKey, types []event.Type) *orderedAccumulator {
	return &orderedAccumulator{ctx: ctx, inner: inner, keys: keys, types: types}
}

func (a *orderedAccumulator) Update(groups kernel.Groups, args []kernel.Operand, rows int) error {
	if rows == 0 {
		return nil
	}
	ids := make([]int64, rows)
	for i, g := range groups.IDs {
		ids[i] = int64(g)
	}
	batch := &Batch{Rows: rows}
	for _, arg := range args {
		batch.Columns = append(batch.Columns, arg.Expand(rows))
	}
	batch.Columns = append(batch.Columns, event.NewInt64s(ids, nil))
	a.add(batch)
	return nil
}

func (a *orderedAccumulator) add(batch *Batch) {
	a.batches = append(a.batches, batch)
	a.rows += batch.Rows
	a.size += batchBytes(batch)
}

func (a *orderedAccumulator) Merge(other kernel.Accumulator, mapping []uint32, _ int) error {
	for _, batch := range other.(*orderedAccumulator).batches {
		last := len(batch.Columns) - 1
		ids := make([]int64, batch.Rows)
		for i, g := range arrow.GetValues[int64](batch.Columns[last].Data(), 1) {
			ids[i] = int64(mapping[g])
		}
		columns := append(append([]arrow.Array(nil), batch.Columns[:last]...), event.NewInt64s(ids, nil))
		a.add(&Batch{Columns: columns, Rows: batch.Rows})
	}
	return nil
}

// State is, for each argument and key, lists of the values of each group's rows.
func (a *orderedAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	if a.rows == 0 {
		return listRows(emptyColumns(a.types), nil, groups)
	}
	whole, err := joinBatches(a.batches)
	if err != nil {
		return nil, err
	}
	last := len(whole.Columns) - 1
	ids := make([]uint32, whole.Rows)
	for i, g := range arrow.GetValues[int64](whole.Columns[last].Data(), 1) {
		ids[i] = uint32(g)
	}
	return listRows(whole.Columns[:last], ids, groups)
}

func (a *orderedAccumulator) Restore(state []arrow.Array) error {
	columns, ids, err := openListRows(state, a.types)
	if err != nil || len(ids) == 0 {
		return err
	}
	groups := make([]int64, len(ids))
	for i, g := range ids {
		groups[i] = int64(g)
	}
	a.add(&Batch{Columns: append(columns, event.NewInt64s(groups, nil)), Rows: len(ids)})
	return nil
}

func (a *orderedAccumulator) Result(groups int) (arrow.Array, error) {
	if a.rows == 0 {
		return a.inner.Result(groups)
	}
	whole, err := joinBatches(a.batches)
	if err != nil {
		return nil, err
	}
	last := len(whole.Columns) - 1
	args := last - len(a.keys)
	byGroup := plan.SortKey{Expr: &plan.ColumnRef{Name: "group", Typ: event.Type{Kind: event.BigInt}}}
	sortColumns := append([]arrow.Array{whole.Columns[last]}, whole.Columns[args:last]...)
	order, err := sortRows(a.ctx, sortColumns, append([]plan.SortKey{byGroup}, a.keys...), whole.Rows)
	if err != nil {
		return nil, err
	}
	ids := arrow.GetValues[int64](whole.Columns[last].Data(), 1)
	for from := 0; from < len(order); from += defaultBatchRows {
		if err := a.ctx.Err(); err != nil {
			return nil, err
		}
		rows := order[from:min(from+defaultBatchRows, len(order))]
		if err := a.feed(whole.Columns[:args], ids, rows, groups); err != nil {
			return nil, err
		}
	}
	return a.inner.Result(groups)
}

func (a *orderedAccumulator) feed(columns []arrow.Array, ids []int64, rows []int32, groups int) error {
	operands := make([]kernel.Operand, len(columns))
	for i, c := range columns {
		operands[i].Array = kernel.Take(c, rows)
	}
	members := make([]uint32, len(rows))
	for i, row := range rows {
		members[i] = uint32(ids[row])
	}
	return a.inner.Update(kernel.Groups{IDs: members, Count: groups}, operands, len(rows))
}

// Bytes counts every row twice, since sorting lays the batches end to end.
func (a *orderedAccumulator) Bytes() int64 {
	if a.size > math.MaxInt64/4 {
		return math.MaxInt64 / 2
	}
	return a.inner.Bytes() + 2*a.size
}
