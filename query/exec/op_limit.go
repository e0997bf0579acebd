package exec

import (
	"context"
	"io"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// limitOp passes a range of its input's rows and stops the input as soon as it has them.
type limitOp struct {
	input  operator
	node   *plan.Limit
	bounds operator // nil where the plan has the numbers
}

func (r *run) newLimit(ctx context.Context, n *plan.Limit, used []bool) (operator, error) {
	input, err := r.build(ctx, n.Input, used)
	if err != nil {
		return nil, err
	}
	o := &limitOp{input: input, node: n}
	if n.Bounds != nil {
		o.bounds, err = r.build(ctx, n.Bounds, all(2))
	}
	return o, err
}

func (o *limitOp) width() int { return 1 }

func (o *limitOp) open() reader {
	return &limitReader{input: gather(o.input), skip: o.node.Offset, left: o.node.Count, bounds: o.bounds}
}

type limitReader struct {
	input reader
	skip  int64 // rows still to pass over
	left  int64 // rows still to give; negative for no bound
	// bounds computes both numbers; nil where they are known.
	bounds operator
}

func (r *limitReader) next(ctx context.Context) (*Batch, error) {
	if r.bounds != nil {
		if err := r.readBounds(ctx); err != nil {
			return nil, err
		}
		r.bounds = nil
	}
	for r.left != 0 {
		batch, err := r.input.next(ctx)
		if err != nil {
			return nil, err
		}
		if batch = r.cut(batch); batch != nil {
			return batch, nil
		}
	}
	r.input.close()
	return nil, io.EOF
}

// cut is the part of batch inside the range; nil where there is none.
func (r *limitReader) cut(batch *Batch) *Batch {
	rows := int64(batch.Rows)
	if r.skip >= rows {
		r.skip -= rows
		return nil
	}
	from, to := r.skip, rows
	r.skip = 0
	if r.left >= 0 {
		to = min(to, from+min(r.left, rows))
		r.left -= to - from
	}
	if from == 0 && to == rows {
		return batch
	}
	return batch.slice(int(from), int(to))
}

func (r *limitReader) close() { r.input.close() }
