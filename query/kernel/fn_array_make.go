package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// maxSeriesValues bounds one series as an array, which is in memory as a whole.
const maxSeriesValues = 16 << 20

func registerArrayMaking(r arrayRegistry) {
	r.lax("array/e", func(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
		b := newListBuilder(rows, nil)
		for i := range rows {
			for k := range args {
				b.pick(k*rows + i)
			}
			b.end(false)
		}
		if len(args) == 0 {
			return event.NewLists(b.offsets, event.NewNulls(*f.Result.Elem, 0), nil), nil
		}
		values, err := Concat(args)
		if err != nil {
			return nil, err
		}
		return b.finish(values)
	})
	r.lax("array_fill/eI", arrayFill)
	r.strict("array_series/ii", func(*plan.Function) kernel { return numberSeries })
	r.strict("array_series/iii", func(*plan.Function) kernel { return numberSeries })
	r.strict("array_series/mmv", func(*plan.Function) kernel { return timeSeries })
}

// arrayFill repeats a value as often as the one dimension says.
func arrayFill(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	sizes := listsOf(Operand{Array: args[1]})
	counts := fixed[int64](Operand{Array: sizes.values})
	b := newListBuilder(rows, nil)
	for i := range rows {
		if args[1].IsNull(i) {
			b.end(true)
			continue
		}
		from, to := sizes.span(i)
		if to-from != 1 || sizes.values.IsNull(from) || counts.at(from) < 0 || counts.at(from) > maxSeriesValues {
			return nil, event.Errorf(event.CodeInvalidValue, "array_fill takes an array of one size, from 0 to %d", maxSeriesValues)
		}
		for range counts.at(from) {
			b.pick(i)
		}
		b.end(false)
	}
	return b.finish(args[0])
}

// numberSeries counts from one number to another, both included.
func numberSeries(c *call) (arrow.Array, error) {
	from, to := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return series(c, func(i int) (int64, int64, func(int64) (int64, bool, error), error) {
		step := int64(1)
		if len(c.args) == 3 {
			step = fixed[int64](c.args[2]).at(i)
		}
		if step == 0 {
			return 0, 0, nil, errNoSeriesStep()
		}
		next := func(v int64) (int64, bool, error) {
			after := v + step
			return after, (step > 0) == (after > v), nil
		}
		if (step > 0) != (from.at(i) <= to.at(i)) && from.at(i) != to.at(i) {
			next = nil // nothing lies in that direction
		}
		return from.at(i), to.at(i), next, nil
	}, event.NewInt64s)
}

// timeSeries steps from one time to another by the calendar.
func timeSeries(c *call) (arrow.Array, error) {
	from, to := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	steps := fixed[arrow.MonthDayNanoInterval](c.args[2])
	return series(c, func(i int) (int64, int64, func(int64) (int64, bool, error), error) {
		first, err := ShiftTime(from.at(i), steps.at(i))
		if err != nil {
			return 0, 0, nil, err
		}
		if first == from.at(i) {
			return 0, 0, nil, errNoSeriesStep()
		}
		up := first > from.at(i)
		next := func(v int64) (int64, bool, error) {
			after, err := ShiftTime(v, steps.at(i))
			return after, err == nil && after != v && (after > v) == up, err
		}
		if up != (from.at(i) <= to.at(i)) && from.at(i) != to.at(i) {
			next = nil
		}
		return from.at(i), to.at(i), next, nil
	}, event.NewTimestamps)
}

// series lists the values of each row; its next is nil for a row without any.
func series(c *call, bounds func(i int) (from, to int64, next func(int64) (int64, bool, error), err error),
	wrap func([]int64, event.Bitmap) arrow.Array) (arrow.Array, error) {
	var values []int64
	offsets := make([]int32, 1, c.rows+1)
	for i := range c.rows {
		if c.valid.Valid(i) {
			from, to, next, err := bounds(i)
			if err != nil {
				return nil, err
			}
			up := from <= to
			for v, more := from, next != nil; more && (v <= to) == up || v == to && more; {
				if values = append(values, v); len(values) > maxSeriesValues {
					return nil, event.Errorf(event.CodeTooLarge, "a series in the place of a value has more than %d values", maxSeriesValues).
						WithHint("call generate_series in FROM")
				}
				if v == to {
					break
				}
				if v, more, err = next(v); err != nil {
					return nil, err
				}
			}
		}
		offsets = append(offsets, int32(len(values)))
	}
	return event.NewLists(offsets, wrap(values, nil), c.valid), nil
}

func errNoSeriesStep() error {
	return event.Errorf(event.CodeInvalidValue, "the step of generate_series is nothing")
}
