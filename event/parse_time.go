package event

import "strings"

const (
	microsPerSecond = 1_000_000
	secondsPerDay   = 86_400
)

// ParseTimestamp reads a point in time as microseconds since 1970: a date as YYYY-MM-DD, optionally followed by T or a space and
// HH:MM[:SS[.fraction]], optionally followed by Z, UTC or an offset such as +02, +0200 or +02:00. Without an offset the time is in
// UTC, without a time it is midnight. Digits beyond microseconds are cut off, and second 60 is the start of the next minute.
// Spaces around the text are ignored. It is called for every event that comes in as text, so it allocates nothing.
func ParseTimestamp(text string) (micros int64, ok bool) {
	s := strings.TrimSpace(text)
	days, ok := parseDate(s)
	if !ok {
		return 0, false
	}
	s = s[len("2006-01-02"):]
	if s == "" {
		return days * secondsPerDay * microsPerSecond, true
	}
	if s[0] != 'T' && s[0] != ' ' && s[0] != 't' {
		return 0, false
	}
	clock, rest, ok := parseClock(s[1:])
	if !ok {
		return 0, false
	}
	offsetSeconds, ok := parseZone(rest)
	if !ok {
		return 0, false
	}
	return (days*secondsPerDay-offsetSeconds)*microsPerSecond + clock, true
}

// parseDate reads the YYYY-MM-DD that s begins with as days since 1970.
func parseDate(s string) (int64, bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, ok1 := twoDigits(s, 0)
	year, ok2 := twoDigits(s, 2)
	month, ok3 := twoDigits(s, 5)
	day, ok4 := twoDigits(s, 8)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, false
	}
	year += century * 100
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysFromCivil(year, month, day), true
}

// parseClock reads HH:MM[:SS[.fraction]] as microseconds since midnight and returns what follows.
func parseClock(s string) (micros int64, rest string, ok bool) {
	if len(s) < len("15:04") || s[2] != ':' {
		return 0, "", false
	}
	hour, ok1 := twoDigits(s, 0)
	minute, ok2 := twoDigits(s, 3)
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, "", false
	}
	micros = (hour*60 + minute) * 60 * microsPerSecond
	s = s[len("15:04"):]
	if len(s) == 0 || s[0] != ':' {
		return micros, s, true
	}
	if len(s) < len(":05") {
		return 0, "", false
	}
	second, ok := twoDigits(s, 1)
	if !ok || second > 60 {
		return 0, "", false
	}
	micros += second * microsPerSecond
	s = s[len(":05"):]
	if len(s) == 0 || s[0] != '.' {
		return micros, s, true
	}
	fraction, n := parseFraction(s[1:])
	return micros + fraction, s[1+n:], n > 0
}

// parseFraction reads the digits that s begins with as a decimal fraction of a second, in microseconds, and counts them.
func parseFraction(s string) (micros int64, n int) {
	scale := int64(microsPerSecond / 10)
	for n < len(s) && isDigit(s[n]) {
		micros += int64(s[n]-'0') * scale
		scale /= 10
		n++
	}
	return micros, n
}

// parseZone reads a time zone's offset east of UTC in seconds. The empty text is UTC.
func parseZone(s string) (seconds int64, ok bool) {
	s = strings.TrimLeft(s, " ")
	switch {
	case s == "" || s == "Z" || s == "z" || strings.EqualFold(s, "UTC") || strings.EqualFold(s, "GMT"):
		return 0, true
	case s[0] != '+' && s[0] != '-':
		return 0, false
	}
	negative := s[0] == '-'
	s = s[1:]
	for unit := int64(3600); ; unit /= 60 {
		n, ok := twoDigits(s, 0)
		if !ok || unit == 0 || n > 59 || (unit == 3600 && n > 23) {
			return 0, false
		}
		seconds += n * unit
		s = s[2:]
		if len(s) > 1 && s[0] == ':' {
			s = s[1:]
		}
		if s == "" {
			break
		}
	}
	if negative {
		seconds = -seconds
	}
	return seconds, true
}

// twoDigits reads s[i] and s[i+1] as a number.
func twoDigits(s string, i int) (int64, bool) {
	if len(s) < i+2 || !isDigit(s[i]) || !isDigit(s[i+1]) {
		return 0, false
	}
	return int64(s[i]-'0')*10 + int64(s[i+1]-'0'), true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// daysFromCivil counts days since 1970-01-01 in the proleptic Gregorian calendar, for years 0 to 9999. Years are taken to begin in
// March, so that the leap day is the last of the year, and are shifted by one 400-year era to stay positive.
func daysFromCivil(year, month, day int64) int64 {
	const daysPerEra = 146_097
	const epoch = 719_468 + daysPerEra // 0000-03-01 minus one era to 1970-01-01
	year += 400
	if month <= 2 {
		year--
		month += 12
	}
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return year*365 + year/4 - year/100 + year/400 + dayOfYear - epoch
}
