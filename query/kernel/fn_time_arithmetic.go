package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTimeArithmetic(r registry) {
	r.strict("+(TIMESTAMPTZ, INTERVAL)", shiftTimes(0, 1, false))
	r.strict("+(INTERVAL, TIMESTAMPTZ)", shiftTimes(1, 0, false))
	r.strict("-(TIMESTAMPTZ, INTERVAL)", shiftTimes(0, 1, true))
	r.strict("-(TIMESTAMPTZ, TIMESTAMPTZ)", subtractTimes)
	r.strict("to_timestamp(DOUBLE PRECISION)", fromEpoch)
}

// shiftTimes adds or subtracts an interval: first its months by the calendar, then its days of 24 hours, then the rest. at and
// by say which argument is the time and which the interval.
func shiftTimes(at, by int, back bool) kernel {
	return func(c *call) (arrow.Array, error) {
		times, intervals := fixed[int64](c.args[at]), fixed[arrow.MonthDayNanoInterval](c.args[by])
		return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
			out, ok := shift(times.at(i), intervals.at(i), back)
			if !ok {
				return 0, errTimeRange(times.at(i), intervals.at(i))
			}
			return out, nil
		})
	}
}

func shift(micros int64, by arrow.MonthDayNanoInterval, back bool) (int64, bool) {
	sign := int64(1)
	if back {
		sign = -1
	}
	ok := true
	if by.Months != 0 {
		micros, ok = addMonths(micros, sign*int64(by.Months))
	}
	if !ok {
		return 0, false
	}
	days, ok := multiplyInt64(int64(by.Days), microsPerDay)
	if !ok {
		return 0, false
	}
	rest, ok := addInt64(days, by.Nanoseconds/nanosPerMicro)
	if !ok {
		return 0, false
	}
	if back {
		return subtractInt64(micros, rest)
	}
	return addInt64(micros, rest)
}

func errTimeRange(micros int64, by arrow.MonthDayNanoInterval) error {
	return event.Errorf(event.CodeInvalidValue, "timestamp out of range: %s shifted by %s",
		event.FormatTimestamp(micros), event.FormatInterval(by))
}

// subtractTimes gives days and a rest of the same sign, never months.
func subtractTimes(c *call) (arrow.Array, error) {
	a, b := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		micros, ok := subtractInt64(a.at(i), b.at(i))
		if !ok {
			return arrow.MonthDayNanoInterval{}, event.Errorf(event.CodeInvalidValue, "interval out of range: %s - %s",
				event.FormatTimestamp(a.at(i)), event.FormatTimestamp(b.at(i)))
		}
		return arrow.MonthDayNanoInterval{Days: int32(micros / microsPerDay), Nanoseconds: micros % microsPerDay * nanosPerMicro}, nil
	})
}

// fromEpoch takes seconds since 1970, rounded to microseconds.
func fromEpoch(c *call) (arrow.Array, error) {
	seconds := fixed[float64](c.args[0])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		micros, ok := roundToInt64(seconds.at(i) * microsPerSecond)
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "timestamp out of range: to_timestamp(%s)", formatDouble(seconds.at(i)))
		}
		return micros, nil
	})
}
