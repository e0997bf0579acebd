package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// aggregate computes an aggregate over the frame of each row.
func (w *windowRows) aggregate(ctx context.Context, c *windowCall) (arrow.Array, error) {
	carried := w.stretch.of(c)
	if carried.whole != nil {
		return kernel.Take(carried.whole, make([]int32, w.count)), nil
	}
	pieces, err := w.frames(c.Frame)
	if err != nil {
		return nil, err
	}
	pieces, number := distinct(pieces)
	call := kernel.FrameCall{Fn: c.Fn, Rows: w.count, Pieces: pieces, Before: carried.state}
	for call.Before != nil && call.Continued < len(pieces[0].Low) && pieces[0].Low[call.Continued] == 0 {
		call.Continued++
	}
	columns := w.columns
	if c.filter != nil {
		if columns, err = w.narrow(&call, c); err != nil {
			return nil, err
		}
	}
	if call.Args, err = w.eval(c.args, columns, call.Rows); err != nil {
		return nil, err
	}
	call.Reserve = func(bytes int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.hold(frameBytes*int64(w.count) + bytes)
	}
	compute := kernel.AggregateFrames
	if c.Distinct {
		compute = func(call kernel.FrameCall) (arrow.Array, error) { return w.aggregateDistinct(call, c.Args) }
	}
	out, err := compute(call)
	if err != nil || number == nil {
		return out, err
	}
	return kernel.Take(out, number), nil
}

// narrow leaves only the rows that a call's filter keeps, and the frames' shares of them.
func (w *windowRows) narrow(call *kernel.FrameCall, c *windowCall) ([]arrow.Array, error) {
	condition, err := c.filter.Eval(w.run.kernel, w.columns, w.count)
	if err != nil {
		return nil, err
	}
	kept := kernel.True(condition, w.count, nil)
	call.Rows, call.Pieces = len(kept), sharesOf(call.Pieces, kept, w.count)
	whole := &Batch{Columns: w.columns, Rows: w.count}
	return whole.take(kept, c.reads).Columns, nil
}

// sharesOf are the frames over the rows that are kept of all that they speak of.
func sharesOf(frames []kernel.Frames, kept []int32, rows int) []kernel.Frames {
	before := make([]int32, rows+1)
	next := 0
	for i := range rows {
		before[i] = int32(next)
		if next < len(kept) && kept[next] == int32(i) {
			next++
		}
	}
	before[rows] = int32(next)
	out := make([]kernel.Frames, len(frames))
	for p, f := range frames {
		out[p] = kernel.Frames{Low: make([]int32, len(f.Low)), High: make([]int32, len(f.High))}
		for i := range f.Low {
			out[p].Low[i], out[p].High[i] = before[f.Low[i]], before[f.High[i]]
		}
	}
	return out
}
