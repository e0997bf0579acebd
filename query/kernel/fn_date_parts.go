package kernel

import (
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerDateParts(r registry) {
	for name, field := range plan.DateParts {
		value := extractions[field]
		r.strict(name+"(TIMESTAMPTZ)", timeToInteger(func(micros int64) (int64, bool) { return int64(value(micros)), true }))
	}
	r.strict("epoch(TIMESTAMPTZ)", func(c *call) (arrow.Array, error) {
		times := fixed[int64](c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) { return extractions["epoch"](times.at(i)), nil })
	})
	r.strict("epoch_ms(TIMESTAMPTZ)", timeToInteger(func(micros int64) (int64, bool) {
		millis, _ := floorDivide(micros, 1_000)
		return millis, true
	}))
	r.strict("epoch_us(TIMESTAMPTZ)", timeToInteger(func(micros int64) (int64, bool) { return micros, true }))
	r.strict("epoch_ns(TIMESTAMPTZ)", timeToInteger(func(micros int64) (int64, bool) { return multiplyInt64(micros, 1_000) }))
	r.strict("dayname(TIMESTAMPTZ)", timeToText(func(dst []byte, micros int64) []byte { return append(dst, weekdayOf(micros).String()...) }))
	r.strict("monthname(TIMESTAMPTZ)", timeToText(func(dst []byte, micros int64) []byte {
		_, month, _ := dateOf(micros)
		return append(dst, time.Month(month).String()...)
	}))
	r.strict("last_day(TIMESTAMPTZ)", lastDay)
	r.strict("date_diff(TEXT, TIMESTAMPTZ, TIMESTAMPTZ)", dateDiff)
	r.strict("make_timestamptz(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE PRECISION)", makeTimestamp)
	r.strict("make_timestamptz(BIGINT, BIGINT, BIGINT, BIGINT, BIGINT, DOUBLE PRECISION, TEXT)", makeTimestamp)
}

func weekdayOf(micros int64) time.Weekday { return time.Weekday(isoWeekday(micros) % 7) }

func timeToInteger(f func(micros int64) (int64, bool)) kernel {
	return func(c *call) (arrow.Array, error) {
		times := fixed[int64](c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
			out, ok := f(times.at(i))
			if !ok {
				return 0, event.Errorf(event.CodeInvalidValue, "BIGINT overflow for %s", event.FormatTimestamp(times.at(i)))
			}
			return out, nil
		})
	}
}

func timeToText(f func(dst []byte, micros int64) []byte) kernel {
	return func(c *call) (arrow.Array, error) {
		times := fixed[int64](c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return f(dst, times.at(i)), nil })
	}
}

// lastDay is midnight of the last day of the month.
func lastDay(c *call) (arrow.Array, error) {
	times := fixed[int64](c.args[0])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		out, ok := fromDays(monthStart(monthNumber(times.at(i))+1)-1, 0)
		if !ok {
			return 0, errSpanRange(times.at(i))
		}
		return out, nil
	})
}

// dateDiff counts the boundaries of a unit that lie between two times.
func dateDiff(c *call) (arrow.Array, error) {
	units, from, to := textsOf(c.args[0]), fixed[int64](c.args[1]), fixed[int64](c.args[2])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		number, err := unitNumber(units.at(i))
		if err != nil {
			return 0, err
		}
		return number(to.at(i)) - number(from.at(i)), nil
	})
}

// unitNumber numbers the units of time that follow each other.
func unitNumber(unit string) (func(micros int64) int64, error) {
	every := func(width int64) func(int64) int64 {
		return func(micros int64) int64 {
			n, _ := floorDivide(micros, width)
			return n
		}
	}
	months := func(width int64) func(int64) int64 {
		return func(micros int64) int64 {
			n, _ := floorDivide(monthNumber(micros), width)
			return n
		}
	}
	switch normalUnit(unit) {
	case "microsecond":
		return func(micros int64) int64 { return micros }, nil
	case "millisecond":
		return every(1_000), nil
	case "second":
		return every(microsPerSecond), nil
	case "minute":
		return every(60 * microsPerSecond), nil
	case "hour":
		return every(3_600 * microsPerSecond), nil
	case "day":
		return every(microsPerDay), nil
	case "week":
		return func(micros int64) int64 {
			days, _ := floorDivide(micros, microsPerDay)
			weeks, _ := floorDivide(days+3, 7)
			return weeks
		}, nil
	case "month":
		return months(1), nil
	case "quarter":
		return months(3), nil
	case "year":
		return months(12), nil
	case "decade":
		return months(120), nil
	case "century":
		return months(1_200), nil
	default:
		return nil, event.Errorf(event.CodeInvalidValue, "date_diff: unknown unit %q", unit).
			WithHint("one of microsecond, millisecond, second, minute, hour, day, week, month, quarter, year, decade, century")
	}
}

// makeTimestamp takes year, month, day, hour, minute, second and perhaps the zone whose clocks show them.
func makeTimestamp(c *call) (arrow.Array, error) {
	var parts [5]column[int64]
	for k := range parts {
		parts[k] = fixed[int64](c.args[k])
	}
	seconds := fixed[float64](c.args[5])
	var names *zones
	if len(c.args) == 7 {
		names = zonesOf(c.args[6])
	}
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		micros, ok := timeOf(parts[0].at(i), parts[1].at(i), parts[2].at(i), parts[3].at(i), parts[4].at(i), seconds.at(i))
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "make_timestamptz: %d-%d-%d %d:%d:%s is no time", parts[0].at(i), parts[1].at(i),
				parts[2].at(i), parts[3].at(i), parts[4].at(i), formatDouble(seconds.at(i)))
		}
		if names == nil {
			return micros, nil
		}
		zone, err := names.at(i)
		if err != nil {
			return 0, err
		}
		return event.Moment(micros, zone), nil
	})
}

// timeOf is the time of a date and a clock, or false where there is none.
func timeOf(year, month, day, hour, minute int64, second float64) (int64, bool) {
	const lastYear = 290_000 // well within what 64 bits of microseconds reach
	if year < -lastYear || year > lastYear || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return 0, false
	}
	days := dayNumber(year, month, day)
	if _, found, _ := date(days); found != month || day > 31 || !(second >= 0 && second < 61) {
		return 0, false
	}
	return fromDays(days, (hour*60+minute)*60*microsPerSecond+int64(math.Round(second*microsPerSecond)))
}
