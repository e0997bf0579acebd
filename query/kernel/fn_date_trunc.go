package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerDateTrunc(r registry) {
	r.strict("date_trunc(TEXT, TIMESTAMPTZ)", dateTrunc)
	r.strict("date_trunc(TEXT, INTERVAL)", dateTruncInterval)
}

// truncations finds, for each unit, the span that a time falls into.
var truncations = map[string]func(micros int64) (span, bool){
	"microsecond": truncateTo(1),
	"millisecond": truncateTo(1_000),
	"second":      truncateTo(microsPerSecond),
	"minute":      truncateTo(60 * microsPerSecond),
	"hour":        truncateTo(3_600 * microsPerSecond),
	"day":         truncateTo(microsPerDay),
	"week":        truncateToWeek,
	"month":       truncateToMonths(1),
	"quarter":     truncateToMonths(3),
	"year":        truncateToYears(1, 0),
	"decade":      truncateToYears(10, 0),
	"century":     truncateToYears(100, 1),
	"millennium":  truncateToYears(1_000, 1),
}

func truncateTo(width int64) func(micros int64) (span, bool) {
	return func(micros int64) (span, bool) {
		_, into := floorDivide(micros, width)
		start, ok := subtractInt64(micros, into)
		return spanOf(start, width), ok
	}
}

// truncateToWeek goes to Monday; 1970-01-01 was a Thursday.
func truncateToWeek(micros int64) (span, bool) {
	days, _ := floorDivide(micros, microsPerDay)
	_, sinceMonday := floorDivide(days+3, 7)
	return daySpan(days-sinceMonday, days-sinceMonday+7)
}

func truncateToMonths(width int64) func(micros int64) (span, bool) {
	return func(micros int64) (span, bool) {
		month := monthNumber(micros)
		_, into := floorDivide(month, width)
		return daySpan(monthStart(month-into), monthStart(month-into+width))
	}
}

// truncateToYears goes to a year that is a multiple of width, plus first: centuries begin with the year 1, decades with 0.
func truncateToYears(width, first int64) func(micros int64) (span, bool) {
	return func(micros int64) (span, bool) {
		year, _ := floorDivide(monthNumber(micros), 12)
		_, into := floorDivide(year-first, width)
		return daySpan(dayNumber(year-into, 1, 1), dayNumber(year-into+width, 1, 1))
	}
}

func dateTrunc(c *call) (arrow.Array, error) {
	units, times := textsOf(c.args[0]), fixed[int64](c.args[1])
	if c.args[0].Const {
		find, err := truncation(units.at(0))
		if err != nil {
			return nil, err
		}
		return floorToSpans(c, times, find)
	}
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		find, err := truncation(units.at(i))
		if err != nil {
			return 0, err
		}
		found, ok := find(times.at(i))
		if !ok {
			return 0, errSpanRange(times.at(i))
		}
		return found.start, nil
	})
}

func truncation(unit string) (func(micros int64) (span, bool), error) {
	if find, ok := truncations[normalUnit(unit)]; ok {
		return find, nil
	}
	return nil, event.Errorf(event.CodeInvalidValue, "date_trunc: unknown unit %q", unit).
		WithHint("one of microsecond, millisecond, second, minute, hour, day, week, month, quarter, year, decade, century, millennium")
}

// normalUnit brings a unit of time to lower case and the singular.
func normalUnit(unit string) string {
	unit = strings.ToLower(strings.TrimSpace(unit))
	switch unit {
	case "centuries":
		return "century"
	case "millennia":
		return "millennium"
	}
	return strings.TrimSuffix(unit, "s")
}
