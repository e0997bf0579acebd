package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// distinctAccumulator gives another accumulator each combination of a group and argument values once. It keeps the combinations
// and computes at the end, since only then it is known which of them other workers have met as well.
type distinctAccumulator struct {
	ctx   *kernel.Context
	inner kernel.Accumulator
	types []event.Type // of the arguments
	pairs []*keyPairs  // combine the groups with one argument after another
	ids   []uint32     // scratch
}

func newDistinctAccumulator(ctx *kernel.Context, inner kernel.Accumulator, types []event.Type) *distinctAccumulator {
	a := &distinctAccumulator{ctx: ctx, inner: inner, types: types}
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
	return a.add(columns)
}

// add takes rows whose groups are in ids, which it overwrites.
func (a *distinctAccumulator) add(columns []arrow.Array) error {
	return a.inPieces(columns, a.ids, func(columns []arrow.Array, ids []uint32) error {
		for i, pair := range a.pairs {
			pair.combine(ids, columns[i])
		}
		return nil
	})
}

// inPieces gives rows and their groups to take, a batch at a time: they may be as many as have room in memory.
func (a *distinctAccumulator) inPieces(columns []arrow.Array, ids []uint32, take func([]arrow.Array, []uint32) error) error {
	if len(ids) <= defaultBatchRows {
		return take(columns, ids)
	}
	for from := 0; from < len(ids); from += defaultBatchRows {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		to := min(from+defaultBatchRows, len(ids))
		if err := take((&Batch{Columns: columns}).slice(from, to).Columns, ids[from:to]); err != nil {
			return err
		}
	}
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
	return a.add(columns)
}

func (a *distinctAccumulator) Result(groups int) (arrow.Array, error) {
	columns, ids, err := a.rows()
	if err != nil {
		return nil, err
	}
	err = a.inPieces(columns, ids, func(columns []arrow.Array, ids []uint32) error {
		args := make([]kernel.Operand, len(columns))
		for i, c := range columns {
			args[i].Array = c
		}
		return a.inner.Update(kernel.Groups{IDs: ids, Count: groups}, args, len(ids))
	})
	if err != nil {
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
