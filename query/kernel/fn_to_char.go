package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTimeText(r registry) {
	r["to_char(TIMESTAMPTZ, TEXT)"] = timeTextImplementation(parseTemplate)
	r.strict("to_char(INTERVAL, TEXT)", writeIntervals)
	r["strftime(TIMESTAMPTZ, TEXT)"] = timeTextImplementation(parsePercents)
	r.strict("to_timestamp(TEXT, TEXT)", readTimes("to_timestamp", parseTemplate))
	r.strict("strptime(TEXT, TEXT)", readTimes("strptime", parsePercents))
}

// timeTextImplementation reads a constant pattern once per query.
func timeTextImplementation(parse func(pattern string) (layout, error)) implementation {
	return implementation{
		strict: func(c *call) (arrow.Array, error) {
			patterns := textsOf(c.args[1])
			known := map[string]layout{}
			return writeTimes(c, func(i int) (layout, error) { return remembered(known, patterns.at(i), parse) })
		},
		prepare: func(constants []arrow.Array) (kernel, error) {
			if constants[1] == nil {
				return nil, nil
			}
			pattern := textsOf(Operand{Array: constants[1], Const: true})
			l, err := parse(pattern.at(0))
			if err != nil {
				return nil, err
			}
			return func(c *call) (arrow.Array, error) {
				return writeTimes(c, func(int) (layout, error) { return l, nil })
			}, nil
		},
	}
}

// remembered keeps the patterns of one batch.
func remembered(known map[string]layout, pattern string, parse func(pattern string) (layout, error)) (layout, error) {
	if l, ok := known[pattern]; ok {
		return l, nil
	}
	l, err := parse(pattern)
	if err == nil && len(known) < maxRegexes {
		known[pattern] = l
	}
	return l, err
}

func writeTimes(c *call, find func(i int) (layout, error)) (arrow.Array, error) {
	times := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		l, err := find(i)
		if err != nil {
			return nil, err
		}
		return l.appendTo(dst, times.at(i)), nil
	})
}

func readTimes(name string, parse func(pattern string) (layout, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		values, patterns := textsOf(c.args[0]), textsOf(c.args[1])
		known := map[string]layout{}
		return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
			l, err := remembered(known, patterns.at(i), parse)
			if err != nil {
				return 0, err
			}
			micros, ok := l.parse(values.at(i))
			if !ok {
				return 0, errTimePattern(name, values.at(i), patterns.at(i))
			}
			return micros, nil
		})
	}
}

// templates are PostgreSQL's patterns, those that begin like others first.
var templates = []struct {
	text  string
	field *timeField
	style func(string) string
}{
	{"YYYY", fieldYear, nil}, {"YY", fieldYear2, nil}, {"IYYY", fieldISOYear, nil},
	{"MONTH", fieldMonthName, strings.ToUpper}, {"Month", fieldMonthName, nil}, {"month", fieldMonthName, strings.ToLower},
	{"MON", fieldMonthAbbr, strings.ToUpper}, {"Mon", fieldMonthAbbr, nil}, {"mon", fieldMonthAbbr, strings.ToLower},
	{"MM", fieldMonth, nil}, {"MI", fieldMinute, nil}, {"MS", fieldMillis, nil},
	{"DAY", fieldWeekday, strings.ToUpper}, {"Day", fieldWeekday, nil}, {"day", fieldWeekday, strings.ToLower},
	{"DDD", fieldDayOfYear, nil}, {"DD", fieldDay, nil},
	{"DY", fieldWeekdayAbbr, strings.ToUpper}, {"Dy", fieldWeekdayAbbr, nil}, {"dy", fieldWeekdayAbbr, strings.ToLower},
	{"ID", fieldISODow, nil}, {"IW", fieldISOWeek, nil}, {"D", fieldSundayFirst, nil}, {"WW", fieldWeek, nil}, {"Q", fieldQuarter, nil},
	{"CC", fieldCentury, nil},
	{"HH24", fieldHour, nil}, {"HH12", fieldHour12, nil}, {"HH", fieldHour12, nil},
	{"SSSSS", fieldSecondOfDay, nil}, {"SSSS", fieldSecondOfDay, nil}, {"SS", fieldSecond, nil}, {"US", fieldMicros, nil},
	{"FF3", fieldMillis, nil}, {"FF6", fieldMicros, nil},
	{"AM", fieldHalf, nil}, {"PM", fieldHalf, nil}, {"am", fieldHalf, strings.ToLower}, {"pm", fieldHalf, strings.ToLower},
	{"A.M.", fieldHalfDots, nil}, {"P.M.", fieldHalfDots, nil}, {"a.m.", fieldHalfDots, strings.ToLower}, {"p.m.", fieldHalfDots, strings.ToLower},
	{"TZ", fieldZone, nil}, {"tz", fieldZone, strings.ToLower}, {"OF", fieldShift, nil},
}

// parseTemplate reads a pattern of to_char: fields by their letters, FM before a field for no filling up, or TM, whose names of
// another language are the English ones here, text between double quotes,
// and everything else as it stands. Patterns without names may be in lower case.
func parseTemplate(pattern string) (layout, error) {
	var out layout
	plain := false
	for pattern != "" {
		if prefix := strings.ToUpper(pattern[:min(2, len(pattern))]); prefix == "FM" || prefix == "TM" {
			plain, pattern = true, pattern[2:]
			continue
		}
		if pattern[0] == '"' {
			text, rest, ok := strings.Cut(pattern[1:], `"`)
			if !ok {
				return nil, event.Errorf(event.CodeInvalidValue, "a quote in the pattern is not closed")
			}
			out, pattern = append(out, layoutPiece{literal: text}), rest
			continue
		}
		piece, size := templateAt(pattern)
		piece.plain = plain
		plain = plain && piece.field == nil
		out, pattern = append(out, piece), pattern[size:]
	}
	return out, nil
}

// templateAt is the field that the pattern begins with, or its first character.
func templateAt(pattern string) (layoutPiece, int) {
	for _, exact := range []bool{true, false} {
		for _, t := range templates {
			if len(pattern) < len(t.text) {
				continue
			}
			head := pattern[:len(t.text)]
			if head == t.text || !exact && t.style == nil && strings.EqualFold(head, t.text) {
				return layoutPiece{field: t.field, style: t.style}, len(t.text)
			}
		}
	}
	return layoutPiece{literal: pattern[:1]}, 1
}

// percents are the fields of strftime. Those that stand for several are in compounds.
var percents = map[byte]layoutPiece{
	'Y': {field: fieldYear}, 'y': {field: fieldYear2}, 'm': {field: fieldMonth}, 'd': {field: fieldDay}, 'H': {field: fieldHour},
	'I': {field: fieldHour12}, 'M': {field: fieldMinute}, 'S': {field: fieldSecond}, 'f': {field: fieldMicros}, 'g': {field: fieldMillis},
	'n': {field: fieldNanos}, 'j': {field: fieldDayOfYear}, 'a': {field: fieldWeekdayAbbr}, 'A': {field: fieldWeekday, plain: true},
	'b': {field: fieldMonthAbbr}, 'B': {field: fieldMonthName, plain: true}, 'p': {field: fieldHalf}, 'u': {field: fieldISODow},
	'w': {field: fieldDow}, 'V': {field: fieldISOWeek}, 'G': {field: fieldISOYear}, 's': {field: fieldEpoch}, 'Z': {field: fieldZone},
	'z': {field: fieldShift}, '%': {literal: "%"}, 'q': {field: fieldQuarter},
}

var compounds = map[byte]string{'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'X': "%H:%M:%S", 'R': "%H:%M", 'D': "%m/%d/%y", 'x': "%Y-%m-%d", 'c': "%Y-%m-%d %H:%M:%S"}

// parsePercents reads a pattern of strftime; %- leaves out the zeros that fill a number up.
func parsePercents(pattern string) (layout, error) {
	var out layout
	for pattern != "" {
		text, rest, found := strings.Cut(pattern, "%")
		if text != "" {
			out = append(out, layoutPiece{literal: text})
		}
		if !found {
			break
		}
		plain := strings.HasPrefix(rest, "-")
		rest = strings.TrimPrefix(rest, "-")
		if rest == "" {
			return nil, event.Errorf(event.CodeInvalidValue, "a pattern ends with %%").WithHint("a percent sign is written %%%%")
		}
		if compound, ok := compounds[rest[0]]; ok {
			pattern = compound + rest[1:]
			continue
		}
		piece, ok := percents[rest[0]]
		if !ok {
			return nil, event.Errorf(event.CodeInvalidValue, "%%%c is not known in a pattern for times", rest[0])
		}
		piece.plain = piece.plain || plain
		out, pattern = append(out, piece), rest[1:]
	}
	return out, nil
}
