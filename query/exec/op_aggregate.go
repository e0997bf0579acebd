package exec

import (
	"context"
	"fmt"

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

// aggregateCall is one compiled aggregation.
type aggregateCall struct {
	fn     *plan.Function
	args   []*kernel.Program
	filter *kernel.Program // nil without FILTER
	// reads names the columns that args read: those that have to be gathered for the rows that the filter keeps.
	reads []bool
}

func (r *run) newAggregate(ctx context.Context, n *plan.Aggregate) (operator, error) {
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
		exprs = append(exprs, a.Args...)
		if a.Filter != nil {
			exprs = append(exprs, a.Filter)
		}
	}
	if op.input, err = r.inputFor(ctx, n.Input, exprs...); err != nil {
		return nil, err
	}
	useBriefly(op.input)
	return op, nil
}

func compileCall(a plan.Aggregation, width int) (aggregateCall, error) {
	call := aggregateCall{fn: a.Fn, reads: make([]bool, width)}
	if _, ok := kernel.NewAccumulator(a.Fn); !ok {
		return call, fmt.Errorf("aggregate %s has no implementation", a.Fn.Signature())
	}
	plan.MarkColumns(call.reads, a.Args...)
	var err error
	if call.args, err = compileAll(a.Args); err != nil || a.Filter == nil {
		return call, err
	}
	call.filter, err = kernel.Compile(a.Filter)
	return call, err
}

func (o *aggregateOp) width() int { return 1 }

func (o *aggregateOp) open() reader { return &aggregateReader{op: o} }

// aggregateReader aggregates at the first call of next and then hands out the outcome.
type aggregateReader struct {
	op     *aggregateOp
	output *sliceReader
}

func (r *aggregateReader) next(ctx context.Context) (*Batch, error) {
	if r.output == nil {
		whole, err := r.op.compute(ctx)
		if err != nil {
			return nil, err
		}
		r.output = &sliceReader{batch: whole, size: r.op.run.engine.options.BatchRows}
	}
	return r.output.next(ctx)
}

func (r *aggregateReader) close() {}

func (o *aggregateOp) compute(ctx context.Context) (*Batch, error) {
	partials, err := drain(ctx, o.input, o.newPartial)
	if err != nil {
		return nil, err
	}
	total := partials[0]
	for _, p := range partials[1:] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := total.merge(p); err != nil {
			return nil, err
		}
	}
	return total.result()
}

// partial is what one worker has aggregated.
type partial struct {
	op           *aggregateOp
	table        *groupTable // nil without GROUP BY
	accumulators []kernel.Accumulator
	ids          []uint32 // scratch: the groups of a batch's rows
	keptIDs      []uint32 // scratch: those of the rows that a FILTER keeps
	kept         []int32  // scratch
	memory       reservation
}

func (o *aggregateOp) newPartial() *partial {
	p := &partial{op: o, memory: reservation{budget: o.run.budget, operator: "GROUP BY"}}
	if len(o.groups) > 0 {
		p.table = newGroupTable(o.node)
	}
	for _, call := range o.calls {
		accumulator, _ := kernel.NewAccumulator(call.fn)
		p.accumulators = append(p.accumulators, accumulator)
	}
	return p
}

// count is the number of groups so far. Without GROUP BY there is always one.
func (p *partial) count() int {
	if p.table == nil {
		return 1
	}
	return p.table.count()
}

func (p *partial) consume(batch *Batch) error {
	groups, err := p.assign(batch)
	if err != nil {
		return err
	}
	for i := range p.op.calls {
		if err := p.update(i, groups, batch); err != nil {
			return err
		}
	}
	return p.memory.resize(p.bytes())
}

// assign finds the group of each row.
func (p *partial) assign(batch *Batch) (kernel.Groups, error) {
	if p.table == nil {
		return kernel.Groups{Count: 1}, nil
	}
	keys, err := p.op.run.evalColumns(p.op.groups, batch)
	if err != nil {
		return kernel.Groups{}, err
	}
	p.ids = resized(p.ids, batch.Rows)
	p.table.assign(keys, p.ids)
	return kernel.Groups{IDs: p.ids, Count: p.table.count()}, nil
}

func (p *partial) update(i int, groups kernel.Groups, batch *Batch) error {
	call, r := &p.op.calls[i], p.op.run
	if call.filter != nil {
		condition, err := call.filter.Eval(r.kernel, batch.Columns, batch.Rows)
		if err != nil {
			return err
		}
		p.kept = kernel.True(condition, batch.Rows, p.kept[:0])
		if len(p.kept) < batch.Rows {
			groups.IDs = p.idsOfKept(groups.IDs)
			batch = batch.take(p.kept, call.reads)
		}
	}
	args := make([]kernel.Operand, len(call.args))
	for j, program := range call.args {
		var err error
		if args[j], err = program.Eval(r.kernel, batch.Columns, batch.Rows); err != nil {
			return err
		}
	}
	return p.accumulators[i].Update(groups, args, batch.Rows)
}

func (p *partial) idsOfKept(ids []uint32) []uint32 {
	if ids == nil {
		return nil
	}
	p.keptIDs = resized(p.keptIDs, len(p.kept))
	for i, row := range p.kept {
		p.keptIDs[i] = ids[row]
	}
	return p.keptIDs
}

// merge adds another worker's groups by looking their keys up as if they were rows.
func (p *partial) merge(o *partial) error {
	mapping := []uint32{0}
	if p.table != nil {
		mapping = make([]uint32, o.table.count())
		keys, err := o.table.keys()
		if err != nil {
			return err
		}
		p.table.assign(keys, mapping)
	}
	for i, a := range p.accumulators {
		if err := a.Merge(o.accumulators[i], mapping, p.count()); err != nil {
			return err
		}
	}
	o.memory.release()
	return p.memory.resize(p.bytes())
}

func (p *partial) bytes() int64 {
	var total int64
	if p.table != nil {
		total = p.table.bytes()
	}
	for _, a := range p.accumulators {
		total += a.Bytes()
	}
	return total
}

// result lays the groups' keys and the aggregates side by side.
func (p *partial) result() (*Batch, error) {
	out := &Batch{Rows: p.count()}
	if p.table != nil {
		keys, err := p.table.keys()
		if err != nil {
			return nil, err
		}
		out.Columns = keys
	}
	for _, a := range p.accumulators {
		column, err := a.Result(out.Rows)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, column)
	}
	return out, nil
}

// resized is a slice of n elements of unspecified content, in the same memory where it suffices.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
