package exec

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// maxBuckets bounds the buckets of one FILL: more than a chart or a person looks at, and computed within about a second.
const maxBuckets = 250_000

// fillOp completes a grouping by buckets of time. It reads all of its input first: the rows that are missing depend on all others.
type fillOp struct {
	run   *run
	input operator
	node  *plan.Fill
	next  *kernel.Program
}

func (r *run) newFill(ctx context.Context, n *plan.Fill) (operator, error) {
	next, err := kernel.Compile(n.Next)
	if err != nil {
		return nil, err
	}
	input, err := r.build(ctx, n.Input, all(plan.Width(n)))
	if err != nil {
		return nil, err
	}
	return &fillOp{run: r, input: input, node: n, next: next}, nil
}

func (o *fillOp) width() int { return 1 }

func (o *fillOp) open() reader {
	return &fillReader{op: o, memory: reservation{budget: o.run.budget, operator: "FILL"}}
}

// fillReader fills at the first call of next and then hands out the outcome.
type fillReader struct {
	op      *fillOp
	batches []*Batch
	size    int64
	memory  reservation
	output  *sliceReader
}

func (r *fillReader) next(ctx context.Context) (*Batch, error) {
	if r.output == nil {
		input := gather(r.op.input)
		defer input.close()
		if err := feed(ctx, input, r.collect); err != nil {
			return nil, err
		}
		whole, err := r.fill(ctx)
		if err != nil {
			return nil, err
		}
		r.output = &sliceReader{batch: whole, size: r.op.run.engine.options.BatchRows}
	}
	return r.output.next(ctx)
}

func (r *fillReader) close() {}

func (r *fillReader) collect(batch *Batch) error {
	r.batches = append(r.batches, batch)
	r.size += batchBytes(batch)
	return r.memory.resize(2 * r.size) // they are laid end to end
}

func (r *fillReader) fill(ctx context.Context) (*Batch, error) {
	n := r.op.node
	whole := &Batch{Columns: make([]arrow.Array, plan.Width(n))}
	for i, c := range n.Columns() {
		whole.Columns[i] = event.NewNulls(c.Type, 0)
	}
	if len(r.batches) > 0 {
		var err error
		if whole, err = joinBatches(r.batches); err != nil {
			return nil, err
		}
	}
	times, err := r.buckets(ctx, whole.Columns[n.Time])
	if err != nil {
		return nil, err
	}
	g := newFillGrid(n, whole, times)
	if cells := int64(len(times)) * int64(g.groups); cells > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "FILL would give more than %d rows", math.MaxInt32)
	} else if err := r.memory.resize(2*r.size + cells*int64(8+16*len(whole.Columns))); err != nil {
		return nil, err
	}
	return g.filled()
}

// buckets lists the buckets from the first to the last, and besides whatever bucket the input has: where clocks change, the width
// need not lead from one to the next.
func (r *fillReader) buckets(ctx context.Context, column arrow.Array) ([]int64, error) {
	low, high, ok := rangeOf(column)
	for _, bound := range []struct {
		expr plan.Expr
		at   *int64
	}{{r.op.node.Low, &low}, {r.op.node.High, &high}} {
		if bound.expr == nil {
			continue
		}
		value, err := r.op.run.constant(bound.expr)
		if err != nil {
			return nil, err
		}
		if isNull(value, 0) {
			return nil, nil // the condition of WHERE holds for no row
		}
		*bound.at = arrow.GetValues[int64](value.Data(), 1)[0]
	}
	if ok = ok || (r.op.node.Low != nil && r.op.node.High != nil); !ok {
		return nil, nil
	}
	var out []int64
	for at := low; at <= high; {
		out = append(out, at)
		if len(out) > maxBuckets {
			return nil, event.Errorf(event.CodeTooLarge, "FILL would give more than %d buckets", maxBuckets).
				WithHint("take wider buckets, or bound the time in WHERE more closely")
		}
		if len(out)%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := r.memory.resize(2*r.size + int64(16*len(out))); err != nil {
				return nil, err
			}
		}
		next, err := r.op.following(at)
		if err != nil {
			return nil, err
		}
		at = next
	}
	for i, t := range arrow.GetValues[int64](column.Data(), 1) {
		if column.IsValid(i) {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Clocks that are put back make a bucket longer by at most a day, in steps of a quarter of an hour.
const (
	clockStepMicros    = 15 * 60 * 1_000_000
	longestShiftMicros = 24 * 60 * 60 * 1_000_000
)

// following is the bucket behind one. Where clocks are put back, what lies a width behind the start of a bucket may still be in it.
func (o *fillOp) following(bucket int64) (int64, error) {
	for past := int64(0); past <= longestShiftMicros; past += clockStepMicros {
		if next, err := o.after(bucket + past); err != nil || next > bucket {
			return next, err
		}
	}
	return 0, event.Errorf(event.CodeInvalidValue, "FILL needs buckets that follow each other")
}

// after is the bucket that a time a width behind falls into.
func (o *fillOp) after(bucket int64) (int64, error) {
	column := []arrow.Array{event.NewTimestamps([]int64{bucket}, nil)}
	next, err := o.next.Eval(o.run.kernel, column, 1)
	if err != nil {
		return 0, err
	}
	return arrow.GetValues[int64](next.Array.Data(), 1)[0], nil
}

// rangeOf is the least and the greatest time; false where there is none.
func rangeOf(column arrow.Array) (low, high int64, ok bool) {
	for i, t := range arrow.GetValues[int64](column.Data(), 1) {
		switch {
		case column.IsNull(i):
		case !ok:
			low, high, ok = t, t, true
		default:
			low, high = min(low, t), max(high, t)
		}
	}
	return low, high, ok
}
