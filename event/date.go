package event

import (
	"math"
	"strings"
	"time"
)

// ParseDate reads YYYY-MM-DD as days since 1970-01-01. Spaces around the text are ignored.
func ParseDate(text string) (days int32, ok bool) {
	s := strings.TrimSpace(text)
	if len(s) != len("2006-01-02") {
		return 0, false
	}
	found, ok := parseDate(s)
	return int32(found), ok
}

// FormatDate renders days since 1970-01-01 as YYYY-MM-DD.
func FormatDate(days int32) string { return string(AppendDate(nil, days)) }

// AppendDate appends what FormatDate renders.
func AppendDate(dst []byte, days int32) []byte {
	if micros, ok := infinityOfDay(days); ok {
		return append(dst, infinityText(micros)...)
	}
	return time.Unix(int64(days)*secondsPerDay, 0).UTC().AppendFormat(dst, time.DateOnly)
}

// DateOf is the day, counted since 1970-01-01, that a time in microseconds since then lies in. All microseconds fit.
func DateOf(micros int64) int32 {
	switch micros {
	case InfiniteFuture:
		return InfiniteFutureDay
	case InfinitePast:
		return InfinitePastDay
	}
	days := micros / microsPerDay
	if micros%microsPerDay < 0 {
		days--
	}
	return int32(days)
}

// DateStart is the time at which a day begins, in microseconds since 1970; ok is false where that does not fit. An infinite day begins at
// the infinite time.
func DateStart(days int32) (micros int64, ok bool) {
	if micros, ok = infinityOfDay(days); ok {
		return micros, true
	}
	if int64(days) > math.MaxInt64/microsPerDay || int64(days) < math.MinInt64/microsPerDay {
		return 0, false
	}
	return int64(days) * microsPerDay, true
}
