package exec

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowOp computes window functions. It collects its whole input and divides it into parts of whole partitions. Each reader takes one part
// after another, lays the rows of each partition side by side in order, and computes one call after another over all partitions of the part at
// once. An input that another window has laid out like that already is not sorted again. What has no room in memory is sorted on disk and
// computed stretch by stretch where the calls allow it (see windowStream), else divided by the partitions.
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
	// sorter sorts on disk what has no room; nil where some call cannot be computed in stretches.
	sorter *sortOp

	once sync.Once // reads the input, which sets one of these:
	err  error
	// parts is what has been read, or spilled, until a reader has it.
	parts   *windowParts
	spilled atomic.Pointer[handedReader]
}

// windowCall is one compiled call.
type windowCall struct {
	plan.WindowCall
	args   []*kernel.Program
	filter *kernel.Program // nil without FILTER
	reads  []bool          // the columns that args read
}

func (r *run) newWindow(ctx context.Context, n *plan.Window, used []bool) (operator, error) {
	width := plan.Width(n.Input)
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
	if op.sorter, err = op.newSorter(); err != nil {
		return nil, err
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

// width is more than one where there are partitions to compute side by side.
func (o *windowOp) width() int {
	if len(o.partition) == 0 {
		return 1
	}
	return o.run.engine.options.Workers
}

func (o *windowOp) open() reader {
	return &windowReader{op: o, memory: reservation{budget: o.run.budget, operator: "OVER"}}
}

// windowReader computes one part after another, of which other readers take some. What had to be spilled is one reader's.
type windowReader struct {
	op     *windowOp
	output reader // nil between two parts
	memory reservation
}

func (r *windowReader) next(ctx context.Context) (*Batch, error) {
	if err := r.op.collect(ctx); err != nil {
		return nil, err
	}
	for {
		if r.output == nil {
			var err error
			if r.output, err = r.nextPart(ctx); err != nil {
				return nil, err
			}
		}
		batch, err := r.output.next(ctx)
		if !errors.Is(err, io.EOF) {
			return batch, err
		}
		r.output = nil
		if r.op.parts != nil {
			r.op.parts.done(&r.memory)
		}
	}
}

func (r *windowReader) close() {}

func (r *windowReader) nextPart(ctx context.Context) (reader, error) {
	o := r.op
	if o.parts == nil {
		if spilled := o.spilled.Swap(nil); spilled != nil {
			return spilled.reader, nil
		}
		return nil, io.EOF
	}
	part, ok := o.parts.take()
	if !ok {
		return nil, io.EOF
	}
	batch, err := o.parts.compute(ctx, part, &r.memory)
	return &sliceReader{batch: batch, size: o.run.engine.options.BatchRows}, err
}

// collect reads the input once, for all readers.
func (o *windowOp) collect(ctx context.Context) error {
	o.once.Do(func() { o.err = o.readInput(ctx) })
	return o.err
}

func (o *windowOp) readInput(ctx context.Context) error {
	buffers, err := drain(ctx, o.input, o.newBuffer)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(buffers, (*windowBuffer).isSpilled) {
		spilled, err := o.readSpilled(ctx, buffers)
		o.spilled.Store(&handedReader{reader: spilled})
		return err
	}
	o.parts, err = o.newParts(ctx, buffers)
	return err
}

// handedReader gives what has been spilled; one reader of the operator has it.
type handedReader struct{ reader reader }

// readSpilled spills what workers still hold and makes the reader of all of it.
func (o *windowOp) readSpilled(ctx context.Context, buffers []*windowBuffer) (reader, error) {
	if o.sorter != nil {
		return o.newStream(ctx, buffers)
	}
	return o.newPartsReader(buffers)
}

// computePart computes all calls over the rows of a part.
func (o *windowOp) computePart(ctx context.Context, p *windowParts, part windowPart, memory *reservation) (*Batch, error) {
	count := int64(part.to - part.from)
	bytes := o.partBytes(p.whole, count)
	if err := p.lend(memory, bytes); err != nil {
		return nil, err
	}
	w, err := p.arrange(part)
	if err != nil {
		return nil, err
	}
	w.memory, w.base, w.least = memory, bytes-count*o.workBytes(), memory.held
	out := &Batch{Columns: make([]arrow.Array, plan.Width(o.node.Input)+len(o.calls)), Rows: w.count}
	width := len(w.columns)
	for i, column := range w.columns {
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
		if out.Columns[width+i], err = w.call(ctx, &o.calls[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// call computes one call over all rows.
func (w *windowRows) call(ctx context.Context, c *windowCall) (arrow.Array, error) {
	if err := w.hold(frameBytes * int64(w.count)); err != nil {
		return nil, err
	}
	out, err := w.compute(ctx, c)
	if err != nil {
		return nil, err
	}
	w.base += resultBytes * int64(w.count)
	return out, w.hold(0)
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
