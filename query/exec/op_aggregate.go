package exec

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// aggregateOp groups its input. Every worker aggregates what it reads into tables of its own; the tables are merged once, where there are
// very many groups, rows are divided before they are grouped.
type aggregateOp struct {
	run    *run
	input  operator
	node   *plan.Aggregate
	groups []*kernel.Program
	calls  []aggregateCall
	// buckets tells the scan which groups are wanted; nil where all are.
	buckets *bucketLead
	// spreads tells that workers may divide rows instead of grouping them, so that several readers work side by side: see spread.
	spreads bool

	once    sync.Once // computes outcome, or err
	outcome outcome
	err     error
}

func (r *run) newAggregate(ctx context.Context, n *plan.Aggregate) (operator, error) {
	if r.canSpill() {
		if split := cmp.Or(splitDistinct(n), splitDistincts(n)); split != nil {
			n = split
		}
	}
	groups, err := compileAll(n.Groups)
	if err != nil {
		return nil, err
	}
	op := &aggregateOp{run: r, node: n, groups: groups}
	exprs := append([]plan.Expr(nil), n.Groups...)
	width := plan.Width(n.Input)
	for _, a := range n.Aggregates {
		call, err := compileCall(a, width)
		if err != nil {
			return nil, err
		}
		op.calls = append(op.calls, call)
		exprs = append(exprs, a.Exprs()...)
	}
	below := *r
	if n.Statistics {
		below.settled = newKnownCalls(n.Aggregates) // its input is a scan
	}
	if op.input, err = below.inputFor(ctx, n.Input, exprs...); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(op.calls, func(c aggregateCall) bool { return c.collects() }) {
		useBriefly(op.input)
	}
	op.spreads = op.canSpread()
	if n.Statistics {
		return &statisticsOp{operator: op, calls: below.settled}, nil
	}
	return op, nil
}

// width is 1 where rows are not divided.
func (o *aggregateOp) width() int {
	if o.spreads {
		return o.input.width()
	}
	return 1
}

func (o *aggregateOp) open() reader { return &aggregateReader{op: o} }

// outcome is what an aggregate has computed, in pieces for all its readers.
type outcome interface {
	// reader gives one piece, and the table that it was made with, for the next call of the same goroutine to use again; io.EOF after the last.
	reader(ctx context.Context, before *groupTable) (reader, *groupTable, error)
}

// whole is an outcome in one piece.
type whole struct {
	output reader
	given  atomic.Bool
}

func (w *whole) reader(context.Context, *groupTable) (reader, *groupTable, error) {
	if w.given.Swap(true) {
		return nil, nil, io.EOF
	}
	return w.output, nil, nil
}

// aggregateReader aggregates at the first call of next, or waits for another reader that does, and then hands out pieces of the outcome.
type aggregateReader struct {
	op     *aggregateOp
	output reader // nil between pieces
	table  *groupTable
}

func (r *aggregateReader) next(ctx context.Context) (*Batch, error) {
	o := r.op
	o.once.Do(func() {
		o.err = guard(func() (err error) {
			o.outcome, err = o.compute(ctx)
			return err
		})
	})
	if o.err != nil {
		return nil, o.err
	}
	for {
		if r.output == nil {
			var err error
			if r.output, r.table, err = o.outcome.reader(ctx, r.table); err != nil {
				return nil, err
			}
		}
		batch, err := r.output.next(ctx)
		if !errors.Is(err, io.EOF) {
			return batch, err
		}
		r.output = nil
	}
}

func (r *aggregateReader) close() {}

func (o *aggregateOp) compute(ctx context.Context) (outcome, error) {
	partials, err := drain(ctx, o.input, o.newPartial)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(partials, func(p *partial) bool { return p.file != nil }) {
		parts, err := o.newMergedParts(ctx, partials)
		if parts != nil || err != nil {
			return parts, err
		}
	}
	for _, p := range partials {
		if err := p.gatherSpread(); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(partials, func(p *partial) bool { return p.file != nil }) {
		groups, err := o.merge(ctx, partials)
		if groups != nil || err != nil {
			return &whole{output: &sliceReader{batch: groups, size: o.run.engine.options.BatchRows}}, err
		}
	}
	spilled, err := o.newSpilledReader(ctx, partials)
	return &whole{output: spilled}, err
}

// merge brings the groups of all workers together. It gives nil where they have no room together and are to be spilled.
func (o *aggregateOp) merge(ctx context.Context, partials []*partial) (*Batch, error) {
	total := partials[0]
	for _, p := range partials[1:] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.run.canSpill() && !total.memory.fits(total.bytes()+p.bytes()) {
			return nil, nil
		}
		if err := total.merge(p); err != nil {
			return nil, err
		}
		for i, s := range p.sets {
			p.sets[i] = o.newGroupSet(s.columns) // what has been merged must not be spilled as well
		}
	}
	return total.result()
}

// resized is a slice of n elements of unspecified content, in the same memory where it suffices.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
