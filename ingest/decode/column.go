package decode

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/slabs"
)

// column gathers the values of one column. A row without a value is not noted when it passes but when the next value comes, so rows
// cost what they hold and not what the schema could hold.
type column struct {
	name  string
	label Label
	form  form
	kind  event.Kind
	typ   event.Type
	// as is the declared type of a column whose values are stored as another; else nil.
	as *event.Type
	// eventTime marks the time column, which takes numbers and any spelling, and the arrival where there is none.
	eventTime bool
	notNull   bool
	// inferred marks a UUID column that may widen.
	inferred bool
	// anySpelling lets a TIMESTAMPTZ or UUID take values that would not be rendered as they came.
	anySpelling bool

	limits   *limits
	reserved bool
	rows     int          // how many rows have a value or NULL so far
	valid    event.Bitmap // nil until there is a NULL
	ints     []int64      // BIGINT, INTEGER, SMALLINT, TIMESTAMPTZ, DATE
	floats   []float64    // DOUBLE PRECISION, REAL
	bits     event.Bitmap // BOOLEAN
	offsets  []int32      // TEXT, JSONB, BYTEA
	data     []byte
	coded    *textCodes       // TEXT of few distinct values, as far as is known; else nil
	words    []decimal128.Num // NUMERIC, UUID
}

// form says how the values of a column are mostly written, of those that are read the quick way.
type form uint8

const (
	formOther form = iota // any other
	formText
	formInteger
	formDouble
	formTime
	formBoolean
	formJSON
)

// formOf is the form of a column whose values are stored as those of another type if as is not nil.
func formOf(kind event.Kind, as *event.Type) form {
	if as != nil {
		return formOther
	}
	switch kind {
	case event.Text:
		return formText
	case event.BigInt:
		return formInteger
	case event.Double:
		return formDouble
	case event.TimestampTZ:
		return formTime
	case event.Boolean:
		return formBoolean
	case event.JSONB:
		return formJSON
	default:
		return formOther
	}
}

// limits are how many rows a decode is expected to give and the most bytes that one column's text can take. Beyond what columns have
// shown to need by far, spare bytes may be set aside for the rows to come, in all columns together.
type limits struct {
	rows, bytes, spare int
	// coded lets columns of TEXT become dictionaries.
	coded  bool
	memory *slabs.Arena
}

// values is memory for the values of a column, none yet.
func values[T slabs.Value](l *limits, capacity int) []T {
	if l.coded { // many rows, of which the tail has large pieces
		return slabs.Make[T](l.memory, capacity)
	}
	return make([]T, 0, capacity)
}

// knownRows are enough of a column to go by in setting memory aside for the others.
const knownRows = 8

// wellKnownRows are enough for it to be seen within a few percent how long the texts are: less need be set aside for longer ones.
const wellKnownRows = 64

// ahead is how many bytes to set aside for the rows to come of a column that needs so many for its rows up to now. These are taken to be
// like the others, within reason: a few long values must not reserve as much for every row.
func (l *limits) ahead(need, rows int) int {
	likely := need * max(l.rows, rows+1) / (rows + 1)
	more := likely + likely/8 - need
	if rows >= wellKnownRows {
		more -= likely / 16
	}
	switch {
	case more <= 7*need:
	case rows >= knownRows && more <= l.spare:
		l.spare -= more
	default:
		more = 7 * need
	}
	return more
}

// maxExpectedRows bounds the memory that is set aside for rows to come: a chunk may hold thousands of fields and then nothing but
// line ends. Where there are few columns, maxExpectedValues does, which is what a chunk of many short rows has.
const (
	maxExpectedRows   = 4096
	maxExpectedValues = 1 << 18
)

// begin readies the column for the value of a row; false if it already has one.
func (c *column) begin(row int) bool {
	if c.rows == row && c.reserved {
		return true
	}
	return c.beginLate(row)
}

// beginLate is begin for a column that has had no value yet, or not in the row before.
func (c *column) beginLate(row int) bool {
	if c.rows > row {
		return false
	}
	c.reserve()
	for c.rows < row {
		c.addNull()
	}
	return true
}

func (c *column) reserve() {
	if c.reserved {
		return
	}
	c.reserved = true
	switch c.kind {
	case event.Boolean:
		c.bits = event.NewBitmap(c.limits.rows)
	case event.Double, event.Real:
		c.floats = values[float64](c.limits, c.limits.rows)
	case event.Numeric, event.UUID:
		c.words = make([]decimal128.Num, 0, c.limits.rows)
	case event.Text, event.JSONB, event.Bytea:
		if c.limits.coded && c.kind == event.Text && c.as == nil {
			c.coded, c.offsets = &textCodes{codes: values[int32](c.limits, c.limits.rows+1)}, make([]int32, 1, surveyCodes)
			return
		}
		c.offsets = values[int32](c.limits, c.limits.rows+1)[:1]
	default:
		c.ints = values[int64](c.limits, c.limits.rows)
	}
}

// addNull adds a NULL, with a zero in the place of the value.
func (c *column) addNull() {
	switch c.kind {
	case event.Boolean:
		c.bits = fit(c.bits, c.rows)
		c.bits.Clear(c.rows)
	case event.Double, event.Real:
		c.floats = append(c.floats, 0)
	case event.Numeric, event.UUID:
		c.words = append(c.words, decimal128.Num{})
	case event.Text, event.JSONB, event.Bytea:
		if c.coded != nil {
			c.coded.codes = append(c.coded.codes, 0)
		} else {
			c.offsets = append(c.offsets, int32(len(c.data)))
		}
	default:
		c.ints = append(c.ints, 0)
	}
	if c.valid == nil {
		c.valid = event.NewBitmap(max(c.limits.rows, c.rows))
		for i := range c.rows {
			c.valid.Set(i)
		}
	}
	c.valid = fit(c.valid, c.rows)
	c.valid.Clear(c.rows)
	c.rows++
}

// added notes that a value was added.
func (c *column) added() {
	if c.valid != nil {
		c.valid = fit(c.valid, c.rows)
		c.valid.Set(c.rows)
	}
	c.rows++
}

// fit makes sure that a bitmap has a bit for a row.
func fit(b event.Bitmap, row int) event.Bitmap {
	if row>>3 < len(b) {
		return b
	}
	return append(b, make([]byte, row>>3+16)...)
}

func (c *column) addInt(v int64) {
	c.ints = append(c.ints, v)
	c.added()
}

func (c *column) addFloat(v float64) {
	c.floats = append(c.floats, v)
	c.added()
}

func (c *column) addBool(v bool) {
	c.bits = fit(c.bits, c.rows)
	if v {
		c.bits.Set(c.rows)
	} else {
		c.bits.Clear(c.rows)
	}
	c.added()
}

// room makes place for n more bytes of text.
func (c *column) room(n int) {
	need := len(c.data) + n
	if c.coded != nil {
		c.roomForCode(need)
		return
	}
	if need <= cap(c.data) {
		return
	}
	grown := values[byte](c.limits, min(need+c.limits.ahead(need, c.rows), max(need, c.limits.bytes)))[:len(c.data)]
	copy(grown, c.data)
	c.data = grown
}

// addText adds what was appended to data.
func (c *column) addText() {
	if c.coded != nil {
		c.codeText()
		return
	}
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.added()
}

// truncate forgets the rows from n on.
func (c *column) truncate(n int) {
	if c.rows <= n {
		return
	}
	c.rows = n
	switch c.kind {
	case event.Boolean:
	case event.Double, event.Real:
		c.floats = c.floats[:n]
	case event.Numeric, event.UUID:
		c.words = c.words[:n]
	case event.Text, event.JSONB, event.Bytea:
		if c.coded != nil {
			c.coded.codes = c.coded.codes[:n]
			return
		}
		c.offsets = c.offsets[:n+1]
		c.data = c.data[:c.offsets[n]]
	default:
		c.ints = c.ints[:n]
	}
}

// finish fills the column up to n rows and gives it away.
func (c *column) finish(n int) arrow.Array {
	c.begin(n)
	switch c.kind {
	case event.Boolean:
		return event.NewBooleans(c.bits, n, c.valid)
	case event.Double:
		return event.NewFloat64s(c.floats, c.valid)
	case event.Text, event.JSONB:
		if c.coded != nil {
			return c.finishCodes()
		}
		return event.NewStrings(c.offsets, c.data, c.valid)
	case event.TimestampTZ:
		return event.NewTimestamps(c.ints, c.valid)
	case event.BigInt:
		return event.NewInt64s(c.ints, c.valid)
	default:
		return c.finishDeclared()
	}
}

// storable reports whether columns of a kind can be decoded from JSON.
func storable(kind event.Kind) bool {
	switch kind {
	case event.Boolean, event.BigInt, event.Double, event.Text, event.TimestampTZ, event.JSONB:
		return true
	default:
		return declaredOnly(kind)
	}
}

// maxChunkBytes keeps the offsets of any text column within int32.
const maxChunkBytes = math.MaxInt32
