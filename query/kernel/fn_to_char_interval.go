package kernel

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// intervalField gives a field of an interval as a number. Hours are not carried over into days, nor days into months.
type intervalField func(v arrow.MonthDayNanoInterval) int64

// intervalFields are the fields of patterns that an interval has.
var intervalFields = map[*timeField]intervalField{
	fieldYear:        func(v arrow.MonthDayNanoInterval) int64 { return int64(v.Months / 12) },
	fieldYear2:       func(v arrow.MonthDayNanoInterval) int64 { return int64(v.Months / 12 % 100) },
	fieldMonth:       func(v arrow.MonthDayNanoInterval) int64 { return int64(v.Months % 12) },
	fieldDay:         func(v arrow.MonthDayNanoInterval) int64 { return int64(v.Days) },
	fieldHour:        func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Hour) },
	fieldHour12:      twelveOf,
	fieldMinute:      func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Minute) % 60 },
	fieldSecond:      func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Second) % 60 },
	fieldMillis:      func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Millisecond) % 1_000 },
	fieldMicros:      func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Microsecond) % 1_000_000 },
	fieldSecondOfDay: func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds / int64(time.Second) },
}

// twelveOf is the hour as on a clock with twelve.
func twelveOf(v arrow.MonthDayNanoInterval) int64 {
	if hour := v.Nanoseconds / int64(time.Hour) % 12; hour != 0 {
		return hour
	}
	return 12
}

// writeIntervals is to_char of intervals.
func writeIntervals(c *call) (arrow.Array, error) {
	values, patterns := fixed[arrow.MonthDayNanoInterval](c.args[0]), textsOf(c.args[1])
	known := map[string]layout{}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		l, err := remembered(known, patterns.at(i), parseIntervalTemplate)
		if err != nil {
			return nil, err
		}
		for _, p := range l {
			if p.field == nil {
				dst = append(dst, p.literal...)
				continue
			}
			dst = appendNumber(dst, intervalFields[p.field](values.at(i)), p.field.width, p.plain)
		}
		return dst, nil
	})
}

// parseIntervalTemplate reads a pattern all of whose fields an interval has.
func parseIntervalTemplate(pattern string) (layout, error) {
	l, err := parseTemplate(pattern)
	if err != nil {
		return nil, err
	}
	for _, p := range l {
		if p.field != nil && intervalFields[p.field] == nil {
			return nil, event.Errorf(event.CodeInvalidValue, "the pattern %q asks for a field that intervals do not have", pattern).
				WithHint("there are YYYY, YY, MM, DD, HH24, HH12, MI, SS, MS, US and SSSS")
		}
	}
	return l, nil
}
