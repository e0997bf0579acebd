package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// repeatOp gives each row as often as an expression over it says.
type repeatOp struct {
	operator // the input; width is the same
	run      *run
	times    *kernel.Program
	used     []bool
}

func (r *run) newRepeat(ctx context.Context, n *plan.Repeat, used []bool) (operator, error) {
	times, err := kernel.Compile(n.Times)
	if err != nil {
		return nil, err
	}
	needed := append([]bool(nil), used...)
	plan.MarkColumns(needed, n.Times)
	input, err := r.build(ctx, n.Input, needed)
	if err != nil {
		return nil, err
	}
	return &repeatOp{operator: input, run: r, times: times, used: used}, nil
}

func (o *repeatOp) open() reader { return &repeatReader{reader: o.operator.open(), op: o} }

type repeatReader struct {
	reader // the input
	op     *repeatOp
	batch  *Batch // nil where all of it has been given
	times  arrow.Array
	row    int
	given  int64 // of row
	rows   []int32
}

func (r *repeatReader) next(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.batch == nil {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
		}
		batch := r.batch
		if r.list(); len(r.rows) > 0 {
			return batch.take(r.rows, r.op.used), nil
		}
	}
}

func (r *repeatReader) load(ctx context.Context) error {
	batch, err := r.reader.next(ctx)
	if err != nil {
		return err
	}
	value, err := r.op.times.Eval(r.op.run.kernel, batch.Columns, batch.Rows)
	if err != nil {
		return err
	}
	r.batch, r.times, r.row, r.given = batch, value.Expand(batch.Rows), 0, 0
	return nil
}

// list writes the next rows to give, at most a batch of them.
func (r *repeatReader) list() {
	r.rows = r.rows[:0]
	times := arrow.GetValues[int64](r.times.Data(), 1)
	for r.row < r.batch.Rows {
		if r.times.IsNull(r.row) || r.given >= times[r.row] {
			r.row, r.given = r.row+1, 0
			continue
		}
		if len(r.rows) == r.op.run.engine.options.BatchRows {
			return
		}
		r.rows = append(r.rows, int32(r.row))
		r.given++
	}
	r.batch = nil
}
