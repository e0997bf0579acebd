package exec

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowOp computes window functions. It collects its whole input, lays the rows of each partition side by side in order, and then
// computes one call after another over all partitions at once. An input that another window has laid out like that already is not
// sorted again.
type windowOp struct {
	run       *run
	input     operator
	node      *plan.Window
	partition []*kernel.Program
	keys      []*kernel.Program
	calls     []windowCall
	// kept are the input's columns that are read later; the arguments of calls are read from them too.
	kept, used []bool
	arranged   bool
}

// windowCall is one compiled call.
type windowCall struct {
	plan.WindowCall
	args   []*kernel.Program
	filter *kernel.Program // nil without FILTER
	reads  []bool          // the columns that args read
}

func (r *run) newWindow(ctx context.Context, n *plan.Window, used []bool) (operator, error) {
	width := len(n.Input.Columns())
	op := &windowOp{run: r, node: n, used: used, kept: append([]bool(nil), used[:width]...), arranged: isArranged(n)}
	var err error
	if op.partition, err = compileAll(n.Partition); err != nil {
		return nil, err
	}
	for _, k := range n.Order {
		key, err := kernel.Compile(k.Expr)
		if err != nil {
			return nil, err
		}
		op.keys = append(op.keys, key)
	}
	for i, c := range n.Calls {
		if !used[width+i] {
			op.calls = append(op.calls, windowCall{WindowCall: c})
			continue
		}
		call, err := compileWindowCall(c, width)
		if err != nil {
			return nil, err
		}
		op.calls = append(op.calls, call)
		plan.MarkColumns(op.kept, c.Exprs()...)
	}
	needed := append([]bool(nil), op.kept...)
	plan.MarkColumns(needed, n.Partition...)
	for _, k := range n.Order {
		plan.MarkColumns(needed, k.Expr)
	}
	op.input, err = r.build(ctx, n.Input, needed)
	return op, err
}

func compileWindowCall(c plan.WindowCall, width int) (windowCall, error) {
	call := windowCall{WindowCall: c, reads: make([]bool, width)}
	plan.MarkColumns(call.reads, c.Args...)
	var err error
	if call.args, err = compileAll(c.Args); err != nil || c.Filter == nil {
		return call, err
	}
	call.filter, err = kernel.Compile(c.Filter)
	return call, err
}

// isArranged reports whether the input is a window with the same partitions and an order that begins with this one.
func isArranged(n *plan.Window) bool {
	below, ok := n.Input.(*plan.Window)
	if !ok || len(below.Partition) != len(n.Partition) || len(below.Order) < len(n.Order) {
		return false
	}
	for i, e := range n.Partition {
		if !plan.Same(e, below.Partition[i]) {
			return false
		}
	}
	for i, k := range n.Order {
		b := below.Order[i]
		if k.Descending != b.Descending || k.NullsFirst != b.NullsFirst || !plan.Same(k.Expr, b.Expr) {
			return false
		}
	}
	return true
}

func (o *windowOp) width() int { return 1 }

func (o *windowOp) open() reader { return &windowReader{op: o} }

// windowReader computes at the first call of next and then hands out the outcome.
type windowReader struct {
	op     *windowOp
	output reader
}

func (r *windowReader) next(ctx context.Context) (*Batch, error) {
	if r.output == nil {
		var err error
		if r.output, err = r.op.compute(ctx); err != nil {
			return nil, err
		}
	}
	return r.output.next(ctx)
}

func (r *windowReader) close() {}

func (o *windowOp) compute(ctx context.Context) (reader, error) {
	buffers, err := drain(ctx, o.input, o.newBuffer)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(buffers, func(b *windowBuffer) bool { return b.divider != nil }) {
		return o.newPartsReader(buffers)
	}
	whole := buffers[0]
	for _, b := range buffers[1:] {
		whole.absorb(b)
	}
	out, err := o.computeOver(ctx, whole)
	return &sliceReader{batch: out, size: o.run.engine.options.BatchRows}, err
}

// computeOver computes all calls over rows that hold whole partitions.
func (o *windowOp) computeOver(ctx context.Context, whole *windowBuffer) (*Batch, error) {
	out := &Batch{Columns: make([]arrow.Array, len(o.node.Input.Columns())+len(o.calls)), Rows: whole.rows}
	if whole.rows == 0 {
		return out, nil
	}
	rows, err := whole.arrange(ctx)
	if err != nil {
		return nil, err
	}
	width := len(rows.columns)
	for i, column := range rows.columns {
		if o.used[i] {
			out.Columns[i] = column
		}
	}
	for i := range o.calls {
		if !o.used[width+i] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if out.Columns[width+i], err = rows.call(ctx, &o.calls[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// call computes one call over all rows.
func (w *windowRows) call(ctx context.Context, c *windowCall) (arrow.Array, error) {
	const (
		workBytes   = 64 // for each row: places, frames and outcome, of 4 to 16 bytes each
		resultBytes = 16
	)
	if err := w.memory.resize(w.base + workBytes*int64(w.count)); err != nil {
		return nil, err
	}
	out, err := w.compute(ctx, c)
	if err != nil {
		return nil, err
	}
	w.base += resultBytes * int64(w.count)
	return out, w.memory.resize(w.base)
}

func (w *windowRows) compute(ctx context.Context, c *windowCall) (arrow.Array, error) {
	if c.Fn.Aggregate {
		return w.aggregate(ctx, c)
	}
	args, err := w.eval(c.args, w.columns, w.count)
	if err != nil {
		return nil, err
	}
	switch c.Fn.Name {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist":
		return w.ranks(c.Fn.Name), nil
	case "ntile":
		return w.tiles(args[0])
	case "lag", "lead":
		return w.neighbours(c, args)
	case "first_value", "last_value", "nth_value":
		return w.fromFrame(c, args)
	case "session_start", "session_end":
		return w.sessions(c.Fn.Name, args)
	default:
		return nil, event.Errorf(event.CodeInternal, "window function %s has no implementation", c.Fn.Signature())
	}
}

func (w *windowRows) eval(programs []*kernel.Program, columns []arrow.Array, rows int) ([]kernel.Operand, error) {
	out := make([]kernel.Operand, len(programs))
	for i, program := range programs {
		var err error
		if out[i], err = program.Eval(w.run.kernel, columns, rows); err != nil {
			return nil, err
		}
	}
	return out, nil
}
