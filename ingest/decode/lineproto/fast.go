package lineproto

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// Most lines have the fields of the line before, in its order and of the same types. Such a line is taken apart in one walk, straight for the columns
// of those fields. Whatever else there is about a line, among that all that is wrong with one, is left to the parser: what is read here it
// would read as well.

// walk takes the line apart that text begins with, and gives the index behind its line break; 0 for a line that the parser has to see.
func (r *Reader) walk(text []byte) int {
	t, i := r.tableAgain(text)
	if t == nil || !t.typed || t.both || t.series == nil || !t.predicts() || len(t.labels)+len(t.tags) > decode.MaxMembers {
		return 0
	}
	same := t.series.raw
	if n := len(same); n < len(text) && text[n] == ' ' && string(text[:n]) == same {
		i = n
	} else if i, same = t.values(t.tags, t.series.places, text, i, 0), ""; i == 0 {
		return 0
	}
	end, micros := t.values(t.labels, t.follow, text, i, ' '^','), int64(0)
	if end > 0 {
		micros, end = r.parser.unit.digits(text, end+1)
	}
	if end == 0 || end > decode.MaxRowBytes {
		t.undo()
		return 0
	}
	t.time(micros)
	if same != "" {
		for i, at := range t.series.places {
			t.columns[at].addTag(t.rows, &t.series.tags[i])
		}
	}
	t.note(r.lineAt(end), r.number)
	return end
}

// tableAgain is the table that lines which begin as this one does had before in this part of the body, and the index behind the measurement; nil where
// there is none.
func (r *Reader) tableAgain(text []byte) (t *table, end int) {
	if t = r.last; t != nil && t.series != nil {
		if end = len(t.series.measurement); end < len(text) && (text[end] == ',' || text[end] == ' ') && string(text[:end]) == t.series.measurement {
			return t, end
		}
	}
	for end = 0; end < min(len(text), likelySeries) && text[end] != ',' && text[end] != ' ' && text[end] != '\\' && text[end] != '\n'; {
		end++
	}
	if end == len(text) || text[end] != ',' && text[end] != ' ' {
		return nil, 0
	}
	r.last = r.current[string(text[:end])]
	return r.last, end
}

// values adds the values of tags or fields like those of a line before, the first of which has lead in place of a comma, and gives the index behind them; 0
// where they are not alike, and then the row is without them.
func (t *table) values(labels []decode.Label, places []int, text []byte, i int, lead uint64) int {
	for at := range labels {
		c := t.columns[places[at]]
		i = labels[at].End(text, i, lead)
		if i == 0 || !c.seen {
			return t.undo()
		}
		if c.rows != t.rows {
			c.pad(t.rows)
		}
		if c.isTag {
			i = c.readTag(text, i)
		} else {
			i = c.read(text, i)
		}
		if i < 0 {
			return t.undo()
		}
		lead = 0
	}
	if i >= len(text) || text[i] != ' ' {
		return t.undo()
	}
	return i
}

// readTag adds the tag's value at i, and gives the index behind it; -1 for one that is empty or unusual.
func (c *column) readTag(text []byte, i int) int {
	n, end := copyTag(c.data[len(c.data):cap(c.data)], text, i)
	if n == 0 {
		return -1
	}
	c.data = c.data[:len(c.data)+n]
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.added()
	return end
}

// read adds the value at i as one of the column's kind, and gives the index behind it; -1 for anything else.
func (c *column) read(text []byte, i int) (end int) {
	switch c.kind {
	case event.Text:
		n, end := copyString(c.data[len(c.data):cap(c.data)], text, i)
		if end < 0 {
			return -1
		}
		c.data = c.data[:len(c.data)+n]
		c.offsets = append(c.offsets, int32(len(c.data)))
		c.added()
		return end
	case event.BigInt:
		v, end := decode.FastInteger(text, i)
		if end < 0 || text[end] != 'i' && (text[end] != 'u' || v < 0) {
			return -1
		}
		c.ints = append(c.ints, v)
		c.added()
		return end + 1
	case event.Double:
		v, end := decode.FastDouble(text, i)
		if end < 0 {
			return -1
		}
		c.floats = append(c.floats, v)
		c.added()
		return end
	case event.Boolean:
		v, end := boolean(text, i)
		if end < 0 {
			return -1
		}
		c.addBit(v)
		return end
	default:
		return -1
	}
}

// undo takes back the values of a row that was begun. It returns 0.
func (t *table) undo() int {
	for _, c := range t.columns {
		c.truncate(t.rows)
	}
	return 0
}

// truncate takes back the value of a row, the last one.
func (c *column) truncate(row int) {
	if c.rows <= row {
		return
	}
	c.rows = row
	if row>>3 < len(c.valid) {
		c.valid.Clear(row)
	}
	switch c.kind {
	case event.Text:
		c.offsets = c.offsets[:row+1]
		c.data = c.data[:c.offsets[row]]
	case event.Double:
		c.floats = c.floats[:row]
	case event.Boolean:
		if row>>3 < len(c.bits) {
			c.bits.Clear(row)
		}
	default:
		c.ints = c.ints[:row]
	}
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

// copyString copies the string at i. It gives the length of the copy and the index behind the closing quote, which is -1, and dst holds anything, for
// one with escapes or bytes that are not UTF-8, and where there is not room for the words that it copies.
func copyString(dst, text []byte, i int) (n, end int) {
	if text[i] != '"' {
		return 0, -1
	}
	i++
	beyondASCII := uint64(0)
	for n+8 <= len(dst) && i+8 <= len(text) {
		word := binary.LittleEndian.Uint64(text[i:])
		binary.LittleEndian.PutUint64(dst[n:], word)
		stop := has(word, '"') | has(word, '\\')
		if stop == 0 {
			n, i, beyondASCII = n+8, i+8, beyondASCII|word
			continue
		}
		plain := bits.TrailingZeros64(stop) >> 3
		n, i, beyondASCII = n+plain, i+plain, beyondASCII|word&(stop&-stop-1)
		if text[i] != '"' || beyondASCII&highs != 0 && !utf8.Valid(dst[:n]) {
			return 0, -1
		}
		return n, i + 1
	}
	return 0, -1
}

// copyTag copies the value of a tag that stands at i, and gives its length and the index of the comma or space behind it. The length is 0 for one that is
// empty, has a backslash, a control character or bytes that are not UTF-8, or where there is not room.
func copyTag(dst, text []byte, i int) (n, end int) {
	beyondASCII := uint64(0)
	for n+8 <= len(dst) && i+8 <= len(text) {
		word := binary.LittleEndian.Uint64(text[i:])
		binary.LittleEndian.PutUint64(dst[n:], word)
		stop := has(word, ',') | has(word, '\\') | (word-(' '+1)*ones)&^word&highs
		if stop == 0 {
			n, i, beyondASCII = n+8, i+8, beyondASCII|word
			continue
		}
		plain := bits.TrailingZeros64(stop) >> 3
		n, i, beyondASCII = n+plain, i+plain, beyondASCII|word&(stop&-stop-1)
		if text[i] != ',' && text[i] != ' ' || beyondASCII&highs != 0 && !utf8.Valid(dst[:n]) {
			return 0, -1
		}
		return n, i
	}
	return 0, -1
}

// boolean reads the usual spellings; end is -1 for any other text.
func boolean(text []byte, i int) (v bool, end int) {
	rest := text[i:]
	switch {
	case len(rest) < 6:
		return false, -1
	case string(rest[:4]) == "true":
		end = i + 4
	case string(rest[:5]) == "false":
		end = i + 5
	case rest[0] == 't', rest[0] == 'f':
		end = i + 1
	default:
		return false, -1
	}
	if text[end] != ',' && text[end] != ' ' {
		return false, -1
	}
	return rest[0] == 't', end
}

// nanosDigits is how many digits a timestamp in nanoseconds has since 2001, of which the last three are beyond microseconds.
const nanosDigits = 19

// digits reads a timestamp of few digits up to the line break.
func (u Unit) digits(text []byte, i int) (micros int64, end int) {
	if at := i + nanosDigits; u == 1 && at < len(text) && text[at] == '\n' && text[i] != '9' {
		head, isHead := decode.EightDigits(binary.LittleEndian.Uint64(text[i:]))
		tail, isTail := decode.EightDigits(binary.LittleEndian.Uint64(text[i+8:]))
		if isHead && isTail && text[at-3]-'0' <= 9 && text[at-2]-'0' <= 9 && text[at-1]-'0' <= 9 {
			return int64(head*1e8 + tail), at + 1
		}
	}
	start, v := i, int64(0)
	for i < len(text) && text[i]-'0' <= 9 {
		v = v*10 + int64(text[i]-'0')
		i++
	}
	if i == start || i-start > maxDigits || i-start == maxDigits && text[start] == '9' {
		return 0, 0
	}
	micros, ok := u.micros(v)
	if i+1 < len(text) && text[i] == '\r' {
		i++
	}
	if !ok || i >= len(text) || text[i] != '\n' {
		return 0, 0
	}
	return micros, i + 1
}

// predictTags makes the labels of the tags that the next line is likely to have.
func (t *table) predictTags(s *series) {
	if strings.IndexByte(s.raw, '\\') >= 0 || t.series == s {
		return
	}
	before := t.series
	t.series = s
	if before == nil || !slices.Equal(before.places, s.places) {
		t.tags = nil
	}
}

// predicts makes the labels of the tags and fields that the next line is likely to have, if there are none yet, and reports whether there are any of fields.
func (t *table) predicts() bool {
	if t.tags == nil {
		t.tags = make([]decode.Label, len(t.series.tags)) // the tables before this one have theirs still
		for i := range t.tags {
			t.tags[i].Set("," + t.series.tags[i].key + "=")
		}
	}
	if t.labels == nil && !t.escaped {
		t.labels = make([]decode.Label, len(t.follow))
		for i, at := range t.follow {
			t.labels[i].Set("," + t.columns[at].name + "=")
		}
	}
	return len(t.labels) > 0
}
