package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerExtract(r registry) { r.strict("extract(TEXT, TIMESTAMPTZ)", extract) }

// extractions computes, for each field, its value in UTC, numbered as PostgreSQL does: weeks and their years by ISO 8601, the
// year before 1 is -1.
var extractions = map[string]func(micros int64) float64{
	"epoch":       func(micros int64) float64 { return float64(micros) / microsPerSecond },
	"microsecond": func(micros int64) float64 { return float64(withinMinute(micros)) },
	"millisecond": func(micros int64) float64 { return float64(withinMinute(micros)) / 1_000 },
	"second":      func(micros int64) float64 { return float64(withinMinute(micros)) / microsPerSecond },
	"minute":      func(micros int64) float64 { return float64(withinDay(micros) / (60 * microsPerSecond) % 60) },
	"hour":        func(micros int64) float64 { return float64(withinDay(micros) / (3_600 * microsPerSecond)) },
	"day":         func(micros int64) float64 { _, _, day := dateOf(micros); return float64(day) },
	"month":       func(micros int64) float64 { _, month, _ := dateOf(micros); return float64(month) },
	"quarter":     func(micros int64) float64 { _, month, _ := dateOf(micros); return float64((month + 2) / 3) },
	"year":        func(micros int64) float64 { year, _, _ := dateOf(micros); return float64(withoutYearZero(year)) },
	"decade":      func(micros int64) float64 { year, _, _ := dateOf(micros); return floorQuotient(year, 10) },
	"century":     func(micros int64) float64 { return yearsBy(micros, 100) },
	"millennium":  func(micros int64) float64 { return yearsBy(micros, 1_000) },
	"dow":         func(micros int64) float64 { return float64(isoWeekday(micros) % 7) },
	"isodow":      func(micros int64) float64 { return float64(isoWeekday(micros)) },
	"doy":         dayOfYear,
	"julian":      func(micros int64) float64 { return julianOfEpoch + float64(micros)/microsPerDay },
	"week":        func(micros int64) float64 { _, week := isoWeek(micros); return float64(week) },
	"isoyear":     func(micros int64) float64 { year, _ := isoWeek(micros); return float64(withoutYearZero(year)) },
	// how far the zone, which is UTC, lies from UTC
	"timezone": nought, "timezone_hour": nought, "timezone_minute": nought,
}

func nought(int64) float64 { return 0 }

// julianOfEpoch is the Julian day number of 1970-01-01, counted from midnight as PostgreSQL does.
const julianOfEpoch = 2_440_588

func extract(c *call) (arrow.Array, error) {
	fields, times := textsOf(c.args[0]), fixed[int64](c.args[1])
	if c.args[0].Const {
		value, err := extraction(fields.at(0))
		if err != nil {
			return nil, err
		}
		out := make([]float64, c.rows)
		for i := range out {
			out[i] = value(times.values[i&times.mask])
		}
		return event.NewFloat64s(out, c.valid), nil
	}
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		value, err := extraction(fields.at(i))
		if err != nil {
			return 0, err
		}
		return value(times.at(i)), nil
	})
}

func extraction(field string) (func(micros int64) float64, error) {
	if value, ok := extractions[normalUnit(field)]; ok {
		return value, nil
	}
	return nil, event.Errorf(event.CodeInvalidValue, "extract: unknown field %q", field).
		WithHint("one of epoch, microseconds, milliseconds, second, minute, hour, day, dow, isodow, doy, week, month, quarter, " +
			"year, isoyear, decade, century, millennium")
}

func dateOf(micros int64) (year, month, day int64) {
	days, _ := floorDivide(micros, microsPerDay)
	return date(days)
}

func withinDay(micros int64) int64 {
	_, rest := floorDivide(micros, microsPerDay)
	return rest
}

func withinMinute(micros int64) int64 {
	_, rest := floorDivide(micros, 60*microsPerSecond)
	return rest
}

// isoWeekday is 1 for Monday to 7 for Sunday.
func isoWeekday(micros int64) int64 {
	days, _ := floorDivide(micros, microsPerDay)
	_, sinceMonday := floorDivide(days+3, 7)
	return sinceMonday + 1
}

func dayOfYear(micros int64) float64 {
	days, _ := floorDivide(micros, microsPerDay)
	year, _, _ := date(days)
	return float64(days - dayNumber(year, 1, 1) + 1)
}

// isoWeek is the week of a time and the year that it belongs to: the one that its Thursday lies in.
func isoWeek(micros int64) (year, week int64) {
	days, _ := floorDivide(micros, microsPerDay)
	thursday := days - isoWeekday(micros) + 4
	year, _, _ = date(thursday)
	return year, (thursday-dayNumber(year, 1, 1))/7 + 1
}

// withoutYearZero renumbers years before 1, which the calendar knows as 0, -1 and so on.
func withoutYearZero(year int64) int64 {
	if year <= 0 {
		return year - 1
	}
	return year
}

func floorQuotient(n, divisor int64) float64 {
	quotient, _ := floorDivide(n, divisor)
	return float64(quotient)
}

// yearsBy numbers centuries and millennia. The first begins with the year 1; the one before it is -1, not 0.
func yearsBy(micros, width int64) float64 {
	year, _, _ := dateOf(micros)
	quotient, _ := floorDivide(year-1, width)
	return float64(withoutYearZero(quotient + 1))
}
