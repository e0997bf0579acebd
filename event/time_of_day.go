package event

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// microsPerDay is also the greatest TIME, 24:00:00, which PostgreSQL has for the end of a day.
const microsPerDay = secondsPerDay * microsPerSecond

// ParseTimeOfDay reads H:MM[:SS[.fraction]] with numbers of one or two digits, AM or PM behind it, or the time of day of a timestamp, as
// microseconds since midnight. A zone behind it says nothing.
func ParseTimeOfDay(text string) (micros int64, ok bool) {
	text = strings.TrimSpace(text)
	if text == "24:00" || text == "24:00:00" || strings.TrimRight(text, "0") == "24:00:00." {
		return microsPerDay, true
	}
	if len(text) > 1 && text[1] == ':' {
		text = "0" + text
	}
	if micros, rest, ok := parseClock(text); ok && rest == "" {
		return micros, micros < microsPerDay
	}
	if micros, ok = WallTimestamp(text); !ok {
		micros, ok = WallTimestamp("1970-01-01 " + text)
		ok = ok && micros < microsPerDay && text != ""
	}
	return TimeOfDay(micros), ok
}

// TimeOfDay is how far into its day in UTC a timestamp lies, in microseconds.
func TimeOfDay(micros int64) int64 { return ((micros % microsPerDay) + microsPerDay) % microsPerDay }

// FormatTimeOfDay renders microseconds since midnight as HH:MM:SS[.ffffff], without the zeros that would end the fraction.
func FormatTimeOfDay(micros int64) string { return string(AppendTimeOfDay(nil, micros)) }

// AppendTimeOfDay appends what FormatTimeOfDay renders.
func AppendTimeOfDay(dst []byte, micros int64) []byte {
	if micros >= microsPerDay {
		return append(dst, "24:00:00"...)
	}
	return time.UnixMicro(micros).UTC().AppendFormat(dst, "15:04:05.999999")
}

// NewTimes wraps microseconds since midnight as TIME.
func NewTimes(micros []int64, valid Bitmap) arrow.Array {
	return NewFixed(arrow.FixedWidthTypes.Time64us, micros, valid)
}
