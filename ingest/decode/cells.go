package decode

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// Cells builds columns of rows whose values are texts without a type of their own, such as those of CSV, as long as each is a value of the
// column that the stream has: by the same code that reads rows of JSON. It is used by one goroutine.
type Cells struct {
	decoder *decoder
	columns []*column // of each field
	scratch []byte
	form    *cellForm // of the lines that ReadLine takes
}

// NewCells begins columns of a schema under these names, which are distinct; those that the schema does not have are TEXT. rows and bytes are
// about how much will come. The result is nil where cells of some column have to be looked at as JSON.
func NewCells(schema *event.Schema, names []string, rows, bytes int) *Cells {
	d, err := newDecoder(schema, Options{Mode: catalog.Evolve}) // under which a spelling counts most
	if err != nil || d.overflow >= 0 && slices.Contains(names, d.columns[d.overflow].name) {
		return nil
	}
	d.limits = limits{rows: d.bounded(rows), bytes: bytes, spare: 2 * bytes}
	c := &Cells{decoder: d, columns: make([]*column, len(names))}
	for i, name := range names {
		at, known := d.find(name)
		if !known {
			c.columns[i] = &column{name: name, kind: event.Text, form: formText, typ: event.Type{Kind: event.Text}, limits: &d.limits}
			continue
		}
		if c.columns[i] = &d.columns[at]; c.columns[i].as != nil {
			return nil
		}
	}
	return c
}

// Add gives a field of the present row its value; fields that are given none are NULL. asJSON writes a text that is valid UTF-8 as the JSON that it
// stands for in the column. The result is false if that is no value of the column, and then no row may be added any more.
func (c *Cells) Add(field int, text []byte, asJSON func(dst, text []byte) []byte) bool {
	to := c.columns[field]
	switch {
	case to.kind == event.Text:
		if !to.begin(c.decoder.out.Count) {
			return false
		}
		if c.decoder.limits.rows > 0 { // else it grows as it comes
			to.room(len(text))
		}
		to.data = append(to.data, text...)
		to.addText()
		return true
	case len(text) > 0 && startsNumber(text[0]) && to.takesNumbers() && (text[0] != '-' || len(text) > 1 && text[1] != '.'):
		return c.addShort(to, text) || c.decoder.storeAlone(to, text)
	case to.kind == event.TimestampTZ && len(text) > len("2006") && text[len("2006")] == '-' && c.addTime(to, text): // no number has that
		return true
	default:
		c.scratch = asJSON(c.scratch[:0], text)
		return c.decoder.storeAlone(to, c.scratch)
	}
}

// addShort is storeAlone for numbers of few digits. Those that begin with a 0 or a sign are left to it: JSON does not have all of them.
func (c *Cells) addShort(to *column, text []byte) bool {
	if to.kind != event.BigInt && to.kind != event.Double || text[0] == '0' || text[0] == '-' {
		return false
	}
	v, whole, ok := ParseShortNumber(text)
	if !ok || to.kind == event.BigInt && !whole || !to.begin(c.decoder.out.Count) {
		return false
	}
	if to.kind == event.BigInt {
		to.addInt(int64(v))
	} else {
		to.addFloat(v)
	}
	return true
}

func (c *Cells) addTime(to *column, text []byte) bool {
	parse := parseCanonicalTime
	if to.anySpelling {
		parse = parseTime
	}
	micros, ok := parse(text)
	if ok = ok && event.InCalendar(micros) && to.begin(c.decoder.out.Count); ok {
		to.addInt(micros)
	}
	return ok
}

// takesNumbers reports whether a text that begins as a number does is one, or no value of the column.
func (c *column) takesNumbers() bool {
	switch c.kind {
	case event.SmallInt, event.Integer, event.BigInt, event.Real, event.Double:
		return true
	default:
		return false
	}
}

// Expect says how many rows there will be, about, when that becomes clearer.
func (c *Cells) Expect(rows int) {
	rows = c.decoder.bounded(rows)
	c.decoder.limits.rows = rows
	for _, to := range c.columns {
		more := rows - to.rows
		switch {
		case !to.reserved || more <= 0:
		case to.offsets != nil:
			to.offsets = slices.Grow(to.offsets, more)
		case to.ints != nil:
			to.ints = slices.Grow(to.ints, more)
		case to.floats != nil:
			to.floats = slices.Grow(to.floats, more)
		case to.words != nil:
			to.words = slices.Grow(to.words, more)
		}
	}
}

// EndRow ends the present row.
func (c *Cells) EndRow() { c.decoder.out.Count++ }

// Rows is how many rows were ended.
func (c *Cells) Rows() int { return c.decoder.out.Count }

// Columns gives the columns away, with their types.
func (c *Cells) Columns() ([]arrow.Array, []event.Type) {
	rows := c.Rows()
	values, types := make([]arrow.Array, len(c.columns)), make([]event.Type, len(c.columns))
	for i, column := range c.columns {
		types[i] = column.typ
		if column.rows == 0 {
			values[i] = event.NewNulls(column.typ, rows)
		} else {
			values[i] = column.finish(rows)
		}
	}
	return values, types
}
