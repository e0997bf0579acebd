package event

import "strings"

// LooseTimestamp reads what ParseTimestamp does, and besides what people write in SQL: months, days, hours, minutes and seconds of one
// digit, slashes in the date, 20260301, AM and PM, 24:00 for the end of a day, and epoch for 1970. Events are read strictly, so that text
// which only looks like a time stays text.
func LooseTimestamp(text string) (micros int64, ok bool) {
	if micros, ok = ParseTimestamp(text); ok {
		return micros, true
	}
	if strings.EqualFold(strings.TrimSpace(text), "epoch") {
		return 0, true
	}
	if sign := parseInfinity(text); sign != 0 {
		return infinities[sign], true
	}
	if midnight, ok := endOfDay(text); ok {
		micros, ok = LooseTimestamp(midnight)
		return micros + microsPerDay, ok
	}
	half, text := cutHalf(text)
	micros, ok = ParseTimestamp(padded(text))
	switch {
	case !ok && half == 0:
		if micros, ok = WrittenTimestamp(text); ok {
			return micros, true
		}
		return zonedTimestamp(text)
	case !ok || half == 0:
		return micros, ok
	}
	hour := TimeOfDay(micros) / (3600 * microsPerSecond)
	switch {
	case hour < 1 || hour > 12:
		return 0, false
	case hour == 12 && half == 'a':
		micros -= 12 * 3600 * microsPerSecond
	case hour < 12 && half == 'p':
		micros += 12 * 3600 * microsPerSecond
	}
	return micros, true
}

// endOfDay writes the clock 24:00 as the 00:00 that the day began with.
func endOfDay(text string) (midnight string, ok bool) {
	i := strings.Index(text, "24:00")
	if i < 1 || strings.IndexByte("Tt ", text[i-1]) < 0 {
		return "", false
	}
	clock := "00" + text[i+len("24"):]
	micros, _, ok := parseClock(clock)
	return text[:i] + clock, ok && micros == 0
}

// WallTimestamp reads what LooseTimestamp does as what a clock shows, kept as if it stood in UTC: a zone or an offset behind it changes
// nothing, as in PostgreSQL for TIMESTAMP.
func WallTimestamp(text string) (micros int64, ok bool) {
	micros, ok = LooseTimestamp(text)
	clock := strings.IndexByte(text, ':')
	if !ok || clock < 0 {
		return micros, ok
	}
	text = strings.TrimSpace(text)
	if offset := strings.LastIndexAny(text, "+-"); offset > clock {
		seconds, known := parseZone(text[offset:])
		if !known { // of some other spelling
			return micros, true
		}
		return micros + seconds*microsPerSecond, true
	}
	if at := strings.LastIndexByte(text, ' '); at > clock {
		if wall, ok := LooseTimestamp(text[:at]); ok {
			if _, named := LoadZone(text[at+1:]); named {
				return wall, true
			}
		}
	}
	return micros, true
}

// cutHalf takes AM or PM off the end of a time and says by its first letter which it was; 0 is neither.
func cutHalf(text string) (half byte, rest string) {
	text = strings.TrimSpace(text)
	if len(text) < len("1 PM") || !strings.EqualFold(text[len(text)-1:], "m") {
		return 0, text
	}
	switch text[len(text)-2] {
	case 'a', 'A':
		half = 'a'
	case 'p', 'P':
		half = 'p'
	default:
		return 0, text
	}
	return half, strings.TrimSpace(text[:len(text)-2])
}

// LooseDate reads a day, or a time and leaves out all but its day, as loosely as LooseTimestamp.
func LooseDate(text string) (days int32, ok bool) {
	if days, ok = ParseDate(text); ok {
		return days, true
	}
	if midnight, ok := endOfDay(text); ok { // it is still the day that is written
		text = midnight
	}
	micros, ok := LooseTimestamp(text)
	return DateOf(micros), ok
}

// padded writes a time as ParseTimestamp reads it: dashes in the date, and a zero before numbers of one digit. Text of another shape comes
// back as it is.
func padded(text string) string {
	day, clock := strings.TrimSpace(text), ""
	if at := strings.IndexAny(day, " Tt"); at >= 0 {
		day, clock = day[:at], day[at:]
	}
	if len(day) == len("20060102") && strings.Trim(day, "0123456789") == "" {
		return day[:4] + "-" + day[4:6] + "-" + day[6:] + paddedClock(clock)
	}
	day = strings.ReplaceAll(day, "/", "-")
	year, rest, _ := strings.Cut(day, "-")
	month, rest, ok := strings.Cut(rest, "-")
	if !ok {
		return text
	}
	if len(month) == 1 {
		month = "0" + month
	}
	if len(rest) == 1 || len(rest) == 2 && !isDigit(rest[1]) {
		rest = "0" + rest
	}
	return year + "-" + month + "-" + rest + paddedClock(clock)
}

// paddedClock does the same for a time of day with the character before it, up to its seconds.
func paddedClock(clock string) string {
	if clock == "" {
		return ""
	}
	out, rest := clock[:1], clock[1:]
	if strings.Trim(rest, "0123456789") == "" && len(rest) == len("150405") {
		return out + rest[:2] + ":" + rest[2:4] + ":" + rest[4:]
	}
	for part := range 3 {
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 1 {
			out += "0"
		}
		out, rest = out+rest[:n], rest[n:]
		if part == 2 || rest == "" || rest[0] != ':' {
			break
		}
		out, rest = out+":", rest[1:]
	}
	return out + rest
}
