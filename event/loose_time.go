package event

import "strings"

// LooseTimestamp reads what ParseTimestamp does, and months, days and hours of one digit besides: people write them in SQL. Events
// are read strictly, so that text which only looks like a time stays text.
func LooseTimestamp(text string) (micros int64, ok bool) {
	if micros, ok = ParseTimestamp(text); ok {
		return micros, true
	}
	return ParseTimestamp(padded(text))
}

// LooseDate reads a day, or a time and leaves out all but its day, as loosely as LooseTimestamp.
func LooseDate(text string) (days int32, ok bool) {
	if days, ok = ParseDate(text); ok {
		return days, true
	}
	micros, ok := LooseTimestamp(text)
	return DateOf(micros), ok
}

// padded puts a zero before a month, a day and an hour of one digit. Text of another shape comes back as it is.
func padded(text string) string {
	day, clock := strings.TrimSpace(text), ""
	if at := strings.IndexAny(day, " Tt"); at >= 0 {
		day, clock = day[:at+1], day[at+1:]
	}
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
	if len(clock) > 1 && clock[1] == ':' {
		clock = "0" + clock
	}
	return year + "-" + month + "-" + rest + clock
}
