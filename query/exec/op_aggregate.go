package exec

import (
	"context"
	"slices"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// aggregateOp groups its input. Every worker aggregates what it reads into tables of its own; the tables are merged once.
type aggregateOp struct {
	run    *run
	input  operator
	node   *plan.Aggregate
	groups []*kernel.Program
	calls  []aggregateCall
}

func (r *run) newAggregate(ctx context.Context, n *plan.Aggregate) (operator, error) {
	if split := splitDistinct(n); split != nil && r.canSpill() {
		n = split
	}
	groups, err := compileAll(n.Groups)
	if err != nil {
		return nil, err
	}
	op := &aggregateOp{run: r, node: n, groups: groups}
	exprs := append([]plan.Expr(nil), n.Groups...)
	width := len(n.Input.Columns())
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
	if n.Statistics {
		return &statisticsOp{operator: op, calls: below.settled}, nil
	}
	return op, nil
}

func (o *aggregateOp) width() int { return 1 }

func (o *aggregateOp) open() reader { return &aggregateReader{op: o} }

// aggregateReader aggregates at the first call of next and then hands out the outcome.
type aggregateReader struct {
	op     *aggregateOp
	output reader
}

func (r *aggregateReader) next(ctx context.Context) (*Batch, error) {
	if r.output == nil {
		var err error
		if r.output, err = r.op.compute(ctx); err != nil {
			return nil, err
		}
	}
	return r.output.next(ctx)
}

func (r *aggregateReader) close() {}

func (o *aggregateOp) compute(ctx context.Context) (reader, error) {
	partials, err := drain(ctx, o.input, o.newPartial)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(partials, func(p *partial) bool { return p.file != nil }) {
		whole, err := o.merge(ctx, partials)
		if whole != nil || err != nil {
			return &sliceReader{batch: whole, size: o.run.engine.options.BatchRows}, err
		}
	}
	return o.newSpilledReader(ctx, partials)
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
