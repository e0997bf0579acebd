package kernel

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tidemarkdb/tidemark/event"
)

// layout is a pattern for times, cut into pieces.
type layout []layoutPiece

// layoutPiece is literal text, or a field.
type layoutPiece struct {
	literal string
	// field is nil for literal text.
	field *timeField
	// plain leaves out the zeros and blanks that fill the field up; style changes the letters of names.
	plain bool
	style func(string) string
}

// timeField is one field of a time, as text.
type timeField struct {
	// width is the number of digits, filled up with zeros; 0 for names.
	width int
	// value gives a number, name a word; one of them is set.
	value func(micros int64) int64
	name  func(micros int64) string
	// blanks is the width that a name is filled up to.
	blanks int
	// set puts a number that was read into its place; nil where the field cannot be read.
	set func(p *parsedTime, v int64)
	// words are the names that can be read, and stand for their index.
	words []string
	// digits is how many digits at most are read, if more than width; fraction reads digits behind a point.
	digits   int
	fraction bool
}

// parsedTime collects the fields that were read.
type parsedTime struct {
	year, month, day, hour, minute, micros int64
	afternoon, half                        bool
	dayOfYear, epoch                       int64
	hasEpoch                               bool
}

func extracted(field string) func(micros int64) int64 {
	value := extractions[field]
	return func(micros int64) int64 { return int64(value(micros)) }
}

func monthNameOf(micros int64) string {
	_, month, _ := dateOf(micros)
	return time.Month(month).String()
}

func abbreviated(name func(micros int64) string) func(micros int64) string {
	return func(micros int64) string { return name(micros)[:3] }
}

func namesOf(count int, name func(i int) string) []string {
	out := make([]string, count)
	for i := range out {
		out[i] = name(i)
	}
	return out
}

var (
	monthNames   = namesOf(12, func(i int) string { return time.Month(i + 1).String() })
	weekdayNames = namesOf(7, func(i int) string { return time.Weekday(i).String() })
)

func prefixes(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n[:3]
	}
	return out
}

func twelve(micros int64) int64 {
	if hour := extracted("hour")(micros) % 12; hour != 0 {
		return hour
	}
	return 12
}

func halfDay(micros int64) string {
	if extracted("hour")(micros) >= 12 {
		return "PM"
	}
	return "AM"
}

func halfDayDots(micros int64) string {
	half := halfDay(micros)
	return half[:1] + "." + half[1:] + "."
}

func setHalf(p *parsedTime, v int64) { p.half, p.afternoon = true, v == 1 }

func setTwoDigitYear(p *parsedTime, v int64) {
	const pivot = 70 // 70 to 99 are of the last century
	p.year = 2000 + v
	if v >= pivot {
		p.year = 1900 + v
	}
}

func microsOfSecond(micros int64) int64 { return withinMinute(micros) % microsPerSecond }

// The fields that patterns are made of.
var (
	fieldYear      = &timeField{width: 4, value: extracted("year"), set: func(p *parsedTime, v int64) { p.year = v }, digits: 6}
	fieldYear2     = &timeField{width: 2, value: func(t int64) int64 { return extracted("year")(t) % 100 }, set: setTwoDigitYear}
	fieldISOYear   = &timeField{width: 4, value: extracted("isoyear")}
	fieldMonth     = &timeField{width: 2, value: extracted("month"), set: func(p *parsedTime, v int64) { p.month = v }}
	fieldMonthName = &timeField{name: monthNameOf, blanks: 9, words: monthNames, set: func(p *parsedTime, v int64) { p.month = v + 1 }}
	fieldMonthAbbr = &timeField{name: abbreviated(monthNameOf), words: prefixes(monthNames), set: func(p *parsedTime, v int64) { p.month = v + 1 }}
	fieldDay       = &timeField{width: 2, value: extracted("day"), set: func(p *parsedTime, v int64) { p.day = v }}
	fieldDayOfYear = &timeField{width: 3, value: extracted("doy"), set: func(p *parsedTime, v int64) { p.dayOfYear = v }}
	fieldWeekday   = &timeField{
		name: func(t int64) string { return weekdayOf(t).String() }, blanks: 9, words: weekdayNames, set: func(*parsedTime, int64) {},
	}
	fieldWeekdayAbbr = &timeField{
		name: func(t int64) string { return weekdayOf(t).String()[:3] }, words: prefixes(weekdayNames), set: func(*parsedTime, int64) {},
	}
	fieldSundayFirst = &timeField{width: 1, value: func(t int64) int64 { return extracted("dow")(t) + 1 }}
	fieldDow         = &timeField{width: 1, value: extracted("dow")}
	fieldISODow      = &timeField{width: 1, value: extracted("isodow")}
	fieldISOWeek     = &timeField{width: 2, value: extracted("week")}
	fieldWeek        = &timeField{width: 2, value: func(t int64) int64 { return (extracted("doy")(t)-1)/7 + 1 }}
	fieldQuarter     = &timeField{width: 1, value: extracted("quarter")}
	fieldCentury     = &timeField{width: 2, value: extracted("century")}
	fieldHour        = &timeField{width: 2, value: extracted("hour"), set: func(p *parsedTime, v int64) { p.hour = v }}
	fieldHour12      = &timeField{width: 2, value: twelve, set: func(p *parsedTime, v int64) { p.hour, p.half = v, true }}
	fieldMinute      = &timeField{width: 2, value: extracted("minute"), set: func(p *parsedTime, v int64) { p.minute = v }}
	fieldSecond      = &timeField{
		width: 2, value: func(t int64) int64 { return withinMinute(t) / microsPerSecond },
		set: func(p *parsedTime, v int64) { p.micros += v * microsPerSecond },
	}
	fieldMillis = &timeField{
		width: 3, value: func(t int64) int64 { return microsOfSecond(t) / 1_000 }, fraction: true, set: func(p *parsedTime, v int64) { p.micros += v },
	}
	fieldMicros = &timeField{width: 6, value: microsOfSecond, fraction: true, set: func(p *parsedTime, v int64) { p.micros += v }}
	fieldNanos  = &timeField{
		width: 9, value: func(t int64) int64 { return microsOfSecond(t) * 1_000 }, fraction: true, set: func(p *parsedTime, v int64) { p.micros += v },
	}
	fieldHalf     = &timeField{name: halfDay, words: []string{"AM", "PM"}, set: setHalf}
	fieldHalfDots = &timeField{name: halfDayDots, words: []string{"A.M.", "P.M."}, set: setHalf}
	fieldZone     = &timeField{name: func(int64) string { return "UTC" }, words: []string{"UTC", "Z"}, set: func(*parsedTime, int64) {}}
	fieldShift    = &timeField{name: func(int64) string { return "+00" }, words: []string{"+0000", "+00:00", "+00", "Z"}, set: func(*parsedTime, int64) {}}
	fieldEpoch    = &timeField{
		width: 1, value: func(t int64) int64 { s, _ := floorDivide(t, microsPerSecond); return s }, digits: 18,
		set: func(p *parsedTime, v int64) { p.epoch, p.hasEpoch = v, true },
	}
	fieldSecondOfDay = &timeField{width: 5, value: func(t int64) int64 { return withinDay(t) / microsPerSecond }}
)

// appendTo writes a time by the pattern.
func (l layout) appendTo(dst []byte, micros int64) []byte {
	for _, p := range l {
		switch {
		case p.field == nil:
			dst = append(dst, p.literal...)
		case p.field.name != nil:
			name := p.field.name(micros)
			if p.style != nil {
				name = p.style(name)
			}
			dst = append(dst, name...)
			for n := len(name); n < p.field.blanks && !p.plain; n++ {
				dst = append(dst, ' ')
			}
		default:
			dst = appendNumber(dst, p.field.value(micros), p.field.width, p.plain)
		}
	}
	return dst
}

func appendNumber(dst []byte, v int64, width int, plain bool) []byte {
	if v < 0 {
		dst, v = append(dst, '-'), -v
	}
	digits := strconv.FormatInt(v, 10)
	for n := len(digits); n < width && !plain; n++ {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// parse reads a time by the pattern. Blanks in the pattern match any number of blanks.
func (l layout) parse(s string) (int64, bool) {
	p := parsedTime{year: 1970, month: 1, day: 1}
	for k, piece := range l {
		var ok bool
		if piece.field == nil {
			s, ok = skipLiteral(s, piece.literal)
		} else {
			next := k+1 < len(l) && l[k+1].field != nil
			s, ok = piece.field.read(&p, s, next)
		}
		if !ok {
			return 0, false
		}
	}
	if strings.TrimSpace(s) != "" {
		return 0, false
	}
	return p.time()
}

func skipLiteral(s, literal string) (string, bool) {
	for _, r := range literal {
		if unicode.IsSpace(r) {
			s = strings.TrimLeftFunc(s, unicode.IsSpace)
			continue
		}
		rest, ok := strings.CutPrefix(s, string(r))
		if !ok {
			return s, false
		}
		s = rest
	}
	return s, true
}

// read takes the field from the start of s. Where another field follows without anything between, a number has exactly its width.
func (f *timeField) read(p *parsedTime, s string, followed bool) (rest string, ok bool) {
	if f.set == nil {
		return s, false
	}
	if f.words != nil {
		for i, w := range f.words {
			if len(s) >= len(w) && strings.EqualFold(s[:len(w)], w) {
				f.set(p, int64(i))
				return s[len(w):], true
			}
		}
		return s, false
	}
	most := max(f.width, f.digits)
	if followed {
		most = f.width
	}
	n := 0
	for n < len(s) && n < most && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	v, err := strconv.ParseInt(s[:n], 10, 64)
	if err != nil {
		return s, false
	}
	if f.fraction {
		for k := n; k < 6; k++ {
			v *= 10
		}
		for k := n; k > 6; k-- {
			v /= 10
		}
	}
	f.set(p, v)
	return s[n:], true
}

// time is the moment that the fields name, in UTC.
func (p *parsedTime) time() (int64, bool) {
	if p.hasEpoch {
		micros, ok := multiplyInt64(p.epoch, microsPerSecond)
		return micros + p.micros, ok
	}
	if p.half {
		if p.hour < 1 || p.hour > 12 {
			return 0, false
		}
		p.hour %= 12
		if p.afternoon {
			p.hour += 12
		}
	}
	micros, ok := timeOf(p.year, p.month, p.day, p.hour, p.minute, 0)
	if !ok || p.micros >= 61*microsPerSecond {
		return 0, false
	}
	if p.dayOfYear > 0 {
		if p.dayOfYear > dayNumber(p.year+1, 1, 1)-dayNumber(p.year, 1, 1) {
			return 0, false
		}
		micros += (p.dayOfYear - 1) * microsPerDay
	}
	return addInt64(micros, p.micros)
}

func errTimePattern(function, text, pattern string) error {
	return event.Errorf(event.CodeInvalidValue, "%s: %q does not fit the pattern %q", function, text, pattern)
}
