package exec

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// sortOp orders its input. Every worker collects a part and sorts it; the sorted runs are then merged. A part that has no room in
// memory is sorted and written to disk as a run, as often as it takes. With a limit each worker throws away, whenever it has
// collected some multiple of the limit, what cannot be among the first rows.
type sortOp struct {
	run     *run
	input   operator
	node    *plan.Sort
	columns int // of the input
	// keys compute the keys that are no column of the input; they are collected behind the input's columns.
	keys []*kernel.Program
	// keyAt says in which of the collected columns each key is.
	keyAt []int
	// lead tells the scan what it need not read; nil without a limit.
	lead *lead
}

func (r *run) newSort(ctx context.Context, n *plan.Sort) (operator, error) {
	op := &sortOp{run: r, node: n, columns: plan.Width(n.Input)}
	for _, k := range n.Keys {
		if c, ok := k.Expr.(*plan.ColumnRef); ok {
			op.keyAt = append(op.keyAt, c.Index)
			continue
		}
		key, err := kernel.Compile(k.Expr)
		if err != nil {
			return nil, err
		}
		op.keyAt = append(op.keyAt, op.columns+len(op.keys))
		op.keys = append(op.keys, key)
	}
	var err error
	if op.input, err = r.build(ctx, n.Input, all(op.columns)); err == nil && n.Limit >= 0 {
		op.lead = newLead(op.input, n.Keys, n.Limit)
	}
	return op, err
}

func (o *sortOp) width() int { return 1 }

func (o *sortOp) open() reader { return &sortReader{op: o} }

// sortReader sorts at the first call of next and then merges one batch of rows after another.
type sortReader struct {
	op     *sortOp
	merged *mergeReader
}

func (r *sortReader) next(ctx context.Context) (*Batch, error) {
	if r.merged == nil {
		runs, memory, err := r.op.sort(ctx)
		if err != nil {
			return nil, err
		}
		if r.merged, err = r.op.merge(ctx, runs, memory); err != nil {
			return nil, err
		}
	}
	batch, err := r.merged.next(ctx)
	if err != nil {
		return nil, err
	}
	return &Batch{Columns: batch.Columns[:r.op.columns], Rows: batch.Rows}, nil
}

func (r *sortReader) close() {}

// sort reads the input and makes its sorted runs, in the order in which equal rows come.
func (o *sortOp) sort(ctx context.Context) ([]sortedRun, *reservation, error) {
	buffers, err := drain(ctx, o.input, o.newBuffer)
	if err != nil {
		return nil, nil, err
	}
	finish := (*sortBuffer).finish
	if slices.ContainsFunc(buffers, func(b *sortBuffer) bool { return len(b.runs) > 0 }) {
		finish = (*sortBuffer).spill // the memory is needed for merging
	}
	workers, ctx := errgroup.WithContext(ctx)
	for _, b := range buffers {
		workers.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return guard(func() error { return finish(b) })
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, nil, err
	}
	memory := &reservation{budget: o.run.budget, operator: "ORDER BY"}
	var runs []sortedRun
	for _, b := range buffers {
		runs = append(runs, b.runs...)
		memory.held += b.memory.held
	}
	return runs, memory, nil
}

// keysOf picks the keys out of collected columns.
func (o *sortOp) keysOf(columns []arrow.Array) []arrow.Array {
	out := make([]arrow.Array, len(o.keyAt))
	for i, at := range o.keyAt {
		out[i] = columns[at]
	}
	return out
}

// sortBuffer is the rows that one worker has collected: the input's columns, followed by the keys that are computed.
type sortBuffer struct {
	op      *sortOp
	batches []*Batch
	rows    int
	size    int64
	bound   *sortBound // nil before the first cut
	memory  reservation
	runs    []sortedRun
	file    *spill.File // nil before the first run that was spilled
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
		if kept := b.bound.within(batch.Columns[b.op.keyAt[0]], batch.Rows); len(kept) < batch.Rows {
			batch = batch.take(kept, all(len(batch.Columns)))
		}
	}
	if limit := b.op.node.Limit; limit >= 0 && limit < int64(batch.Rows)/4 {
		first := firstOfBatch(b.op.keysOf(batch.Columns), b.op.node.Keys, batch.Rows, int(limit))
		b.leads(batch, first)
		batch = batch.take(first, all(len(batch.Columns)))
	}
	if batch.Rows > 0 {
		b.add(batch)
		b.leads(batch, sequence(batch.Rows))
	}
	if err := b.fit(); err != nil {
		return err
	}
	if b.full() {
		return b.cut()
	}
	return nil
}

// full says that only the first rows are to be left of what has been collected. Where a scan waits to be told what it need not read, that is as
// soon as there are enough, for the first time.
func (b *sortBuffer) full() bool {
	limit := b.op.node.Limit
	if b.op.lead != nil && b.bound == nil && limit > 0 && int64(b.rows) >= limit {
		return true
	}
	return limit >= 0 && int64(b.rows) > cutAbove(limit)
}

// leads tells the scan how far rows may still be wanted, if some rows of a batch are as many as the limit.
func (b *sortBuffer) leads(batch *Batch, rows []int32) {
	if limit := b.op.node.Limit; b.op.lead != nil && limit <= int64(len(rows)) {
		b.op.lead.reachLast(batch.Columns[b.op.keyAt[0]], rows, int(limit))
	}
}

// fit asks for the memory of what has been collected, and spills it where there is none. Sorting lays the batches end to end, so that it
// holds every row twice.
func (b *sortBuffer) fit() error {
	if !b.op.run.canSpill() {
		return b.memory.resize(2 * b.size)
	}
	if b.memory.fits(2 * b.size) {
		return nil
	}
	return b.spill()
}

// spill writes what has been collected as a sorted run.
func (b *sortBuffer) spill() error {
	if b.rows == 0 {
		return nil
	}
	run, err := b.sorted()
	if err != nil || len(run.order) == 0 {
		return err
	}
	if b.file == nil {
		if b.file, err = b.op.run.spillFile(); err != nil {
			return err
		}
	}
	written, err := b.op.run.writeRun(b.file, run)
	if err != nil {
		return err
	}
	b.runs = append(b.runs, sortedRun{chunks: written})
	b.batches, b.rows, b.size = nil, 0, 0
	return b.memory.resize(0)
}

// finish sorts what has been collected.
func (b *sortBuffer) finish() error {
	if b.rows == 0 {
		return nil
	}
	run, err := b.sorted()
	if err != nil {
		return err
	}
	b.batches = nil
	if len(run.order) > 0 {
		b.runs = append(b.runs, run)
	}
	return nil
}

// cutAbove is how many rows to collect before leaving the first limit of them: enough that each row is sorted only a few times,
// even where every row comes before all that were collected earlier.
func cutAbove(limit int64) int64 {
	const atLeast = 256
	return max(atLeast, min(limit, 1<<40)*4)
}

func (b *sortBuffer) add(batch *Batch) {
	b.batches = append(b.batches, batch)
	b.rows += batch.Rows
	b.size += batchBytes(batch)
}

// cut leaves only the rows that come first.
func (b *sortBuffer) cut() error {
	run, err := b.sorted()
	if err != nil {
		return err
	}
	if n := len(run.order); n > 0 {
		b.leads(run.batch, run.order)
		b.bound = newSortBound(run.batch.Columns[b.op.keyAt[0]], b.op.node.Keys[0], int(run.order[n-1]))
	}
	b.batches, b.rows, b.size = nil, 0, 0
	b.add(run.batch.take(run.order, all(len(run.batch.Columns))))
	return b.fit()
}

// sorted lays all rows end to end and gives the order in which they come, as far as the limit.
func (b *sortBuffer) sorted() (sortedRun, error) {
	joined, err := joinBatches(b.batches)
	if err != nil {
		return sortedRun{}, err
	}
	order, err := sortRows(b.op.run.kernel, b.op.keysOf(joined.Columns), b.op.node.Keys, joined.Rows)
	if err != nil {
		return sortedRun{}, err
	}
	if limit := b.op.node.Limit; limit >= 0 && limit < int64(len(order)) {
		order = order[:limit]
	}
	return sortedRun{batch: joined, order: order}, nil
}
