package exec

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// maxRecursionSteps ends a recursion that does not end by itself while every step gives few rows, so that memory does not end it.
const maxRecursionSteps = 1_000_000

// recursiveOp gives the rows of its base, then those of one step after another. A step is built anew each time, over the rows that
// the step before gave.
type recursiveOp struct {
	run  *run
	node *plan.Recursive
	base operator
	used []bool
}

// workTable is the rows that the step before gave.
type workTable struct{ batches []*Batch }

func (r *run) newRecursive(ctx context.Context, n *plan.Recursive) (operator, error) {
	o := &recursiveOp{run: r, node: n, used: all(plan.Width(n))}
	var err error
	o.base, err = r.build(ctx, n.Base, o.used)
	return o, err
}

func (o *recursiveOp) width() int { return 1 }

func (o *recursiveOp) open() reader {
	r := &recursiveReader{op: o, input: gather(o.base), memory: reservation{budget: o.run.budget, operator: "WITH RECURSIVE"}}
	if o.node.Distinct {
		var types []event.Type
		for _, c := range o.node.Columns() {
			types = append(types, c.Type)
		}
		r.seen = newGroupTable(types)
	}
	return r
}

type recursiveReader struct {
	op    *recursiveOp
	input reader // the base, then the step that is running
	// given are the rows of the running step so far, work those of the step before.
	given, work []*Batch
	seen        *groupTable // nil for UNION ALL
	steps       int
	memory      reservation
}

func (r *recursiveReader) next(ctx context.Context) (*Batch, error) {
	for {
		batch, err := r.input.next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			if err := r.step(ctx); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, err
		}
		if batch = r.unseen(batch); batch == nil {
			continue
		}
		r.given = append(r.given, batch)
		return batch, r.resize()
	}
}

// step begins the next step, or ends the recursion where the last one gave nothing.
func (r *recursiveReader) step(ctx context.Context) error {
	if len(r.given) == 0 {
		return io.EOF
	}
	if r.steps++; r.steps > maxRecursionSteps {
		return event.Errorf(event.CodeTooLarge, "WITH RECURSIVE has not ended after %d steps", maxRecursionSteps).
			WithHint("end it by a condition, or by UNION instead of UNION ALL where rows repeat")
	}
	r.input.close()
	r.input = nothing{}
	r.work, r.given = r.given, nil
	run := r.op.run
	inner := *run
	inner.works = map[int]*workTable{}
	for id, w := range run.works {
		inner.works[id] = w
	}
	inner.works[r.op.node.ID] = &workTable{batches: r.work}
	op, err := inner.build(ctx, r.op.node.Step, r.op.used)
	if err != nil {
		return err
	}
	r.input = gather(op)
	return r.resize()
}

// unseen is the rows of a batch that have not been given before; nil where there are none.
func (r *recursiveReader) unseen(batch *Batch) *Batch {
	if r.seen == nil {
		return batch
	}
	ids := make([]uint32, batch.Rows)
	known := uint32(r.seen.count())
	r.seen.assign(batch.Columns, ids)
	var rows []int32
	for i, id := range ids {
		if id == known { // groups are numbered in order of first appearance
			rows = append(rows, int32(i))
			known++
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return batch.take(rows, r.op.used)
}

func (r *recursiveReader) resize() error {
	var held int64
	for _, batches := range [][]*Batch{r.work, r.given} {
		for _, b := range batches {
			held += batchBytes(b)
		}
	}
	if r.seen != nil {
		held += r.seen.bytes()
	}
	return r.memory.resize(held)
}

func (r *recursiveReader) close() {
	r.input.close()
	r.memory.release()
}

// nothing is a reader without rows.
type nothing struct{}

func (nothing) next(context.Context) (*Batch, error) { return nil, io.EOF }
func (nothing) close()                               {}

// workTableOp gives the rows of a work table.
type workTableOp struct{ batches []*Batch }

func (r *run) newWorkTable(n *plan.WorkTable) (operator, error) {
	work, ok := r.works[n.ID]
	if !ok {
		return nil, event.Errorf(event.CodeInternal, "there is no work table #%d", n.ID)
	}
	return &workTableOp{batches: work.batches}, nil
}

func (o *workTableOp) width() int { return 1 }

func (o *workTableOp) open() reader { return &workTableReader{batches: o.batches} }

type workTableReader struct{ batches []*Batch }

func (r *workTableReader) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.batches) == 0 {
		return nil, io.EOF
	}
	out := r.batches[0]
	r.batches = r.batches[1:]
	return out.slice(0, out.Rows), nil
}

func (r *workTableReader) close() {}
