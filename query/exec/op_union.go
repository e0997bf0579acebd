package exec

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// unionOp gives the rows of one input after another. It is as wide as the widest: a reader takes its share of each input in turn.
type unionOp struct {
	inputs []operator
	opened int // readers so far
}

func (r *run) newUnion(ctx context.Context, n *plan.Union, used []bool) (operator, error) {
	o := &unionOp{}
	for _, part := range n.Parts {
		input, err := r.build(ctx, part, used)
		if err != nil {
			return nil, err
		}
		o.inputs = append(o.inputs, input)
	}
	return o, nil
}

func (o *unionOp) width() int {
	widest := 1
	for _, in := range o.inputs {
		widest = max(widest, in.width())
	}
	return widest
}

func (o *unionOp) open() reader {
	r := &unionReader{}
	for _, in := range o.inputs {
		if o.opened < in.width() {
			r.inputs = append(r.inputs, in.open())
		}
	}
	o.opened++
	return r
}

type unionReader struct {
	inputs []reader
	at     int // the input being read
}

func (r *unionReader) next(ctx context.Context) (*Batch, error) {
	for r.at < len(r.inputs) {
		batch, err := r.inputs[r.at].next(ctx)
		if !errors.Is(err, io.EOF) {
			return batch, err
		}
		r.at++
	}
	return nil, io.EOF
}

func (r *unionReader) close() {
	for _, in := range r.inputs {
		in.close()
	}
}
