package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// intervalUnit is how much of an interval a unit keeps: whole multiples of months, or all months and, of what is below a day, whole
// multiples of nanos. Days are kept with the units below them.
type intervalUnit struct {
	months int32
	nanos  int64
	days   bool
}

// intervalUnits are the units that an interval can be cut to. Weeks are none: days and months do not add up to them.
var intervalUnits = map[string]intervalUnit{
	"microsecond": {months: 1, days: true, nanos: nanosPerMicro},
	"millisecond": {months: 1, days: true, nanos: 1_000_000},
	"second":      {months: 1, days: true, nanos: nanosPerMicro * microsPerSecond},
	"minute":      {months: 1, days: true, nanos: 60 * nanosPerMicro * microsPerSecond},
	"hour":        {months: 1, days: true, nanos: 3_600 * nanosPerMicro * microsPerSecond},
	"day":         {months: 1, days: true},
	"month":       {months: 1},
	"quarter":     {months: 3},
	"year":        {months: 12},
	"decade":      {months: 120},
	"century":     {months: 1_200},
	"millennium":  {months: 12_000},
}

// dateTruncInterval cuts off what is smaller than a unit, towards nothing.
func dateTruncInterval(c *call) (arrow.Array, error) {
	names, values := textsOf(c.args[0]), fixed[arrow.MonthDayNanoInterval](c.args[1])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		unit, ok := intervalUnits[normalUnit(names.at(i))]
		if !ok {
			return arrow.MonthDayNanoInterval{}, event.Errorf(event.CodeInvalidValue, "date_trunc: unknown unit %q of an interval", names.at(i)).
				WithHint("one of microsecond, millisecond, second, minute, hour, day, month, quarter, year, decade, century, millennium")
		}
		in := values.at(i)
		out := arrow.MonthDayNanoInterval{Months: in.Months - in.Months%unit.months}
		if unit.days {
			out.Days = in.Days
		}
		if unit.nanos != 0 {
			out.Nanoseconds = in.Nanoseconds - in.Nanoseconds%unit.nanos
		}
		return out, nil
	})
}
