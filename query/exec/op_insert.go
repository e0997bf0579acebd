package exec

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// insertOp hands every batch of its input to the sink and answers with the number of rows stored. Batches are stored one
// after another: a failure leaves those before it in place.
type insertOp struct {
	input operator
	sink  query.Sink
	node  *plan.Insert
}

func (r *run) newInsert(ctx context.Context, n *plan.Insert) (operator, error) {
	if r.engine.sink == nil {
		return nil, event.Errorf(event.CodeReadOnly, "cannot insert into %q: this engine only reads", n.Stream)
	}
	input, err := r.build(ctx, n.Input, all(plan.Width(n.Input)))
	if err != nil {
		return nil, err
	}
	return &insertOp{input: input, sink: r.engine.sink, node: n}, nil
}

func (o *insertOp) width() int { return 1 }

func (o *insertOp) open() reader { return &insertReader{op: o, input: gather(o.input)} }

type insertReader struct {
	op    *insertOp
	input reader
	done  bool
}

func (r *insertReader) next(ctx context.Context) (*Batch, error) {
	if r.done {
		return nil, io.EOF
	}
	r.done = true
	var stored int64
	for {
		batch, err := r.input.next(ctx)
		if errors.Is(err, io.EOF) {
			count := event.NewInt64s([]int64{stored}, nil)
			return &Batch{Columns: []arrow.Array{count}, Rows: 1}, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := r.op.sink.Append(ctx, r.op.node.Stream, r.op.node.Names, batch.Columns)
		if err != nil {
			return nil, fmt.Errorf("insert into %s: %w", r.op.node.Stream, err)
		}
		stored += n
	}
}

func (r *insertReader) close() { r.input.close() }
