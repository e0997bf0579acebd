package decode

import (
	"math"

	"github.com/tidemarkdb/tidemark/event"
)

// Below these magnitudes a number is a time in seconds, milliseconds and microseconds since 1970; above, in nanoseconds. Each unit
// so covers 1973 to 5138 at least (nanoseconds to 2262), and no present-day time is mistaken for another unit.
const (
	secondsBelow = 100_000_000_000             // 1e11
	millisBelow  = 100_000_000_000_000         // 1e14
	microsBelow  = 100_000_000_000_000_000     // 1e17
	nanosBelow   = 9_200_000_000_000_000_000.0 // about 2^63
)

// parseTime reads a time in any spelling that event.WrittenTimestamp knows. Those of cells and lines are none beyond the years 1 to 9999; readTime
// looks at that for texts of JSON.
func parseTime(text []byte) (int64, bool) { return event.WrittenTimestamp(unsafeText(text)) }

// parseCanonicalTime reads a time only if event.FormatTimestamp gives back the very text.
func parseCanonicalTime(text []byte) (int64, bool) {
	if len(text) != len("2006-01-02T15:04:05.000000Z") || text[10] != 'T' || text[17] == '6' || text[19] != '.' ||
		!isDigit(text[25]) || text[26] != 'Z' {
		return 0, false
	}
	return event.ParseTimestamp(unsafeText(text))
}

// epoch is a number as microseconds since 1970, in the unit that its magnitude suggests. What is finer is cut off towards the past.
func (n *number) epoch() (int64, bool) {
	f, ok := n.float()
	if !ok || math.Abs(f) >= nanosBelow {
		return 0, false
	}
	power := microsPower(n, f) + n.exponent
	if !n.fits || power > maxMantissaDigits || power < -maxMantissaDigits {
		return int64(math.Floor(f * math.Pow10(microsPower(n, f)))), true
	}
	micros := n.mantissa
	for ; power > 0; power-- {
		micros *= 10
	}
	divisor := uint64(1)
	for ; power < 0; power++ {
		divisor *= 10
	}
	quotient, rest := int64(micros/divisor), micros%divisor
	switch {
	case !n.negative:
		return quotient, true
	case rest > 0:
		return -quotient - 1, true
	default:
		return -quotient, true
	}
}

// parseEpoch reads a number that came as text, as loggers of which all values are texts write it. It must have as many digits before its point as
// present-day times have in one of the units: shorter and odd ones are more likely days and times of day without what separates their parts.
func parseEpoch(text []byte) (micros int64, ok bool) {
	digits := 0
	for digits < len(text) && isDigit(text[digits]) {
		digits++
	}
	if digits != 10 && digits != 13 && digits != 16 && digits != 19 {
		return 0, false
	}
	var s scanner
	if !s.isNumber(text) {
		return 0, false
	}
	return s.num.epoch()
}

// microsPower is the power of ten that turns the number into microseconds.
func microsPower(n *number, f float64) int {
	magnitude := uint64(math.Abs(f))
	if n.class == whole {
		magnitude = n.mantissa // float64 would round it up to a threshold
	}
	switch {
	case magnitude < secondsBelow:
		return 6
	case magnitude < millisBelow:
		return 3
	case magnitude < microsBelow:
		return 0
	default:
		return -3
	}
}

// readTime reads the time at i and returns the index behind it, or -1. Numbers count only if epochs may be meant; without anySpelling only
// what event.FormatTimestamp would give back does.
func (s *scanner) readTime(i int, epochs, anySpelling bool) (micros int64, end int) {
	ok := false
	switch first := s.text[i]; {
	case first == '"':
		var escaped bool
		if end, escaped = s.string(i); end < 0 {
			return 0, end
		}
		inside := s.text[i+1 : end-1]
		if escaped {
			inside = appendUnescaped(nil, inside)
		}
		if anySpelling {
			if micros, ok = parseTime(inside); !ok && epochs {
				micros, ok = parseEpoch(inside)
			}
		} else {
			micros, ok = parseCanonicalTime(inside)
		}
	case epochs && startsNumber(first):
		if end = s.number(i); end < 0 {
			return 0, end
		}
		micros, ok = s.num.epoch()
	}
	if !ok || !s.stored && !event.InCalendar(micros) {
		return 0, -1
	}
	return micros, end
}
