package lineproto

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// table gathers the rows of one measurement as columns, and the lines that they came as.
type table struct {
	stream      string
	timeColumn  string
	measurement string // the value of the column measurement; empty for a stream that is the measurement's own
	columns     []*column
	byName      map[string]int
	fresh       []column // of which the next columns are taken
	// follow predicts the columns of a line's fields, and labels how these begin: with a comma, the name and =. They are made for the second line, unless
	// escaped is set: then some name does not stand in lines as it is.
	follow  []int
	labels  []decode.Label
	escaped bool
	// series has the tags of a line before, and tags are their labels, made for the second line too; nil where there is none without escapes.
	series *series
	tags   []decode.Label

	// expect is about how many rows the first table of a body will have.
	expect int
	// both is set once some name has been that of a tag and that of a field: then each line has to be looked at for both.
	both bool

	refused []decode.Rejected
	rows    int
	lines   []lineRef
	numbers []int64
	speller speller
	// typed is false once some column is mixed: then the lines alone say what there is.
	typed bool
}

// column is one column of a table.
type column struct {
	name    string
	kind    event.Kind
	seen    bool // it has a value that is not NULL
	isTag   bool
	isField bool
	mixed   bool // it has shown values of different types
	// taken is set while a point is looked at that has a value for it.
	taken   bool
	rows    int
	valid   event.Bitmap
	ints    []int64
	floats  []float64
	bits    event.Bitmap
	offsets []int32
	data    []byte
	// dataBytes is about what data took, once it was given away.
	dataBytes int
}

// likelyColumns is how many columns most tables have at most.
const likelyColumns = 16

// likelyText is about how long a text is of which nothing is known.
const likelyText = 16

const measurementColumn = "measurement"

func (t *table) begin() {
	t.typed = true
	t.place(t.timeColumn, event.TimestampTZ)
	if t.measurement != "" {
		t.place(measurementColumn, event.Text)
	}
}

// lineRef is where a line lies: in which of the blocks of a part of the body, and between which bytes.
type lineRef struct{ block, start, end int32 }

// next makes the table for the rows that come after those of t. Columns keep their places, which series remember.
func (t *table) next() *table {
	rows := min(t.rows, t.most())
	out := &table{
		stream: t.stream, timeColumn: t.timeColumn, measurement: t.measurement, byName: t.byName, both: t.both,
		follow: t.follow, labels: t.labels, escaped: t.escaped, series: t.series, tags: t.tags,
		typed: true, columns: make([]*column, len(t.columns)), speller: t.speller,
		lines: make([]lineRef, 0, rows), numbers: make([]int64, 0, rows),
	}
	columns := make([]column, len(t.columns))
	for i, c := range t.columns {
		n := &columns[i]
		n.name, n.kind, n.isTag, n.isField = c.name, c.kind, c.isTag, c.isField
		switch {
		case c.kind == event.Text:
			n.offsets, n.data = make([]int32, 1, rows+1), make([]byte, 0, c.dataBytes)
		case c.kind == event.Double && c.seen:
			n.floats = make([]float64, 0, rows)
		case c.kind != event.Boolean && c.seen:
			n.ints = make([]int64, 0, rows)
		}
		out.columns[i] = n
	}
	return out
}

// most is how many rows a table of so many columns has at most.
func (t *table) most() int {
	return min(decode.MaxChunkRows, decode.MaxChunkCells/max(len(t.columns), 1))
}

// reserve makes room for the rows that so many bytes more are likely to have, of which parsed bytes had those that there are.
func (t *table) reserve(parsed, more int) {
	rows := min(t.rows*more/parsed+1, t.most()-t.rows)
	if rows <= 0 || t.rows == 0 {
		return
	}
	t.lines, t.numbers = slices.Grow(t.lines, rows), slices.Grow(t.numbers, rows)
	for _, c := range t.columns {
		switch {
		case c.rows == 0:
		case c.kind == event.Text:
			c.offsets = slices.Grow(c.offsets, rows)
			c.data = slices.Grow(c.data, len(c.data)/c.rows*rows*9/8+tagWords)
		case c.kind == event.Double:
			c.floats = slices.Grow(c.floats, rows)
		case c.kind != event.Boolean:
			c.ints = slices.Grow(c.ints, rows)
		}
	}
}

// held is the memory that the rows take so far.
func (t *table) held() int64 {
	n := int64(unsafe.Sizeof(lineRef{}))*int64(cap(t.lines)) + 8*int64(cap(t.numbers))
	for _, c := range t.columns {
		n += int64(cap(c.valid) + 8*cap(c.ints) + 8*cap(c.floats) + cap(c.bits) + 4*cap(c.offsets) + cap(c.data))
	}
	return n
}

// forget lets go of what was given away, but for how much it was.
func (t *table) forget() {
	t.lines, t.numbers, t.refused = nil, nil, nil
	for _, c := range t.columns {
		c.dataBytes = len(c.data) + len(c.data)/8
		c.valid, c.ints, c.floats, c.bits, c.offsets, c.data = nil, nil, nil, nil, nil, nil
	}
}

// place finds or makes the column of a name.
func (t *table) place(name string, kind event.Kind) int {
	if at, ok := t.byName[name]; ok {
		return at
	}
	if len(t.fresh) == 0 {
		t.fresh = make([]column, likelyColumns)
	}
	c := &t.fresh[0]
	t.fresh = t.fresh[1:]
	c.name, c.kind = name, kind
	switch kind {
	case event.Text:
		c.offsets, c.data = make([]int32, 1, t.expect+1), make([]byte, 0, likelyText*t.expect)
	case event.Double:
		c.floats = make([]float64, 0, t.expect)
	case event.BigInt, event.TimestampTZ:
		c.ints = make([]int64, 0, t.expect)
	default: // a bit for each row
	}
	t.byName[name] = len(t.columns)
	t.columns = append(t.columns, c)
	return len(t.columns) - 1
}

// add puts a point into the table, or says why it cannot be a row.
func (t *table) add(p *point, line lineRef, number int64) (fault string) {
	if fault = t.placeTags(p.series); fault != "" {
		return fault
	}
	places, fault := t.places(p)
	if fault != "" {
		return fault
	}
	if p.hasTime {
		t.time(p.micros)
	} else if t.measurement != "" {
		t.columns[1].addText(t.rows, t.measurement)
	}
	for i, at := range p.series.places {
		c := t.columns[at]
		if c.kind != event.Text {
			t.mix(c)
		}
		c.addText(t.rows, p.series.tags[i].value)
	}
	for i := range p.fields {
		t.addField(t.columns[places[i]], &p.fields[i])
	}
	t.note(line, number)
	return ""
}

// time adds the point's time, and what else all points have.
func (t *table) time(micros int64) {
	c := t.columns[0]
	c.pad(t.rows)
	c.ints = append(c.ints, micros)
	c.added()
	if t.measurement != "" {
		t.columns[1].addText(t.rows, t.measurement)
	}
}

// note ends a row.
func (t *table) note(line lineRef, number int64) {
	t.lines = append(t.lines, line)
	t.numbers = append(t.numbers, number)
	t.rows++
}

// placeTags finds the columns of a series' tags, once for all its lines.
func (t *table) placeTags(s *series) (fault string) {
	if s.places != nil {
		return ""
	}
	places := make([]int, 0, len(s.tags))
	for _, tag := range s.tags {
		if tag.key == t.timeColumn || t.measurement != "" && tag.key == measurementColumn {
			return fmt.Sprintf("a tag cannot have the name %q", tag.key)
		}
		at := t.place(tag.key, event.Text)
		c := t.columns[at]
		c.isTag, t.both = true, t.both || c.isField
		places = append(places, at)
	}
	s.places = places
	return ""
}

// mix notes that a column has values of different types.
func (t *table) mix(c *column) { c.mixed, t.typed = true, false }

// places finds the columns of the fields, and sees that no two values of the point meet in one. follow, the places that the fields of the
// row before had, is tried first.
func (t *table) places(p *point) (places []int, fault string) {
	tags := p.series.places
	if len(p.fields)+len(tags) > decode.MaxMembers {
		return nil, fmt.Sprintf("the line has more than %d tags and fields", decode.MaxMembers)
	}
	if p.placed == t && len(p.fields) == p.count && !t.both {
		return t.follow, ""
	}
	p.placed = nil
	same := len(p.fields) == len(t.follow)
	for i := 0; same && i < len(t.follow); i++ {
		same = t.columns[t.follow[i]].name == string(p.fields[i].key)
	}
	if same && !t.both {
		p.placed, p.count = t, len(p.fields)
		return t.follow, ""
	}
	t.follow, t.labels = slices.Grow(t.follow[:0], len(p.fields)), nil
	defer t.leaveAll()
	t.columns[0].taken = true
	if t.measurement != "" {
		t.columns[1].taken = true
	}
	for _, at := range tags {
		t.columns[at].taken = true
	}
	for i := range p.fields {
		f := &p.fields[i]
		at, known := t.byName[string(f.key)]
		if !known {
			name := string(f.key)
			if fault = decode.CheckName(name); fault != "" {
				return nil, t.unpredicted(fault)
			}
			at = t.place(name, f.kind)
		}
		c := t.columns[at]
		if c.taken {
			return nil, t.unpredicted(fmt.Sprintf("the name %q occurs twice, or is that of the time", f.key))
		}
		c.taken, c.isField, t.both = true, true, t.both || c.isTag
		t.follow = append(t.follow, at)
	}
	t.escaped = slices.ContainsFunc(p.fields, func(f field) bool { return f.escaped })
	return t.follow, ""
}

// leaveAll says that no column is taken.
func (t *table) leaveAll() {
	for _, c := range t.columns {
		c.taken = false
	}
}

// unpredicted forgets a prediction that was not completed.
func (t *table) unpredicted(fault string) string {
	t.follow, t.labels = t.follow[:0], nil
	return fault
}

// addField adds a field's value to its column.
func (t *table) addField(c *column, f *field) {
	c.seen = true
	if c.kind != f.kind || f.kind == event.JSONB {
		t.mix(c)
	}
	if !t.typed {
		return
	}
	c.pad(t.rows)
	switch f.kind {
	case event.Text:
		c.addText(t.rows, text(f.text))
	case event.Double:
		c.floats = append(c.floats, f.float)
		c.added()
	case event.BigInt:
		c.ints = append(c.ints, f.integer)
		c.added()
	default:
		c.addBit(f.integer == 1)
	}
}

func (c *column) addText(row int, text string) {
	if c.rows != row {
		c.pad(row)
	}
	c.data = append(c.data, text...)
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.added()
}

// tagWords are the bytes of a short tag.
const tagWords = 16

// addTag adds a tag's value.
func (c *column) addTag(row int, t *tag) {
	n := len(c.data)
	if len(t.value) > tagWords || n+tagWords > cap(c.data) || c.rows != row {
		c.addText(row, t.value)
		return
	}
	room := c.data[n : n+tagWords]
	binary.LittleEndian.PutUint64(room, t.first)
	binary.LittleEndian.PutUint64(room[8:], t.rest)
	c.data = c.data[:n+len(t.value)]
	c.offsets = append(c.offsets, int32(len(c.data)))
	c.added()
}

// text shows bytes as a string to whoever keeps no part of it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (c *column) addBit(v bool) {
	if c.rows>>3 == len(c.bits) {
		c.bits = append(c.bits, 0)
	}
	if v {
		c.bits.Set(c.rows)
	}
	c.added()
}

// added notes a value that is not NULL.
func (c *column) added() {
	if c.valid != nil {
		if c.rows>>3 == len(c.valid) {
			c.valid = append(c.valid, 0)
		}
		c.valid.Set(c.rows)
	}
	c.seen = true
	c.rows++
}

// pad adds NULLs up to a row.
func (c *column) pad(row int) {
	if c.rows == row {
		return
	}
	if c.valid == nil {
		c.valid = event.NewBitmap(c.rows)
		for i := range c.rows {
			c.valid.Set(i)
		}
	}
	for ; c.rows < row; c.rows++ {
		switch c.kind {
		case event.Text:
			c.offsets = append(c.offsets, int32(len(c.data)))
		case event.Double:
			c.floats = append(c.floats, 0)
		case event.Boolean:
			if c.rows>>3 == len(c.bits) {
				c.bits = append(c.bits, 0)
			}
		default:
			c.ints = append(c.ints, 0)
		}
		if c.rows>>3 == len(c.valid) {
			c.valid = append(c.valid, 0)
		}
	}
}

// chunk gives the table's rows away, whose lines lie in blocks.
func (t *table) chunk(blocks [][]byte) *decode.Chunk {
	out := &decode.Chunk{Numbers: t.numbers, Refused: t.refused}
	if out.Numbers == nil {
		out.Numbers = []int64{}
	}
	out.Fields, out.Columns = make([]decode.Field, 0, len(t.columns)), make([]arrow.Array, 0, len(t.columns))
	for _, c := range t.columns {
		if !c.seen { // it is of rows before, or was made for a point that was then refused
			continue
		}
		f := decode.Field{Name: c.name}
		if !c.mixed {
			f.Type = event.Type{Kind: c.kind}
		}
		out.Fields = append(out.Fields, f)
		if t.typed {
			c.pad(t.rows)
			out.Columns = append(out.Columns, c.array())
		}
	}
	lines, speller := t.lines, t.speller
	if !t.typed {
		out.Columns, out.Texts = nil, speller.texts(lines, blocks)
		return out
	}
	out.Rows, out.Spell = t.rows, func() [][]byte { return speller.texts(lines, blocks) }
	return out
}

func (c *column) array() arrow.Array {
	switch c.kind {
	case event.Text:
		return event.NewStrings(c.offsets, c.data, c.valid)
	case event.Double:
		return event.NewFloat64s(c.floats, c.valid)
	case event.Boolean:
		return event.NewBooleans(c.bits, c.rows, c.valid)
	case event.TimestampTZ:
		return event.NewTimestamps(c.ints, c.valid)
	default:
		return event.NewInt64s(c.ints, c.valid)
	}
}
