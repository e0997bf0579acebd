package exec

import (
	"context"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// seriesOp counts from one value to another. It holds one batch of values at a time, however long the series is.
type seriesOp struct {
	run      *run
	from, to int64
	// next is the value after one, or an end: of the series where that has no further value, or an error.
	next  func(value int64) (after int64, more bool, err error)
	down  bool
	times bool
	empty bool
}

func (r *run) newSeries(n *plan.Series) (operator, error) {
	o := &seriesOp{run: r, times: n.From.Type().Kind == event.TimestampTZ}
	values := make([]arrow.Array, 3)
	for i, e := range []plan.Expr{n.From, n.To, n.Step} {
		var err error
		if values[i], err = r.constant(e); err != nil {
			return nil, err
		}
		o.empty = o.empty || values[i].DataType().ID() == arrow.NULL || values[i].IsNull(0)
	}
	if o.empty {
		return o, nil
	}
	o.from, o.to = arrow.GetValues[int64](values[0].Data(), 1)[0], arrow.GetValues[int64](values[1].Data(), 1)[0]
	var err error
	if o.times {
		err = o.byInterval(values[2].(*array.MonthDayNanoInterval).Value(0))
	} else {
		err = o.byNumber(values[2].(*array.Int64).Value(0))
	}
	return o, err
}

func (o *seriesOp) byNumber(step int64) error {
	if step == 0 {
		return errNoStep()
	}
	o.down = step < 0
	o.next = func(value int64) (int64, bool, error) {
		if (step > 0 && value > math.MaxInt64-step) || (step < 0 && value < math.MinInt64-step) {
			return 0, false, nil
		}
		return value + step, true, nil
	}
	return nil
}

// byInterval steps by the calendar, so that a step is as long as the month that it is in. The first step shows the direction.
func (o *seriesOp) byInterval(step arrow.MonthDayNanoInterval) error {
	first, err := kernel.ShiftTime(o.from, step)
	if err != nil {
		return err
	}
	if first == o.from {
		return errNoStep()
	}
	o.down = first < o.from
	o.next = func(value int64) (int64, bool, error) {
		after, err := kernel.ShiftTime(value, step)
		if err == nil && (after == value || (after < value) != o.down) {
			err = event.Errorf(event.CodeInvalidValue, "generate_series does not get on from %s by steps of %s",
				event.FormatTimestamp(value), event.FormatInterval(step))
		}
		return after, err == nil, err
	}
	return nil
}

func errNoStep() error {
	return event.Errorf(event.CodeInvalidValue, "the step of generate_series is nothing")
}

func (o *seriesOp) width() int { return 1 }

func (o *seriesOp) open() reader { return &seriesReader{op: o, at: o.from, more: !o.empty} }

type seriesReader struct {
	op   *seriesOp
	at   int64 // the next value, if there is one
	more bool
}

func (r *seriesReader) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := r.op
	var values []int64
	for r.more && len(values) < o.run.engine.options.BatchRows {
		if (!o.down && r.at > o.to) || (o.down && r.at < o.to) {
			r.more = false
			break
		}
		values = append(values, r.at)
		if r.at == o.to {
			r.more = false
			break
		}
		var err error
		if r.at, r.more, err = o.next(r.at); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, io.EOF
	}
	column := event.NewInt64s(values, nil)
	if o.times {
		column = event.NewTimestamps(values, nil)
	}
	return &Batch{Columns: []arrow.Array{column}, Rows: len(values)}, nil
}

func (r *seriesReader) close() {}
