package exec

import (
	"context"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// filter keeps the rows of a batch for which all conjuncts are true. Each conjunct is computed only for the rows that the
// earlier ones kept. It is shared by all workers.
type filter struct {
	run       *run
	conjuncts []*kernel.Program
	keep      []bool // the columns that are read later
}

func (r *run) compileFilter(conjuncts []plan.Expr, keep []bool) (*filter, error) {
	programs, err := compileAll(conjuncts)
	if err != nil {
		return nil, err
	}
	return &filter{run: r, conjuncts: programs, keep: keep}, nil
}

func (f *filter) apply(batch *Batch) (*Batch, error) {
	kept, err := f.rows(batch)
	if err != nil || kept == nil {
		return batch, err
	}
	return batch.take(kept, f.keep), nil
}

// rows are those that the filter keeps, ascending; nil stands for all of them.
func (f *filter) rows(batch *Batch) ([]int32, error) {
	if len(f.conjuncts) == 0 {
		return nil, nil
	}
	kept, err := kernel.Filter(f.run.kernel, f.conjuncts, batch.Columns, batch.Rows)
	switch {
	case err != nil || len(kept) == batch.Rows:
		return nil, err
	case kept == nil:
		return []int32{}, nil
	default:
		return kept, nil
	}
}

// filterOp filters what another operator gives.
type filterOp struct {
	operator // the input; width is the same
	filter   *filter
}

func (r *run) newFilter(ctx context.Context, n *plan.Filter, used []bool) (operator, error) {
	f, err := r.compileFilter(plan.Conjuncts(n.Predicate), used)
	if err != nil {
		return nil, err
	}
	needed := append([]bool(nil), used...)
	plan.MarkColumns(needed, n.Predicate)
	input, err := r.build(ctx, n.Input, needed)
	if err != nil {
		return nil, err
	}
	narrowMarked(n, input)
	return &filterOp{operator: input, filter: f}, nil
}

func (o *filterOp) useBriefly() { useBriefly(o.operator) }

func (o *filterOp) open() reader { return &filterReader{reader: o.operator.open(), filter: o.filter} }

type filterReader struct {
	reader // the input
	filter *filter
}

func (r *filterReader) next(ctx context.Context) (*Batch, error) {
	for {
		batch, err := r.reader.next(ctx)
		if err != nil {
			return nil, err
		}
		batch, err = r.filter.apply(batch)
		if err != nil || batch.Rows > 0 {
			return batch, err
		}
	}
}
