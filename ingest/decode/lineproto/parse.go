package lineproto

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// maxSeriesBytes bounds the cache of series; a cache that is full is emptied.
const maxSeriesBytes = 16 << 20

// likelySeries is how long a measurement with its tags usually is at most.
const likelySeries = 512

// maxDigits is how many decimal digits an integer of 64 bits can have; it has room for all of so many that do not begin with 9.
const maxDigits = 19

// incomplete is the fault of a line whose end has not been read.
const incomplete = "incomplete"

// parser takes lines apart.
type parser struct {
	unit  Unit
	point point
	// complete is set beside incomplete: the line is a point if nothing follows.
	complete bool
	series   map[string]*series
	cached   int // bytes
	last     *series
}

// point is what a line says. It is good until the next line.
type point struct {
	series  *series
	fields  []field
	micros  int64
	hasTime bool
	// placed is a table whose follow has the places of the fields, as those are the same as of a line before; nil where that is not known.
	placed *table
	count  int // of that line's fields
}

// series is a measurement with tags, parsed once for all lines that begin with the same text.
type series struct {
	raw         string
	measurement string
	tags        []tag
	places      []int // the tags' columns in the measurement's tables, once they are known
	fault       string
}

// tag is a name and a value, which of a short one is there as two words as well.
type tag struct {
	key, value  string
	first, rest uint64
}

// field is a name and a value. text is the value as it stands in the line; of a string, what is inside of its quotes, without escapes.
type field struct {
	key     []byte
	escaped bool // the name does not stand in the line as it is
	kind    event.Kind
	text    []byte
	integer int64
	float   float64
}

// parse reads the point that text begins with and returns the index behind its line break, or a fault.
func (p *parser) parse(text []byte) (end int, fault string) {
	p.complete, p.point.series = false, nil
	i := p.seriesEnd(text)
	if i == len(text) {
		return i, incomplete
	}
	if p.last == nil || p.last.raw != string(text[:i]) {
		p.last = p.lookup(text[:i])
	}
	s := p.last
	if s.fault != "" {
		return 0, s.fault
	}
	p.point.series, p.point.fields, p.point.hasTime = s, p.point.fields[:0], false
	for i < len(text) && text[i] == ' ' {
		i++
	}
	for {
		if i, fault = p.field(text, i); fault != "" {
			return i, fault
		}
		if i == len(text) {
			p.complete = true
			return i, incomplete
		}
		if text[i] != ',' {
			return p.timestamp(text, i)
		}
		i++
	}
}

// forget lets go of what the fields before say, which points into the text.
func (p *parser) forget() {
	clear(p.point.fields[:cap(p.point.fields)])
	p.point.fields, p.point.placed = p.point.fields[:0], nil
}

// seriesEnd finds the space or line break that ends the measurement and the tags.
func (p *parser) seriesEnd(text []byte) int {
	if p.last != nil { // most lines begin as some line before did; the same text ends in the same place
		n := len(p.last.raw)
		if n < len(text) && text[n] == ' ' && string(text[:n]) == p.last.raw {
			return n
		}
	}
	near := text[:min(len(text), likelySeries)] // bounded, or lines without a space would each be looked for one to the end of what was read
	if end := bytes.IndexByte(near, ' '); end >= 0 && bytes.IndexByte(near[:end], '\\') < 0 && bytes.IndexByte(near[:end], '\n') < 0 {
		return end
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\n':
			return i
		case '\\':
			if i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		}
	}
	return len(text)
}

// lookup finds the series in the cache, or parses it.
func (p *parser) lookup(raw []byte) *series {
	if s := p.series[string(raw)]; s != nil {
		return s
	}
	if p.cached > maxSeriesBytes {
		clear(p.series)
		p.cached = 0
	}
	s := parseSeries(string(raw), p.last)
	p.series[s.raw] = s
	p.cached += 4*len(raw) + 200
	return s
}

// parseSeries takes a measurement with tags apart. Most have the tags of the series before, nil if there is none, with other values.
func parseSeries(raw string, before *series) *series {
	s := &series{raw: raw}
	if !utf8.ValidString(raw) {
		s.fault = "invalid UTF-8"
		return s
	}
	name, rest, more := cutUnescaped(raw, ',')
	s.measurement = unescape(name, ", ")
	if s.measurement == "" {
		s.fault = "the measurement is missing"
		return s
	}
	alike := before != nil && before.fault == "" && before.measurement == s.measurement
	if alike {
		s.tags = make([]tag, 0, len(before.tags))
	}
	for more {
		var part string
		part, rest, more = cutUnescaped(rest, ',')
		key, value, ok := cutUnescaped(part, '=')
		t := tag{key: unescape(key, ",= "), value: unescape(value, ",= ")}
		var words [tagWords]byte
		copy(words[:], t.value)
		t.first, t.rest = binary.LittleEndian.Uint64(words[:]), binary.LittleEndian.Uint64(words[8:])
		at := len(s.tags)
		alike = alike && at < len(before.tags) && before.tags[at].key == t.key
		switch {
		case !ok || t.key == "" || t.value == "":
			s.fault = fmt.Sprintf("tag %q is not a key and a value", part)
		case alike: // its name is known to be one, and to differ from those before it
		case slices.ContainsFunc(s.tags, func(o tag) bool { return o.key == t.key }):
			s.fault = fmt.Sprintf("tag %q occurs twice", t.key)
		default:
			s.fault = decode.CheckName(t.key)
		}
		if s.fault != "" {
			return s
		}
		s.tags = append(s.tags, t)
	}
	if alike && len(s.tags) == len(before.tags) {
		s.places = before.places
	}
	return s
}

// cutUnescaped cuts a text at the first separator that has no backslash before it.
func cutUnescaped(text string, separator byte) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case separator:
			return text[:i], text[i+1:], true
		case '\\':
			i++
		}
	}
	return text, "", false
}

// unescape takes away the backslashes before the characters that need one; any other stands for itself.
func unescape(text, special string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && strings.IndexByte(special, text[i+1]) >= 0 {
			i++
		}
		out = append(out, text[i])
	}
	return string(out)
}

// field reads the field at i.
func (p *parser) field(text []byte, i int) (end int, fault string) {
	f := p.point.next()
	if end = f.asBefore(text, i); end > 0 {
		i = end
	} else if i, fault = f.name(text, i); fault != "" {
		p.point.fields, p.point.placed = p.point.fields[:len(p.point.fields)-1], nil
		return i, fault
	} else {
		p.point.placed = nil
	}
	if text[i] == '"' {
		end, fault = f.quoted(text, i)
	} else {
		end = i
		for end < len(text) && text[end] != ',' && text[end] != ' ' && text[end] != '\n' && text[end] != '\r' {
			end++
		}
		if end == len(text) { // more digits may come; at the end of the body the value is complete
			p.complete = true
		}
		fault = f.literal(text[i:end])
	}
	if fault != "" {
		p.point.fields = p.point.fields[:len(p.point.fields)-1]
	}
	return end, fault
}

// next is the place for the next field. What it says still is of the field that a line before had there.
func (p *point) next() *field {
	n := len(p.fields)
	if n == cap(p.fields) {
		p.fields = slices.Grow(p.fields, likelyColumns)
	}
	p.fields = p.fields[:n+1]
	return &p.fields[n]
}

// asBefore gives the index of the field's value if its name is the one that the field in this place of a line before had, as it most often is;
// else 0.
func (f *field) asBefore(text []byte, i int) int {
	end := i + len(f.key)
	if f.escaped || end == i || end+1 >= len(text) || text[end] != '=' || !bytes.Equal(text[i:end], f.key) {
		return 0
	}
	return end + 1
}

// name reads the field's name at i and gives the index of its value, behind which there is something.
func (f *field) name(text []byte, i int) (end int, fault string) {
	start := i
	for ; i < len(text) && text[i] != '='; i++ {
		switch text[i] {
		case '\n', ' ', ',':
			return i, "a field must be a name, = and a value"
		case '\\':
			if i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		}
	}
	if i+1 >= len(text) {
		return len(text), incomplete
	}
	f.key = text[start:i]
	if f.escaped = bytes.IndexByte(f.key, '\\') >= 0; f.escaped {
		f.key = []byte(unescape(string(f.key), ",= "))
	}
	if len(f.key) == 0 {
		return i, "a field has an empty name"
	}
	if !utf8.Valid(f.key) {
		return i, "invalid UTF-8"
	}
	return i + 1, ""
}

// quoted reads the string at i.
func (f *field) quoted(text []byte, i int) (end int, fault string) {
	f.kind = event.Text
	start := i + 1
	n := bytes.IndexByte(text[start:], '"')
	escaped := n < 0 || bytes.IndexByte(text[start:start+n], '\\') >= 0
	if end = start + n; escaped {
		for end = start; end < len(text) && text[end] != '"'; end++ {
			if text[end] == '\\' {
				end++
			}
		}
	}
	if end >= len(text) {
		return len(text), incomplete
	}
	f.text = text[start:end]
	if escaped {
		f.text = []byte(unescape(string(f.text), `"\`))
	}
	if !utf8.Valid(f.text) {
		return end, fmt.Sprintf("field %q: invalid UTF-8", f.key)
	}
	end++
	if end < len(text) && text[end] != ',' && text[end] != ' ' && text[end] != '\n' && text[end] != '\r' {
		return end, fmt.Sprintf("field %q: text after the end of a string", f.key)
	}
	return end, ""
}

// literal reads a value that is no string.
func (f *field) literal(text []byte) (fault string) {
	if len(text) == 0 {
		return fmt.Sprintf("field %q has no value", f.key)
	}
	f.text = text
	switch text[len(text)-1] {
	case 'i', 'u':
		return f.whole(text[:len(text)-1], text[len(text)-1] == 'u')
	}
	if c := text[0] | 0x20; (c == 't' || c == 'f') && f.boolean(text) {
		return ""
	}
	var ok bool
	f.kind = event.Double
	if f.float, _, ok = decode.ParseShortNumber(text); ok {
		return ""
	}
	if f.float, _, ok = decode.ParseDouble(text); !ok {
		if f.float, ok = parseFloat(text); !ok {
			return fmt.Sprintf("field %q: %q is not a number, a boolean or a string in quotes", f.key, text)
		}
	}
	return ""
}

// parseFloat reads spellings that JSON does not have: +1, .5, 1. and 007. It takes no NaN and no infinity, as InfluxDB does not.
func parseFloat(text []byte) (float64, bool) {
	for _, c := range text {
		if (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// whole reads an integer, signed or not. One that BIGINT cannot hold keeps its digits.
func (f *field) whole(digits []byte, unsigned bool) (fault string) {
	f.kind = event.BigInt
	if v, whole, ok := decode.ParseShortNumber(digits); ok && whole && digits[0] != '-' {
		f.integer = int64(v)
		return ""
	}
	if v, ok := decode.ParseInteger(digits); ok && (!unsigned || v >= 0) {
		f.integer = v
		return ""
	}
	if unsigned {
		if v, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
			f.integer = int64(v)
			if v > math.MaxInt64 {
				f.kind = event.JSONB
			}
			return ""
		}
	} else if v, err := strconv.ParseInt(string(digits), 10, 64); err == nil {
		f.integer = v
		return ""
	}
	return fmt.Sprintf("field %q: %q is not an integer of 64 bits", f.key, f.text)
}

// boolean reads the spellings of true and false.
func (f *field) boolean(text []byte) bool {
	switch string(text) {
	case "t", "T", "true", "True", "TRUE":
		f.integer = 1
	case "f", "F", "false", "False", "FALSE":
		f.integer = 0
	default:
		return false
	}
	f.kind = event.Boolean
	return true
}

// timestamp reads what follows the fields.
func (p *parser) timestamp(text []byte, i int) (end int, fault string) {
	for i < len(text) && (text[i] == ' ' || text[i] == '\r') {
		i++
	}
	start, v := i, int64(0)
	for i < len(text) && '0' <= text[i] && text[i] <= '9' && i-start < maxDigits {
		v = v*10 + int64(text[i]-'0')
		i++
	}
	simple := i > start && i < len(text) && text[i] == '\n' && (i-start < maxDigits || text[start] < '9')
	for i < len(text) && text[i] != '\n' {
		i++
	}
	p.complete = true
	if digits := text[start:i]; simple || len(bytes.TrimRight(digits, " \r")) > 0 {
		if !simple {
			digits = bytes.TrimRight(digits, " \r")
			var err error
			if v, err = strconv.ParseInt(unsafe.String(unsafe.SliceData(digits), len(digits)), 10, 64); err != nil {
				return i, fmt.Sprintf("%.40q is not a timestamp", digits)
			}
		}
		var ok bool
		if p.point.micros, ok = p.unit.micros(v); !ok {
			return i, fmt.Sprintf("timestamp %d is out of range", v)
		}
		p.point.hasTime = true
	}
	if i == len(text) {
		return i, incomplete
	}
	return i + 1, ""
}

// micros is a timestamp in microseconds, cut off towards the past.
func (u Unit) micros(v int64) (int64, bool) {
	if u = u.of(v); u < 1000 {
		floor := v / (1000 / int64(u))
		if v%(1000/int64(u)) < 0 {
			floor--
		}
		return floor, true
	}
	factor := int64(u) / 1000
	if v > event.LatestTime/factor || v < event.EarliestTime/factor {
		return 0, false
	}
	return v * factor, true
}
