package exec

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// sortOp orders its input, of which every worker collects a part; the parts are then sorted as one. With a limit each worker
// throws away, whenever it has collected some multiple of the limit, what cannot be among the first rows.
type sortOp struct {
	run   *run
	input operator
	node  *plan.Sort
	keys  []*kernel.Program
}

func (r *run) newSort(ctx context.Context, n *plan.Sort) (operator, error) {
	exprs := make([]plan.Expr, len(n.Keys))
	for i, k := range n.Keys {
		exprs[i] = k.Expr
	}
	keys, err := compileAll(exprs)
	if err != nil {
		return nil, err
	}
	input, err := r.build(ctx, n.Input, all(len(n.Input.Columns())))
	if err != nil {
		return nil, err
	}
	return &sortOp{run: r, input: input, node: n, keys: keys}, nil
}

func (o *sortOp) width() int { return 1 }

func (o *sortOp) open() reader { return &sortReader{op: o} }

// sortReader sorts at the first call of next and then gathers one batch of rows after another.
type sortReader struct {
	op     *sortOp
	sorted *Batch
	order  []int32 // rows of sorted still to be given
}

func (r *sortReader) next(ctx context.Context) (*Batch, error) {
	if r.sorted == nil {
		if err := r.sort(ctx); err != nil {
			return nil, err
		}
	}
	return r.gather(ctx)
}

func (r *sortReader) sort(ctx context.Context) error {
	buffers, err := drain(ctx, r.op.input, r.op.newBuffer)
	if err != nil {
		return err
	}
	whole := buffers[0]
	for _, b := range buffers[1:] {
		whole.absorb(b)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	joined, order, err := whole.sorted()
	if err != nil {
		return err
	}
	r.sorted = &Batch{Columns: joined.Columns[:len(joined.Columns)-len(r.op.keys)], Rows: joined.Rows}
	r.order = order
	return nil
}

// sortBuffer is the rows that one worker has collected: the input's columns, followed by one for each key.
type sortBuffer struct {
	op      *sortOp
	batches []*Batch
	rows    int
	size    int64
	bound   *sortBound // nil before the first cut
	memory  reservation
}

func (o *sortOp) newBuffer() *sortBuffer {
	return &sortBuffer{op: o, memory: reservation{budget: o.run.budget, operator: "ORDER BY"}}
}

func (b *sortBuffer) consume(batch *Batch) error {
	keys, err := b.op.run.evalColumns(b.op.keys, batch)
	if err != nil {
		return err
	}
	columns := make([]arrow.Array, 0, len(batch.Columns)+len(keys))
	batch = &Batch{Columns: append(append(columns, batch.Columns...), keys...), Rows: batch.Rows}
	if b.bound != nil {
		if kept := b.bound.within(keys[0], batch.Rows); len(kept) < batch.Rows {
			batch = batch.take(kept, all(len(batch.Columns)))
		}
	}
	if batch.Rows > 0 {
		b.add(batch)
	}
	// Sorting lays the batches end to end, so that it holds every row twice.
	if err := b.memory.resize(2 * b.size); err != nil {
		return err
	}
	if limit := b.op.node.Limit; limit >= 0 && int64(b.rows) > cutAbove(limit) {
		return b.cut()
	}
	return nil
}

// cutAbove is how many rows to collect before leaving the first limit of them: enough that each row is sorted only a few times,
// even where every row comes before all that were collected earlier.
func cutAbove(limit int64) int64 {
	const atLeast = 4 << 10
	return max(atLeast, min(limit, 1<<40)*4)
}

func (b *sortBuffer) add(batch *Batch) {
	b.batches = append(b.batches, batch)
	b.rows += batch.Rows
	b.size += batchBytes(batch)
}

// cut leaves only the rows that come first.
func (b *sortBuffer) cut() error {
	joined, order, err := b.sorted()
	if err != nil {
		return err
	}
	if n := len(order); n > 0 {
		b.bound = newSortBound(joined.Columns[len(joined.Columns)-len(b.op.keys)], b.op.node.Keys[0], int(order[n-1]))
	}
	b.batches, b.rows, b.size = nil, 0, 0
	b.add(joined.take(order, all(len(joined.Columns))))
	return b.memory.resize(2 * b.size)
}

// absorb takes over another worker's rows.
func (b *sortBuffer) absorb(o *sortBuffer) {
	b.batches = append(b.batches, o.batches...)
	b.rows += o.rows
	b.size += o.size
	b.memory.held += o.memory.held
}

// sorted lays all rows end to end and gives the order in which they come, as far as the limit.
func (b *sortBuffer) sorted() (*Batch, []int32, error) {
	if b.rows == 0 {
		return &Batch{Columns: make([]arrow.Array, len(b.op.keys))}, nil, nil
	}
	joined, err := joinBatches(b.batches)
	if err != nil {
		return nil, nil, err
	}
	order := sortRows(joined.Columns[len(joined.Columns)-len(b.op.keys):], b.op.node.Keys, joined.Rows)
	if limit := b.op.node.Limit; limit >= 0 && limit < int64(len(order)) {
		order = order[:limit]
	}
	return joined, order, nil
}

// gather is the next rows in order.
func (r *sortReader) gather(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.order) == 0 {
		return nil, io.EOF
	}
	n := min(len(r.order), r.op.run.engine.options.BatchRows)
	out := r.sorted.take(r.order[:n], all(len(r.sorted.Columns)))
	r.order = r.order[n:]
	return out, nil
}

func (r *sortReader) close() {}
