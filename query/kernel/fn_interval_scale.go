package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerIntervalScaling(r registry) {
	r.strict("*(BIGINT, INTERVAL)", func(c *call) (arrow.Array, error) {
		swapped := *c
		swapped.args = []Operand{c.args[1], c.args[0]}
		return multiplyIntervals(&swapped)
	})
	r.strict("*(INTERVAL, DOUBLE PRECISION)", scaleIntervals(0, 1, "*"))
	r.strict("*(DOUBLE PRECISION, INTERVAL)", scaleIntervals(1, 0, "*"))
	r.strict("/(INTERVAL, DOUBLE PRECISION)", scaleIntervals(0, 1, "/"))
	r.strict("justify_hours(INTERVAL)", justify(true, false))
	r.strict("justify_days(INTERVAL)", justify(false, true))
	r.strict("justify_interval(INTERVAL)", justify(true, true))
}

// scaleIntervals multiplies and divides: what is left of a month goes into days of which it has 30, and what is left of a day into time.
func scaleIntervals(of, by int, symbol string) kernel {
	return func(c *call) (arrow.Array, error) {
		intervals, factors := fixed[arrow.MonthDayNanoInterval](c.args[of]), fixed[float64](c.args[by])
		return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
			x, factor := intervals.at(i), factors.at(i)
			scale := func(v float64) float64 { return v * factor }
			if symbol == "/" {
				if factor == 0 {
					return x, event.Errorf(event.CodeInvalidValue, "division by zero in %s / 0", event.FormatInterval(x))
				}
				scale = func(v float64) float64 { return v / factor }
			}
			out, ok := scaledInterval(x, scale)
			if !ok {
				return x, errIntervalRange(event.FormatInterval(x) + " " + symbol + " " + formatDouble(factor))
			}
			return out, nil
		})
	}
}

func scaledInterval(x arrow.MonthDayNanoInterval, scale func(float64) float64) (arrow.MonthDayNanoInterval, bool) {
	months := scale(float64(x.Months))
	wholeMonths, monthRest := math.Modf(months)
	// Rounded to microseconds of a day, so that a third of three months is a month.
	const perDay = 86_400e6
	fromMonths := math.Round(monthRest*daysPerMonth*perDay) / perDay
	wholeDays, dayRest := math.Modf(scale(float64(x.Days)))
	monthDays, monthDayRest := math.Modf(fromMonths)
	micros := math.Round(scale(float64(x.Nanoseconds/nanosPerMicro)) + (dayRest+monthDayRest)*perDay)
	return newInterval(
		func() (int64, bool) { return roundToInt64(wholeMonths) },
		func() (int64, bool) { return roundToInt64(wholeDays + monthDays) },
		func() (int64, bool) {
			n, ok := roundToInt64(micros)
			if !ok {
				return 0, false
			}
			return multiplyInt64(n, nanosPerMicro)
		})
}

// justify makes days of each 24 hours, and months of each 30 days, and then gives what it has touched the same sign.
func justify(hours, days bool) kernel {
	return func(c *call) (arrow.Array, error) {
		intervals := fixed[arrow.MonthDayNanoInterval](c.args[0])
		return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
			x := intervals.at(i)
			m, d, n := int64(x.Months), int64(x.Days), x.Nanoseconds
			if hours {
				d, n = d+n/nanosPerDay, n%nanosPerDay
			}
			if days {
				m, d = m+d/daysPerMonth, d%daysPerMonth
				rest := d
				if rest == 0 && hours {
					rest = n
				}
				m, d = borrow(m, d, rest, daysPerMonth)
			}
			if hours {
				d, n = borrow(d, n, n, nanosPerDay)
			}
			out, ok := newInterval(
				func() (int64, bool) { return m, true }, func() (int64, bool) { return d, true }, func() (int64, bool) { return n, true })
			if !ok {
				return x, errIntervalRange(event.FormatInterval(x))
			}
			return out, nil
		})
	}
}

// borrow moves one unit of the greater part to the lesser if the sign of what is below it differs.
func borrow(greater, lesser, sign, size int64) (int64, int64) {
	switch {
	case greater > 0 && sign < 0:
		return greater - 1, lesser + size
	case greater < 0 && sign > 0:
		return greater + 1, lesser - size
	default:
		return greater, lesser
	}
}
