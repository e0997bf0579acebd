package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// projectOp computes one column per expression.
type projectOp struct {
	operator // the input; width is the same
	run      *run
	exprs    []plan.Expr
	programs []*kernel.Program
}

func (r *run) newProject(ctx context.Context, n *plan.Project) (operator, error) {
	programs, err := compileAll(n.Exprs)
	if err != nil {
		return nil, err
	}
	input, err := r.inputFor(ctx, n.Input, n.Exprs...)
	if err != nil {
		return nil, err
	}
	return &projectOp{operator: input, run: r, exprs: n.Exprs, programs: programs}, nil
}

func (o *projectOp) useBriefly() { useBriefly(o.operator) }

func (o *projectOp) open() reader { return &projectReader{reader: o.operator.open(), op: o} }

type projectReader struct {
	reader // the input
	op     *projectOp
	rest   *Batch // rows of the input that are still to be computed
}

// maxCells bounds what is computed of one batch: thousands of columns times a full batch would be gigabytes.
const maxCells = 4 << 20

func (r *projectReader) next(ctx context.Context) (*Batch, error) {
	batch, err := r.take(ctx)
	if err != nil {
		return nil, err
	}
	columns, err := r.op.run.evalColumns(r.op.programs, batch)
	if err != nil {
		return nil, err
	}
	return &Batch{Columns: columns, Rows: batch.Rows}, nil
}

// take is the input's next batch, or as much of it as may be computed at a time.
func (r *projectReader) take(ctx context.Context) (*Batch, error) {
	batch := r.rest
	if r.rest = nil; batch == nil {
		var err error
		if batch, err = r.reader.next(ctx); err != nil {
			return nil, err
		}
	}
	if most := max(maxCells/max(len(r.op.programs), 1), 1); batch.Rows > most {
		r.rest = batch.slice(most, batch.Rows)
		batch = batch.slice(0, most)
	}
	return batch, nil
}

// evalColumns computes programs over a batch, constants written out.
func (r *run) evalColumns(programs []*kernel.Program, batch *Batch) ([]arrow.Array, error) {
	out := make([]arrow.Array, len(programs))
	for i, p := range programs {
		value, err := p.Eval(r.kernel, batch.Columns, batch.Rows)
		if err != nil {
			return nil, err
		}
		out[i] = value.Expand(batch.Rows)
	}
	return out, nil
}
