package lineproto

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// Most lines have the fields of the line before, in its order and of the same types. Such a line is taken apart in one walk, straight for the columns
// of those fields. Whatever else there is about a line, among that all that is wrong with one, is left to the parser: what is read here it
// would read as well.

// found is a field's value: where its text lies, or the number.
type found struct {
	start, end int
	bits       uint64
	float      float64
}

// walk takes the line apart that text begins with, and gives the index behind its line break; 0 for a line that the parser has to see.
func (r *Reader) walk(text []byte) int {
	p := &r.parser
	i := p.seriesEnd(text)
	if i == len(text) || text[i] != ' ' {
		return 0
	}
	if p.last == nil || p.last.raw != string(text[:i]) {
		p.last = p.lookup(text[:i])
	}
	s := p.last
	t := s.table
	if t == nil || s.part != r.part || !t.typed || t.both || len(t.labels) == 0 || len(t.follow)+len(s.tags) > decode.MaxMembers {
		return 0
	}
	i = t.fields(text, i+1)
	if i == 0 {
		return 0
	}
	micros, end := p.unit.digits(text, i)
	if end == 0 || end > decode.MaxRowBytes {
		return 0
	}
	t.store(text, s, micros)
	t.note(r.lineAt(end), r.number)
	return end
}

// fields finds the values of the fields of the line before from i on, and gives the index of the timestamp.
func (t *table) fields(text []byte, i int) int {
	for at, label := range t.labels {
		end := i + len(label)
		if end >= len(text) || string(text[i:end]) != label {
			return 0
		}
		f := &t.found[at]
		switch t.columns[t.follow[at]].kind {
		case event.Text:
			i = f.quoted(text, end)
		case event.BigInt:
			i = f.integer(text, end)
		case event.Double:
			i = f.number(text, end)
		case event.Boolean:
			i = f.boolean(text, end)
		default:
			return 0
		}
		if i == 0 || i >= len(text) {
			return 0
		}
		separator := byte(',')
		if at == len(t.labels)-1 {
			separator = ' '
		}
		if text[i] != separator {
			return 0
		}
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// has marks the bytes of a word that are c; above the first that is, others may be marked too.
func has(word uint64, c byte) uint64 {
	x := word ^ ones*uint64(c)
	return (x - ones) &^ x & highs
}

// quoted finds the end of a string without escapes.
func (f *found) quoted(text []byte, i int) int {
	if text[i] != '"' {
		return 0
	}
	i++
	start, beyond := i, uint64(0)
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		if stop := has(word, '"') | has(word, '\\'); stop != 0 {
			n := bits.TrailingZeros64(stop) / 8
			beyond |= word & (1<<(8*n) - 1)
			i += n
			break
		}
		beyond |= word
	}
	for i < len(text) && text[i] != '"' && text[i] != '\\' {
		beyond |= uint64(text[i])
		i++
	}
	if i >= len(text) || text[i] == '\\' || beyond&highs != 0 && !utf8.Valid(text[start:i]) {
		return 0
	}
	f.start, f.end = start, i
	return i + 1
}

// integer reads an integer of few digits.
func (f *found) integer(text []byte, i int) int {
	negative := text[i] == '-'
	if negative {
		i++
	}
	start, v := i, uint64(0)
	for i < len(text) && text[i]-'0' <= 9 {
		v = v*10 + uint64(text[i]-'0')
		i++
	}
	if i == start || i-start >= maxDigits || i == len(text) || text[i] != 'i' && (text[i] != 'u' || negative) {
		return 0
	}
	if negative {
		v = -v
	}
	f.bits = v
	return i + 1
}

// powers are those of ten that are exact, as far as the digits of a number that is read here go.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number reads a number as decode.ParseShortNumber does.
func (f *found) number(text []byte, i int) int {
	negative := text[i] == '-'
	if negative {
		i++
	}
	start, v := i, uint64(0)
	for i < len(text) && text[i]-'0' <= 9 {
		v = v*10 + uint64(text[i]-'0')
		i++
	}
	digits, fraction := i-start, 0
	if i < len(text) && text[i] == '.' {
		i++
		point := i
		for i < len(text) && text[i]-'0' <= 9 {
			v = v*10 + uint64(text[i]-'0')
			i++
		}
		if fraction = i - point; fraction == 0 {
			return 0
		}
	}
	if digits == 0 || digits+fraction >= len(powers) {
		return 0
	}
	f.float = float64(v) / powers[fraction]
	if negative {
		f.float = -f.float
	}
	return i
}

// boolean reads the usual spellings.
func (f *found) boolean(text []byte, i int) int {
	for _, spelling := range [...]struct {
		text string
		v    uint64
	}{{"true", 1}, {"false", 0}, {"t", 1}, {"f", 0}} {
		end := i + len(spelling.text)
		if end < len(text) && string(text[i:end]) == spelling.text && (text[end] == ',' || text[end] == ' ') {
			f.bits = spelling.v
			return end
		}
	}
	return 0
}

// digits reads a timestamp of few digits up to the line break.
func (u Unit) digits(text []byte, i int) (micros int64, end int) {
	start, v := i, int64(0)
	for i < len(text) && text[i]-'0' <= 9 {
		v = v*10 + int64(text[i]-'0')
		i++
	}
	if i == start || i-start > maxDigits || i-start == maxDigits && text[start] == '9' || i == len(text) || text[i] != '\n' {
		return 0, 0
	}
	if u == 1 {
		return v / 1000, i + 1
	}
	micros, ok := u.micros(v)
	if !ok {
		return 0, 0
	}
	return micros, i + 1
}

// store adds the values that were found as a row.
func (t *table) store(text []byte, s *series, micros int64) {
	t.time(micros)
	for i, at := range s.places {
		t.columns[at].addText(t.rows, s.tags[i].value)
	}
	for i, at := range t.follow {
		c, f := t.columns[at], &t.found[i]
		if c.rows != t.rows {
			c.pad(t.rows)
		}
		switch c.kind {
		case event.Text:
			c.data = append(c.data, text[f.start:f.end]...)
			c.offsets = append(c.offsets, int32(len(c.data)))
			c.added()
		case event.BigInt:
			c.ints = append(c.ints, int64(f.bits))
			c.added()
		case event.Double:
			c.floats = append(c.floats, f.float)
			c.added()
		default:
			c.addBit(f.bits == 1)
		}
	}
}

// predict makes the labels of the fields that the next line is likely to have; none where a name does not stand in lines as it is.
func (t *table) predict(p *point) {
	t.labels, t.found = t.labels[:0], t.found[:0]
	for i := range p.fields {
		if p.fields[i].escaped {
			t.labels = t.labels[:0]
			return
		}
		t.labels = append(t.labels, t.columns[t.follow[i]].name+"=")
		t.found = append(t.found, found{})
	}
}
