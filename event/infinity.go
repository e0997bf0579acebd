package event

import (
	"math"
	"strings"
)

// InfiniteFuture is the time after all others, in microseconds, as PostgreSQL has it. Expressions know the infinite times; no row stores
// one.
const InfiniteFuture = math.MaxInt64

// InfinitePast is the time before all others.
const InfinitePast = math.MinInt64

// InfiniteFutureDay is the day after all others, counted in days.
const InfiniteFutureDay = math.MaxInt32

// InfinitePastDay is the day before all others.
const InfinitePastDay = math.MinInt32

const infiniteFutureText, infinitePastText = "infinity", "-infinity"

// infinities has the infinite time of each sign.
var infinities = map[int]int64{1: InfiniteFuture, -1: InfinitePast}

// parseInfinity reads what the infinite times are called and gives 1 or -1; 0 is another text.
func parseInfinity(text string) int {
	s := strings.TrimSpace(text)
	sign := 1
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if strings.EqualFold(s, "infinity") || strings.EqualFold(s, "inf") {
		return sign
	}
	return 0
}

// infinityText is what an infinite time is called; empty for any other.
func infinityText(micros int64) string {
	switch micros {
	case InfiniteFuture:
		return infiniteFutureText
	case InfinitePast:
		return infinitePastText
	default:
		return ""
	}
}

// infinityOfDay is the infinite time of an infinite day; ok is false for any other.
func infinityOfDay(days int32) (micros int64, ok bool) {
	switch days {
	case InfiniteFutureDay:
		return InfiniteFuture, true
	case InfinitePastDay:
		return InfinitePast, true
	default:
		return 0, false
	}
}
