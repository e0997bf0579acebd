package prune

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/tidemarkdb/tidemark/event"
)

// textBound is the longest text kept as a bound, in bytes. Longer values are cut: 64 bytes tell most identifiers apart and
// keep the manifest small.
const textBound = 64

// Bound is one end of the values of a column. Which field counts follows from the column's type: Int for BOOLEAN (0 and 1),
// the integers, TIMESTAMPTZ, DATE (days) and NUMERIC (unscaled), Float for DOUBLE PRECISION and REAL, Text for TEXT and UUID (its
// text, whose order is that of its bytes).
type Bound struct {
	Int   int64
	Float float64
	Text  string
}

// Stats is what is known of some consecutive rows of one column.
type Stats struct {
	Type        event.Type
	Rows, Nulls int64
	// Bounded says that Min and Max hold: every value that is not NULL lies between them, both included. They need not be
	// values themselves, because long text is cut.
	Bounded  bool
	Min, Max Bound
}

// AllNull reports whether no row has a value.
func (s Stats) AllNull() bool { return s.Nulls >= s.Rows }

// Collect computes the statistics of a column. JSONB and BYTEA have no bounds, since they do not compare like text; a DOUBLE
// PRECISION column with a NaN has none either, because readers disagree on where NaN sorts.
func Collect(values arrow.Array, t event.Type) Stats {
	out := Stats{Type: t, Rows: int64(values.Len()), Nulls: int64(values.NullN())}
	if out.AllNull() {
		return out
	}
	switch t.Kind {
	case event.Boolean:
		out.collectBooleans(values.(*array.Boolean))
	case event.BigInt:
		out.collectInts(values.(*array.Int64).Int64Values(), event.ValidityOf(values))
	case event.TimestampTZ:
		out.collectInts(arrow.GetData[int64](arrow.GetBytes(values.(*array.Timestamp).TimestampValues())), event.ValidityOf(values))
	case event.Double:
		out.collectFloats(values.(*array.Float64).Float64Values(), event.ValidityOf(values))
	case event.Text:
		out.collectTexts(values)
	default:
		out.collectDeclared(values)
	}
	return out
}

func (s *Stats) collectBooleans(values *array.Boolean) {
	s.Bounded = true
	s.Min.Int, s.Max.Int = 1, 0
	if values.NullN() == 0 {
		data := values.Data()
		set := bitutil.CountSetBits(data.Buffers()[1].Bytes(), data.Offset(), values.Len())
		s.Min.Int, s.Max.Int = bit(set == values.Len()), bit(set > 0)
		return
	}
	for i := 0; i < values.Len() && s.Min.Int >= s.Max.Int; i++ {
		if values.IsNull(i) {
			continue
		}
		if values.Value(i) {
			s.Max.Int = 1
		} else {
			s.Min.Int = 0
		}
	}
}

func bit(set bool) int64 {
	if set {
		return 1
	}
	return 0
}

func (s *Stats) collectInts(values []int64, valid event.Bitmap) {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	for i, v := range values {
		if valid.Valid(i) {
			low, high = min(low, v), max(high, v)
		}
	}
	s.Bounded, s.Min.Int, s.Max.Int = true, low, high
}

func (s *Stats) collectFloats(values []float64, valid event.Bitmap) {
	low, high := math.Inf(1), math.Inf(-1)
	for i, v := range values {
		if !valid.Valid(i) {
			continue
		}
		if v != v {
			return
		}
		low, high = min(low, v), max(high, v)
	}
	// Zeros of both signs are equal, so that the bounds must hold for either.
	if low == 0 {
		low = math.Copysign(0, -1)
	}
	if high == 0 {
		high = 0
	}
	s.Bounded, s.Min.Float, s.Max.Float = true, low, high
}

// collectTexts looks closely only at texts whose beginning may be less or greater than all before, and at each text of a dictionary once.
func (s *Stats) collectTexts(values arrow.Array) {
	var ends textEnds
	valid := event.ValidityOf(values)
	switch a := values.(type) {
	case *array.Dictionary:
		offsets, data := event.TextLayout(a.Dictionary().(*array.String))
		ends.addCoded(data, offsets, arrow.GetValues[int32](a.Indices().Data(), 1), valid)
	case *array.String:
		offsets, data := event.TextLayout(a)
		ends.addAll(data, offsets[:a.Len()+1], valid)
	}
	s.setText(string(ends.low), string(ends.high))
}

// textEnds are the least and the greatest of some texts.
type textEnds struct {
	low, high         []byte
	lowHead, highHead uint64
	some              bool
}

// addAll adds texts that stand one behind the other, but for those that are NULL.
func (e *textEnds) addAll(data []byte, offsets []int32, valid event.Bitmap) {
	// Heads stay in registers: of a million texts a few are a new end.
	low, high := e.lowHead, e.highHead
	for i, to := range offsets[1:] {
		from := offsets[i]
		if within(data, from, to, low, high) {
			continue
		}
		if valid.Valid(i) {
			e.add(data, from, to)
			low, high = e.lowHead, e.highHead
		}
	}
}

// addCoded adds each text that is the code of a row once.
func (e *textEnds) addCoded(data []byte, offsets, codes []int32, valid event.Bitmap) {
	texts := len(offsets) - 1
	if valid != nil || texts > len(codes) {
		seen := event.NewBitmap(texts)
		for i, code := range codes {
			if valid.Valid(i) && !seen.Valid(int(code)) { // the code of a NULL may be anything
				seen.Set(int(code))
				e.add(data, offsets[code], offsets[code+1])
			}
		}
		return
	}
	seen := make([]bool, texts)
	for _, code := range codes {
		seen[code] = true
	}
	low, high := e.lowHead, e.highHead
	for code, used := range seen {
		if !used || within(data, offsets[code], offsets[code+1], low, high) {
			continue
		}
		e.add(data, offsets[code], offsets[code+1])
		low, high = e.lowHead, e.highHead
	}
}

// within reports that a text surely lies between others, by their heads. It is false at the end of data, where less can be read at once.
func within(data []byte, from, to int32, low, high uint64) bool {
	if int(from)+headBytes > len(data) {
		return false
	}
	head := binary.BigEndian.Uint64(data[from:])
	if n := to - from; n < headBytes {
		head &^= math.MaxUint64 >> (8 * uint(n) & 63)
	}
	return head > low && head < high
}

func (e *textEnds) add(data []byte, from, to int32) {
	head := headOf(data, from, to)
	if head > e.lowHead && head < e.highHead {
		return
	}
	text := data[from:to]
	if !e.some || head <= e.lowHead && bytes.Compare(text, e.low) < 0 {
		e.low, e.lowHead = text, head
	}
	if !e.some || head >= e.highHead && bytes.Compare(text, e.high) > 0 {
		e.high, e.highHead = text, head
	}
	e.some = true
}

// headBytes is how much of a text its head has.
const headBytes = 8

// headOf is the first eight bytes of a text as a number that orders texts like the texts themselves, as far as it goes.
func headOf(data []byte, from, to int32) uint64 {
	n := int(to - from)
	if n >= headBytes {
		return binary.BigEndian.Uint64(data[from:])
	}
	var head uint64
	if int(from)+headBytes <= len(data) {
		head = binary.BigEndian.Uint64(data[from:])
	} else {
		var padded [headBytes]byte
		copy(padded[:], data[from:to])
		head = binary.BigEndian.Uint64(padded[:])
	}
	return head &^ (math.MaxUint64 >> (8 * n))
}

// setText keeps short forms of the least and the greatest text that still enclose all values. Bounds are stored as JSON and read
// by others as UTF-8, so that text which is not has none.
func (s *Stats) setText(low, high string) {
	if !utf8.ValidString(low) || !utf8.ValidString(high) {
		return
	}
	high, ok := shortUpper(high)
	if ok {
		s.Bounded, s.Min.Text, s.Max.Text = true, strings.Clone(shortLower(low)), high
	}
}

// shortLower cuts text between two characters; a prefix never sorts after the whole.
func shortLower(text string) string {
	if len(text) <= textBound {
		return text
	}
	end := textBound
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// shortUpper cuts text and raises the last character that can be raised, so that the result sorts after every continuation. It
// stays valid UTF-8, which other readers of the file expect. ok is false where no short bound exists.
func shortUpper(text string) (short string, ok bool) {
	if len(text) <= textBound {
		return strings.Clone(text), true
	}
	for head := shortLower(text); head != ""; {
		r, size := utf8.DecodeLastRuneInString(head)
		head = head[:len(head)-size]
		if r == utf8.RuneError && size <= 1 {
			return "", false
		}
		if next, ok := nextRune(r); ok {
			return head + string(next), true
		}
	}
	return "", false
}

func nextRune(r rune) (rune, bool) {
	const surrogates, afterSurrogates = 0xD800, 0xE000
	switch {
	case r == utf8.MaxRune:
		return 0, false
	case r+1 == surrogates:
		return afterSurrogates, true
	default:
		return r + 1, true
	}
}

// Merge gives the statistics of both groups of rows together; they must be of one type.
func (s Stats) Merge(o Stats) Stats {
	out := Stats{Type: s.Type, Rows: s.Rows + o.Rows, Nulls: s.Nulls + o.Nulls}
	switch {
	case s.AllNull():
		out.Bounded, out.Min, out.Max = o.Bounded, o.Min, o.Max
	case o.AllNull():
		out.Bounded, out.Min, out.Max = s.Bounded, s.Min, s.Max
	case s.Bounded && o.Bounded:
		out.Bounded = true
		out.Min = Bound{Int: min(s.Min.Int, o.Min.Int), Float: min(s.Min.Float, o.Min.Float), Text: min(s.Min.Text, o.Min.Text)}
		out.Max = Bound{Int: max(s.Max.Int, o.Max.Int), Float: max(s.Max.Float, o.Max.Float), Text: max(s.Max.Text, o.Max.Text)}
	}
	return out
}

// widen gives the statistics that the column has after Widen to a later type. Bounds survive where the conversion keeps the
// order: BIGINT to DOUBLE PRECISION never reverses two values.
func (s Stats) widen(to event.Type) Stats {
	if s.Type.Equal(to) {
		return s
	}
	out := Stats{Type: to, Rows: s.Rows, Nulls: s.Nulls}
	if s.Type.Kind == event.BigInt && to.Kind == event.Double && s.Bounded {
		out.Bounded = true
		out.Min.Float, out.Max.Float = float64(s.Min.Int), float64(s.Max.Int)
	}
	return out
}
