package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// unnestOp gives a row for each element of arrays.
type unnestOp struct {
	operator // the input; width is the same
	run      *run
	node     *plan.Unnest
	programs []*kernel.Program
	used     []bool
}

func (r *run) newUnnest(ctx context.Context, n *plan.Unnest, used []bool) (operator, error) {
	needed := append([]bool(nil), used[:plan.Width(n.Input)]...)
	plan.MarkColumns(needed, n.Arrays...)
	input, err := r.build(ctx, n.Input, needed)
	if err != nil {
		return nil, err
	}
	programs, err := compileAll(n.Arrays)
	return &unnestOp{operator: input, run: r, node: n, programs: programs, used: used}, err
}

func (o *unnestOp) open() reader { return &unnestReader{input: o.operator.open(), op: o} }

// unnestReader spreads one batch of its input out at a time, in pieces of about the size of a batch.
type unnestReader struct {
	input  reader
	op     *unnestOp
	batch  *Batch // being spread out; nil before the first
	arrays []arrow.Array
	row    int // the next row of batch
}

func (r *unnestReader) next(ctx context.Context) (*Batch, error) {
	for {
		if r.batch == nil || r.row >= r.batch.Rows {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
		}
		from := r.row
		for rows := 0; r.row < r.batch.Rows && rows < r.op.run.engine.options.BatchRows; r.row++ {
			rows += kernel.LongestList(r.arrays, r.row)
		}
		if out := r.spread(from, r.row); out != nil {
			return out, nil
		}
	}
}

func (r *unnestReader) load(ctx context.Context) error {
	batch, err := r.input.next(ctx)
	if err != nil {
		return err
	}
	if r.arrays, err = r.op.run.evalColumns(r.op.programs, batch); err != nil {
		return err
	}
	for i, a := range r.arrays {
		r.arrays[i] = kernel.AsLists(a, r.op.node.Arrays[i].Type())
	}
	r.batch, r.row = batch, 0
	return nil
}

// spread is the rows that some rows of the input make; nil where there are none.
func (r *unnestReader) spread(from, to int) *Batch {
	parents, elements, places := kernel.Unnest(r.arrays, from, to)
	if len(parents) == 0 {
		return nil
	}
	width := len(r.batch.Columns)
	out := r.batch.take(parents, r.op.used[:width])
	out.Columns = append(out.Columns, elements...)
	if r.op.node.Ordinality {
		out.Columns = append(out.Columns, event.NewInt64s(places, nil))
	}
	return out
}

func (r *unnestReader) close() { r.input.close() }
