// Package w3cbody takes logs in the extended format of the W3C apart, as IIS, CloudFront and Exchange write them: a line of #Fields names what the lines behind
// it hold.
//
// What always holds: a name is that of #Fields in small letters, with _ for whatever is neither letter nor digit; what is - has no value; date and time become
// one field, in UTC; other lines that begin with # are no rows. A Form is used by one goroutine.
//
// See https://www.w3.org/TR/WD-logfile.html.
package w3cbody

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/fieldbody"
)

var (
	fieldsKey     = []byte("#Fields:")
	dateKey       = []byte("#Date:")
	formatKey     = []byte("#Time Format:")
	byteOrderMark = []byte("\ufeff")
)

// Form is what the lines that begin with # have said so far.
type Form struct {
	names  [][]byte
	commas bool // stand between values
	// date and time are the places of these fields, or -1.
	date, time int
	// day is what #Date has said, for times without a date.
	day []byte
	// local is set where times are those of a zone that the log does not name.
	local bool
}

// Hint tells of times that are not in UTC, as those of the Windows firewall.
func (f *Form) Hint() string {
	if !f.local {
		return ""
	}
	return "the log has local times (#Time Format), of which it does not say the zone: they were taken for UTC"
}

// LooksLike reports whether a body that begins so is such a log: lines that begin with #, and #Fields among them. known is false while more has to be seen.
func LooksLike(begin []byte, all bool) (is, known bool) {
	for rest := bytes.TrimPrefix(begin, byteOrderMark); ; {
		rest = bytes.TrimLeft(rest, "\r\n")
		switch {
		case bytes.HasPrefix(rest, fieldsKey):
			return true, true
		case len(rest) == 0, rest[0] == '#' && bytes.IndexByte(rest, '\n') < 0:
			return false, all
		case rest[0] != '#':
			return false, true
		}
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
}

// Head takes the lines that begin with #.
func (f *Form) Head(line []byte) (bool, error) {
	switch {
	case line[0] == '#' && bytes.HasPrefix(line, fieldsKey):
		return true, f.readFields(string(line[len(fieldsKey):]))
	case line[0] == '#':
		if rest, ok := bytes.CutPrefix(line, dateKey); ok {
			day, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte{' '})
			f.day = bytes.Clone(day)
		}
		if rest, ok := bytes.CutPrefix(line, formatKey); ok && strings.EqualFold(string(bytes.TrimSpace(rest)), "local") {
			f.local = true
		}
		return true, nil
	case f.names == nil:
		return false, event.Errorf(event.CodeBadRequest, "no line of #Fields stands before the first row").
			WithHint("a log of the W3C's extended format begins with its head")
	default:
		return false, nil
	}
}

func (f *Form) readFields(value string) error {
	f.date, f.time, f.names = -1, -1, nil
	named := strings.Fields(value)
	if f.commas = len(named) == 1 && strings.Contains(value, ","); f.commas {
		named = strings.Split(named[0], ",")
	}
	taken := make(map[string]bool, len(named))
	for i, text := range named {
		name := usable(text, i+1)
		switch name {
		case "date":
			f.date = i
		case "time": // also of date and time together
			f.time = i
		}
		for n, base := 2, name; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		taken[name] = true
		if reason := decode.CheckName(name); reason != "" {
			return event.Errorf(event.CodeBadRequest, "#Fields: %s", reason)
		}
		f.names = append(f.names, []byte(name))
	}
	if len(f.names) == 0 {
		return event.Errorf(event.CodeBadRequest, "#Fields names none")
	}
	return nil
}

// usable is a name that SQL takes without quotes: cs(User-Agent) is cs_user_agent.
func usable(text string, place int) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80 })
	if len(words) == 0 {
		return fmt.Sprintf("column_%d", place)
	}
	return strings.Join(words, "_")
}

// Fields gives the values of a row.
func (f *Form) Fields(dst []fieldbody.Field, line []byte) (fields []fieldbody.Field, reason string) {
	values := f.values(line)
	first, many := len(dst), 0
	day, clock := f.day, []byte(nil)
	if f.date >= 0 {
		day = nil
	}
	for ; values.more; many++ {
		text, quoted := values.next()
		field := fieldbody.Field{Text: text, Quoted: quoted}
		switch {
		case many >= len(f.names), !quoted && (len(text) == 0 || string(text) == "-"):
			continue
		case many == f.date && f.time >= 0:
			day = text
		case many == f.time && (f.date >= 0 || f.day != nil):
			clock = text
		default:
			field.Name = f.names[many]
		}
		if field.Name == nil {
			if day == nil || clock == nil {
				continue
			}
			field = fieldbody.Field{Name: f.names[f.time], Text: joined(day, clock)}
		}
		dst = append(dst, field)
	}
	if many != len(f.names) {
		return dst[:first], fmt.Sprintf("the row has %d values, #Fields %d", many, len(f.names))
	}
	return dst, ""
}

// joined is a day with a time of day.
func joined(day, clock []byte) []byte {
	out := append(make([]byte, 0, len(day)+1+len(clock)), day...)
	return append(append(out, ' '), clock...)
}

// values cuts a line apart.
type values struct {
	rest      []byte
	separator byte
	more      bool
}

// values chooses what separates the values of a line: what does in #Fields, or tabs, or as many spaces as there are.
func (f *Form) values(line []byte) values {
	v := values{rest: line, separator: ' ', more: true}
	switch {
	case f.commas:
		v.separator = ','
	case bytes.IndexByte(line, '\t') >= 0:
		v.separator = '\t'
	default:
		v.rest = bytes.Trim(line, " ")
	}
	return v
}

// next gives the next value. One that stands in quotes may hold what separates others, and quotes that are doubled.
func (v *values) next() (text []byte, quoted bool) {
	if len(v.rest) > 0 && v.rest[0] == '"' {
		if text, after, ok := unquoted(v.rest); ok && (len(after) == 0 || after[0] == v.separator) {
			v.pass(after)
			return text, true
		}
	}
	end := bytes.IndexByte(v.rest, v.separator)
	if end < 0 {
		end = len(v.rest)
	}
	text = v.rest[:end]
	v.pass(v.rest[end:])
	return text, false
}

// pass goes on behind the separator.
func (v *values) pass(rest []byte) {
	if v.more = len(rest) > 0; v.more {
		rest = rest[1:]
	}
	if v.rest = rest; v.separator == ' ' {
		v.rest = bytes.TrimLeft(rest, " ")
	}
}

// unquoted is the text in the quotes that a text begins with, and what is behind them.
func unquoted(text []byte) (inside, after []byte, ok bool) {
	doubled := false
	for at := 1; ; at++ {
		end := bytes.IndexByte(text[at:], '"')
		if end < 0 {
			return nil, nil, false
		}
		if at += end; at+1 < len(text) && text[at+1] == '"' {
			doubled = true
			at++
			continue
		}
		inside = text[1:at]
		if doubled {
			inside = bytes.ReplaceAll(inside, []byte(`""`), []byte(`"`))
		}
		return inside, text[at+1:], true
	}
}
