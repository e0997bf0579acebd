package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTimeOfDay(r registry) {
	r.strict("+(DATE, TIME)", dateAtTime(0, 1))
	r.strict("+(TIME, DATE)", dateAtTime(1, 0))
	r.strict("+(TIME, INTERVAL)", shiftTimesOfDay(0, 1, 1))
	r.strict("+(INTERVAL, TIME)", shiftTimesOfDay(1, 0, 1))
	r.strict("-(TIME, INTERVAL)", shiftTimesOfDay(0, 1, -1))
	r.strict("-(TIME, TIME)", subtractTimesOfDay)
	r.strict("extract(TEXT, TIME)", extractFromTime)
	r.strict("make_time(BIGINT, BIGINT, DOUBLE PRECISION)", makeTime)
	for _, field := range []string{"hour", "minute", "second"} {
		r.strict(field+"(TIME)", timeToInteger(func(micros int64) (int64, bool) { return int64(clockField(field)(micros)), true }))
	}
}

// dateAtTime is the time at which a day reaches a time of day. at and by say which argument is the date and which the time.
func dateAtTime(at, by int) kernel {
	return func(c *call) (arrow.Array, error) {
		dates, times := fixed[int32](c.args[at]), fixed[int64](c.args[by])
		return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
			start, ok := event.DateStart(dates.at(i))
			out, fits := addInt64(start, times.at(i))
			if !ok || !fits {
				return 0, event.Errorf(event.CodeInvalidValue, "timestamp out of range: %s at %s",
					event.FormatDate(dates.at(i)), event.FormatTimeOfDay(times.at(i)))
			}
			return out, nil
		})
	}
}

// shiftTimesOfDay goes round at midnight, so that months and days of the interval change nothing.
func shiftTimesOfDay(at, by int, sign int64) kernel {
	return func(c *call) (arrow.Array, error) {
		times, intervals := fixed[int64](c.args[at]), fixed[arrow.MonthDayNanoInterval](c.args[by])
		return mapFixed(c, c.result.Arrow(), func(i int) (int64, error) {
			rest := intervals.at(i).Nanoseconds / nanosPerMicro % microsPerDay
			return event.TimeOfDay(times.at(i) + sign*rest), nil
		})
	}
}

func subtractTimesOfDay(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		return arrow.MonthDayNanoInterval{Nanoseconds: (a.at(i) - b.at(i)) * nanosPerMicro}, nil
	})
}

// clockField computes a field of a time of day; nil for what only a date has. 24:00:00 has the hour 24.
func clockField(field string) func(micros int64) float64 {
	switch name := normalUnit(field); name {
	case "hour":
		return func(micros int64) float64 { return float64(micros / (3_600 * microsPerSecond)) }
	case "epoch", "minute", "second", "millisecond", "microsecond":
		return extractions[name]
	default:
		return nil
	}
}

func extractFromTime(c *call) (arrow.Array, error) {
	fields, times := textsOf(c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		value := clockField(fields.at(i))
		if value == nil {
			return 0, event.Errorf(event.CodeInvalidValue, "extract: TIME has no field %q", fields.at(i)).
				WithHint("one of hour, minute, second, milliseconds, microseconds, epoch")
		}
		return value(times.at(i)), nil
	})
}

// makeTime rounds seconds to microseconds.
func makeTime(c *call) (arrow.Array, error) {
	hours, minutes, seconds := fixed[int64](c.args[0]), fixed[int64](c.args[1]), fixed[float64](c.args[2])
	return mapFixed(c, c.result.Arrow(), func(i int) (int64, error) {
		hour, minute, second := hours.at(i), minutes.at(i), seconds.at(i)
		rest, ok := roundToInt64(second * microsPerSecond)
		if !ok || hour < 0 || hour > 24 || minute < 0 || minute > 59 || rest < 0 || rest > 60*microsPerSecond {
			return 0, errNoTime(hour, minute, second)
		}
		out := (hour*60+minute)*60*microsPerSecond + rest
		if out > microsPerDay {
			return 0, errNoTime(hour, minute, second)
		}
		return out, nil
	})
}

func errNoTime(hour, minute int64, second float64) error {
	return event.Errorf(event.CodeInvalidValue, "time out of range: make_time(%d, %d, %s)", hour, minute, formatDouble(second))
}
