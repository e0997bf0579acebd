package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// assignOp gives each row once for each time window that it falls into.
type assignOp struct {
	operator // the input; width is the same
	run      *run
	time     *kernel.Program
	windows  *kernel.TimeWindows
	keep     []bool // the input's columns that are read later
}

func (r *run) newAssign(ctx context.Context, n *plan.Assign, used []bool) (operator, error) {
	time, err := kernel.Compile(n.Time)
	if err != nil {
		return nil, err
	}
	size := intervalOf(n.Size)
	step := size
	if n.Step != nil {
		step = intervalOf(n.Step)
	}
	windows, err := kernel.NewTimeWindows(step, size, n.Kind == plan.Cumulate)
	if err != nil {
		return nil, err
	}
	keep := used[:plan.Width(n.Input)]
	needed := append([]bool(nil), keep...)
	plan.MarkColumns(needed, n.Time)
	input, err := r.build(ctx, n.Input, needed)
	if err != nil {
		return nil, err
	}
	return &assignOp{operator: input, run: r, time: time, windows: windows, keep: keep}, nil
}

func intervalOf(l *plan.Literal) arrow.MonthDayNanoInterval {
	return l.Value.(*array.MonthDayNanoInterval).Value(0)
}

func (o *assignOp) open() reader { return &assignReader{reader: o.operator.open(), op: o} }

type assignReader struct {
	reader // the input
	op     *assignOp
	batch  *Batch // nil where all of it has been given
	times  arrow.Array
	row    int
}

func (r *assignReader) next(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.batch == nil {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
		}
		batch := r.batch
		assigned, err := r.assign()
		if err != nil {
			return nil, err
		}
		if len(assigned.Rows) == 0 {
			continue
		}
		out := batch.take(assigned.Rows, r.op.keep)
		out.Columns = append(out.Columns, event.NewTimestamps(assigned.Starts, nil), event.NewTimestamps(assigned.Ends, nil))
		return out, nil
	}
}

func (r *assignReader) load(ctx context.Context) error {
	batch, err := r.reader.next(ctx)
	if err != nil {
		return err
	}
	value, err := r.op.time.Eval(r.op.run.kernel, batch.Columns, batch.Rows)
	if err != nil {
		return err
	}
	r.batch, r.times, r.row = batch, value.Expand(batch.Rows), 0
	return nil
}

// assign finds the windows of the next rows, until there are about a batch of them.
func (r *assignReader) assign() (*kernel.Assigned, error) {
	out := &kernel.Assigned{}
	times, full := arrow.GetValues[int64](r.times.Data(), 1), r.op.run.engine.options.BatchRows
	for ; r.row < r.batch.Rows; r.row++ {
		if len(out.Rows) >= full {
			return out, nil
		}
		if isNull(r.times, r.row) {
			continue
		}
		if err := r.op.windows.Append(out, int32(r.row), times[r.row]); err != nil {
			return nil, err
		}
	}
	r.batch = nil
	return out, nil
}
