package event

import "strings"

// WrittenTimestamp reads what ParseTimestamp does, and besides the spellings in which programs write times in logs, mails and files, as far as they
// can only be read in one way:
//
//   - a year first with slashes, or without anything between its parts: 2026/03/01, 20260301T090000Z, 20260301090000
//   - a month by its name: 01/Mar/2026:09:00:00 +0000, Sun, 01 Mar 2026 09:00:00 GMT, Sun Mar  1 09:00:00 UTC 2026, Mar 1, 2026 9:00:00 AM
//   - a day first with dots: 01.03.2026 09:00
//   - a comma before the fraction, AM and PM, and numbers of one digit: 2026-03-01 9:00:00,123
//   - a zone behind the offset: +0000 UTC, [Europe/Berlin], and what Go says of its clock: m=+0.01
//   - /Date(1772355600000)/
//
// 03/01/2026 may be a day in January or in March, and is not read. Digits beyond microseconds are cut off, and no offset is UTC, as there.
func WrittenTimestamp(text string) (micros int64, ok bool) {
	if micros, ok = ParseTimestamp(text); ok {
		return micros, true
	}
	text = strings.TrimSpace(text)
	if len(text) < len("1 Mar 2026") || len(text) > len("Wednesday, 30 September 2026 23:59:59.999999999 +0000 +0000 m=+1234567890.123456789") {
		return 0, false
	}
	if inside, ok := strings.CutPrefix(text, "/Date("); ok {
		return dateOfNET(inside)
	}
	var t written
	text, ok = t.withoutZoneName(text)
	for ok && text != "" {
		var token string
		token, text, _ = strings.Cut(text, " ")
		text = strings.TrimLeft(text, " ")
		ok = t.take(strings.TrimSuffix(token, ","))
	}
	if !ok {
		return 0, false
	}
	return t.micros()
}

// AmbiguousDate reports whether a text begins with a date of which it cannot be told whether its day or its month comes first.
func AmbiguousDate(text string) bool {
	first, rest, ok := shortNumber(strings.TrimSpace(text))
	if !ok || rest == "" || rest[0] != '/' && rest[0] != '-' {
		return false
	}
	second, rest, ok := shortNumber(rest[1:])
	return ok && rest != "" && (rest[0] == '/' || rest[0] == '-') && first >= 1 && second >= 1 && min(first, second) <= 12 && max(first, second) <= 31
}

// written is what has been read of a time.
type written struct {
	year, month, day      int64
	clock, offset         int64 // microseconds, seconds
	half                  byte  // a or p
	weekday               bool
	hasClock, hasZone     bool
	zoneNamed, needOffset bool
}

// withoutZoneName takes the name of a zone in brackets off the end, which needs the offset before it unless it is UTC, and Go's monotonic clock.
func (t *written) withoutZoneName(text string) (string, bool) {
	if at := strings.Index(text, " m="); at > 0 {
		text = text[:at]
	}
	at := strings.IndexByte(text, '[')
	if at < 0 {
		return text, true
	}
	name := text[at+1:]
	t.needOffset = !strings.EqualFold(name, "UTC]") && !strings.EqualFold(name, "GMT]") && !strings.EqualFold(name, "Z]")
	return strings.TrimRight(text[:at], " "), strings.HasSuffix(name, "]")
}

// take reads a word of the text.
func (t *written) take(word string) bool {
	switch {
	case word == "":
		return true
	case word[0] == '+' || word[0] == '-':
		return t.zone(word)
	case !isDigit(word[0]):
		return t.name(word)
	case t.year == 0 && t.day == 0:
		if rest, ok := t.date(word); ok {
			return rest == "" || strings.IndexByte("Tt:_", rest[0]) >= 0 && t.time(rest[1:])
		}
		return t.number(word)
	case strings.IndexByte(word, ':') > 0:
		return t.time(word)
	default:
		return t.number(word)
	}
}

// date reads a date that is written as one word, and gives what follows it.
func (t *written) date(word string) (rest string, ok bool) {
	digits := 0
	for digits < len(word) && isDigit(word[digits]) {
		digits++
	}
	switch {
	case digits == 8 || digits == 14:
		t.year, t.month, t.day = number(word[:4]), number(word[4:6]), number(word[6:8])
		if rest = word[8:]; digits == 14 {
			rest = ":" + rest
		}
		return rest, true
	case digits == 4 && len(word) > 4 && (word[4] == '/' || word[4] == '-' || word[4] == '.'):
		var okMonth, okDay bool
		t.year = number(word[:4])
		if t.month, rest, okMonth = shortNumber(word[5:]); !okMonth || rest == "" || rest[0] != word[4] {
			return "", false
		}
		t.day, rest, okDay = shortNumber(rest[1:])
		return rest, okDay
	case digits >= 1 && digits <= 2 && len(word) > digits:
		return t.dayFirst(word[digits], number(word[:digits]), word[digits+1:])
	default:
		return "", false
	}
}

// dayFirst reads what follows a day: a month by its name, or by its number behind a dot, and a year of four digits.
func (t *written) dayFirst(separator byte, day int64, text string) (rest string, ok bool) {
	var month int64
	switch separator {
	case '.':
		month, rest, ok = shortNumber(text)
	case '/', '-':
		at := strings.IndexByte(text, separator)
		if at < 0 {
			return "", false
		}
		month, rest = monthNamed(text[:at]), text[at:]
		ok = month > 0
	}
	if !ok || len(rest) < len("/2026") || rest[0] != separator || strings.Trim(rest[1:5], "0123456789") != "" {
		return "", false
	}
	t.day, t.month, t.year = day, month, number(rest[1:5])
	return rest[5:], true
}

// number reads a day or a year that stands alone.
func (t *written) number(word string) bool {
	if len(word) > 4 || strings.Trim(word, "0123456789") != "" {
		return false
	}
	switch n := number(word); {
	case len(word) <= 2 && t.day == 0 && n > 0:
		t.day = n
		return true
	case len(word) == 4 && t.year == 0 && t.day > 0 && t.month > 0:
		t.year = n
		return true
	default:
		return false
	}
}

// name reads a word of letters: a month, a day of the week before the date, AM or PM, or UTC.
func (t *written) name(word string) bool {
	if month := monthNamed(word); month > 0 {
		if t.month > 0 {
			return false
		}
		t.month = month
		return true
	}
	switch strings.ToUpper(word) {
	case "AM", "PM":
		return t.halfDay(word)
	case "Z", "UTC", "GMT":
		if t.hasZone && t.offset != 0 || t.zoneNamed {
			return false
		}
		t.hasZone, t.zoneNamed = true, true
		return t.hasClock
	}
	if !t.weekday && t.day == 0 && t.year == 0 && isWeekday(word) {
		t.weekday = true
		return true
	}
	// Go writes the name of the zone behind its offset.
	named := t.hasZone && !t.zoneNamed && len(word) <= len("AEST.") && strings.ToUpper(word) == word
	t.zoneNamed = true
	return named
}

func (t *written) halfDay(word string) bool {
	if !t.hasClock || t.half != 0 {
		return false
	}
	t.half = word[0] | 0x20
	return true
}

// time reads a time of day, with what may follow it without a space.
func (t *written) time(word string) bool {
	if t.hasClock || len(word) < len("9:00") {
		return false
	}
	word = strings.Replace(word, ",", ".", 1)
	switch digits := len(word) - len(strings.TrimLeft(word, "0123456789")); digits {
	case len("1504"):
		word = word[:2] + ":" + word[2:]
	case len("150405"):
		word = word[:2] + ":" + word[2:4] + ":" + word[4:]
	}
	micros, rest, ok := parseClock(paddedClock(":" + word)[1:])
	if !ok {
		return false
	}
	t.clock, t.hasClock = micros, true
	switch {
	case rest == "":
		return true
	case strings.EqualFold(rest, "AM") || strings.EqualFold(rest, "PM"):
		return t.halfDay(rest)
	default:
		return t.zone(rest)
	}
}

// zone reads Z or an offset. Go writes the offset a second time where the zone has no name.
func (t *written) zone(word string) bool {
	offset, ok := parseZone(word)
	if !ok || !t.hasClock || t.zoneNamed || t.hasZone && t.offset != offset {
		return false
	}
	t.zoneNamed = t.hasZone
	t.offset, t.hasZone = offset, true
	return true
}

// micros is the time that was read, if it is whole.
func (t *written) micros() (int64, bool) {
	if t.year < 1 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > daysIn(t.year, t.month) || t.needOffset && !t.hasZone {
		return 0, false
	}
	const halfDay = microsPerDay / 2
	switch noon := t.clock >= halfDay; {
	case t.half != 0 && (t.clock < halfDay/12 || t.clock >= halfDay+halfDay/12):
		return 0, false // 0:30 AM, 13:00 PM
	case t.half == 'p' && !noon:
		t.clock += halfDay
	case t.half == 'a' && noon:
		t.clock -= halfDay
	}
	return daysFromCivil(t.year, t.month, t.day)*microsPerDay + t.clock - t.offset*microsPerSecond, true
}

// dateOfNET reads the rest of what .NET writes: milliseconds since 1970, and perhaps an offset, which says nothing of the moment.
func dateOfNET(text string) (micros int64, ok bool) {
	text, ok = strings.CutSuffix(text, ")/")
	digits := strings.TrimPrefix(text, "-")
	if at := strings.IndexAny(digits, "+-"); at > 0 && len(digits)-at == len("+0200") {
		digits = digits[:at]
	}
	if !ok || digits == "" || len(digits) > 14 || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if micros = number(digits) * 1000; text[0] == '-' {
		micros = -micros
	}
	return micros, true
}

// number is the value of a text of digits.
func number(digits string) (n int64) {
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	return n
}

// shortNumber reads a number of one or two digits, and gives what follows.
func shortNumber(text string) (n int64, rest string, ok bool) {
	digits := 0
	for digits < len(text) && digits < 3 && isDigit(text[digits]) {
		digits++
	}
	if digits == 0 || digits == 3 {
		return 0, "", false
	}
	return number(text[:digits]), text[digits:], true
}

const (
	monthNames = "january  february march    april    may      june     july     august   septemberoctober  november december "
	dayNames   = "monday   tuesday  wednesdaythursday friday   saturday sunday   "
	nameBytes  = len("september")
)

// monthNamed is a month by its English name or the first three letters of that; 0 is none.
func monthNamed(word string) int64 { return placeOf(word, monthNames) }

func isWeekday(word string) bool { return placeOf(word, dayNames) > 0 }

// placeOf is the place of a name, or of its first three letters, in a list; from 1.
func placeOf(word, names string) int64 {
	if len(word) < 3 || len(word) > nameBytes {
		return 0
	}
	for at := 0; at < len(names); at += nameBytes {
		name := strings.TrimRight(names[at:at+nameBytes], " ")
		if strings.EqualFold(word, name) || strings.EqualFold(word, name[:3]) || name == "september" && strings.EqualFold(word, "sept") {
			return int64(at/nameBytes) + 1
		}
	}
	return 0
}
