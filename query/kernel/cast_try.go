package kernel

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// trying makes a cast that gives NULL for a value that cannot be converted. Rows are converted together; where that fails, each half is
// tried by itself, so that few bad values among many cost little.
func trying(f Func, to event.Type) Func {
	return func(ctx *Context, args []Operand, rows int) (Operand, error) {
		out, err := f(ctx, args, rows)
		var fault *event.Error
		switch {
		case err == nil || !errors.As(err, &fault):
			return out, err
		case args[0].Const:
			return null(to), nil
		}
		if d, ok := args[0].Array.(*array.Dictionary); ok && d.Dictionary().Len() > 0 && d.Dictionary().Len() <= rows {
			distinct, err := tryHalves(ctx, f, to, d.Dictionary())
			if err != nil {
				return Operand{}, err
			}
			return Operand{Array: throughCodes(Decode(distinct), d)}, nil
		}
		values, err := tryHalves(ctx, f, to, args[0].Array)
		return Operand{Array: values}, err
	}
}

// tryHalves converts values of which some cannot be.
func tryHalves(ctx *Context, f Func, to event.Type, values arrow.Array) (arrow.Array, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows := values.Len()
	out, err := f(ctx, []Operand{{Array: values}}, rows)
	var fault *event.Error
	switch {
	case err == nil:
		return Decode(out.Expand(rows)), nil
	case !errors.As(err, &fault):
		return nil, err
	case rows == 1:
		return event.NewNulls(to, 1), nil
	}
	left, err := tryHalves(ctx, f, to, array.NewSlice(values, 0, int64(rows/2)))
	if err != nil {
		return nil, err
	}
	right, err := tryHalves(ctx, f, to, array.NewSlice(values, int64(rows/2), int64(rows)))
	if err != nil {
		return nil, err
	}
	return Concat([]arrow.Array{left, right})
}
