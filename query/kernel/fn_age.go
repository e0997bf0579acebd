package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// age is the time from the second argument to the first in years, months, days and the rest, as a person would count it: whole months
// first, then days, of which the month of the earlier time says how many it lends.
func age(c *call) (arrow.Array, error) {
	later, earlier := fixed[int64](c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		to, from, sign := later.at(i), earlier.at(i), int64(1)
		if to < from {
			to, from, sign = from, to, -1
		}
		fromYear, fromMonth, fromDay := dateOf(from)
		toYear, toMonth, toDay := dateOf(to)
		months, days, rest := (toYear-fromYear)*12+toMonth-fromMonth, toDay-fromDay, withinDay(to)-withinDay(from)
		if rest < 0 {
			rest, days = rest+microsPerDay, days-1
		}
		if days < 0 {
			number := fromYear*12 + fromMonth - 1
			days, months = days+monthStart(number+1)-monthStart(number), months-1
		}
		return arrow.MonthDayNanoInterval{
			Months: int32(sign * months), Days: int32(sign * days), Nanoseconds: sign * rest * nanosPerMicro,
		}, nil
	})
}

// intervalExtractions computes the fields of an interval, which are not carried over from one into another: an hour field may exceed 23.
var intervalExtractions = map[string]func(v arrow.MonthDayNanoInterval) float64{
	"epoch": func(v arrow.MonthDayNanoInterval) float64 {
		const daysPerYear, secondsPerDay = 365.25, 86_400
		years, months := float64(v.Months/12), float64(v.Months%12)
		return (years*daysPerYear+months*daysPerMonth+float64(v.Days))*secondsPerDay + float64(v.Nanoseconds)/1e9
	},
	"microsecond": func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Nanoseconds % 60e9 / nanosPerMicro) },
	"millisecond": func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Nanoseconds%60e9/nanosPerMicro) / 1_000 },
	"second": func(v arrow.MonthDayNanoInterval) float64 {
		return float64(v.Nanoseconds%60e9/nanosPerMicro) / microsPerSecond
	},
	"minute":     func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Nanoseconds / 60e9 % 60) },
	"hour":       func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Nanoseconds / 3600e9) },
	"day":        func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Days) },
	"month":      func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months % 12) },
	"quarter":    func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months%12/3 + 1) },
	"year":       func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months / 12) },
	"decade":     func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months / 120) },
	"century":    func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months / 1_200) },
	"millennium": func(v arrow.MonthDayNanoInterval) float64 { return float64(v.Months / 12_000) },
}

func extractFromInterval(c *call) (arrow.Array, error) {
	fields, values := textsOf(c.args[0]), fixed[arrow.MonthDayNanoInterval](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		value, ok := intervalExtractions[normalUnit(fields.at(i))]
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "extract: an interval has no field %q", fields.at(i))
		}
		return value(values.at(i)), nil
	})
}

func epochOfInterval(c *call) (arrow.Array, error) {
	values := fixed[arrow.MonthDayNanoInterval](c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) { return intervalExtractions["epoch"](values.at(i)), nil })
}
