package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerIntervalArithmetic(r registry) {
	r.strict("+(INTERVAL, INTERVAL)", combineIntervals("+", addInt64))
	r.strict("-(INTERVAL, INTERVAL)", combineIntervals("-", subtractInt64))
	r.strict("*(INTERVAL, BIGINT)", multiplyIntervals)
	r.strict("-(INTERVAL)", negateIntervals)
}

// combineIntervals works on months, days and the rest each for itself.
func combineIntervals(symbol string, operation func(a, b int64) (int64, bool)) kernel {
	return func(c *call) (arrow.Array, error) {
		a, b := fixed[arrow.MonthDayNanoInterval](c.args[0]), fixed[arrow.MonthDayNanoInterval](c.args[1])
		return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
			x, y := a.at(i), b.at(i)
			out, ok := newInterval(
				func() (int64, bool) { return operation(int64(x.Months), int64(y.Months)) },
				func() (int64, bool) { return operation(int64(x.Days), int64(y.Days)) },
				func() (int64, bool) { return operation(x.Nanoseconds, y.Nanoseconds) })
			if !ok {
				return out, errIntervalRange(event.FormatInterval(x) + " " + symbol + " " + event.FormatInterval(y))
			}
			return out, nil
		})
	}
}

func multiplyIntervals(c *call) (arrow.Array, error) {
	a, b := fixed[arrow.MonthDayNanoInterval](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		x, n := a.at(i), b.at(i)
		out, ok := newInterval(
			func() (int64, bool) { return multiplyInt64(int64(x.Months), n) },
			func() (int64, bool) { return multiplyInt64(int64(x.Days), n) },
			func() (int64, bool) { return multiplyInt64(x.Nanoseconds, n) })
		if !ok {
			return out, event.Errorf(event.CodeInvalidValue, "interval out of range: %s * %d", event.FormatInterval(x), n)
		}
		return out, nil
	})
}

func negateIntervals(c *call) (arrow.Array, error) {
	a := fixed[arrow.MonthDayNanoInterval](c.args[0])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		x := a.at(i)
		if x.Months == math.MinInt32 || x.Days == math.MinInt32 || x.Nanoseconds == math.MinInt64 {
			return x, errIntervalRange("-(" + event.FormatInterval(x) + ")")
		}
		return arrow.MonthDayNanoInterval{Months: -x.Months, Days: -x.Days, Nanoseconds: -x.Nanoseconds}, nil
	})
}

// newInterval makes an interval of parts that may not fit.
func newInterval(months, days, nanos func() (int64, bool)) (arrow.MonthDayNanoInterval, bool) {
	m, mOK := months()
	d, dOK := days()
	n, nOK := nanos()
	out := arrow.MonthDayNanoInterval{Months: int32(m), Days: int32(d), Nanoseconds: n}
	return out, mOK && dOK && nOK && int64(out.Months) == m && int64(out.Days) == d
}

func errIntervalRange(what string) error {
	return event.Errorf(event.CodeInvalidValue, "interval out of range: %s", what)
}
