package decode

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// decoder holds the columns of one decode while rows are added.
type decoder struct {
	scanner
	// ahead is the current row, and what may be looked at behind it, so that all of the row can be read by words.
	ahead   []byte
	mode    catalog.SchemaMode
	arrival int64
	columns []column
	names   names
	// required are the columns that need a value in every row: those that are NOT NULL, and the time column.
	required []int
	// time is the place of the time column, or -1, and overflow that of the overflow column.
	time, overflow int
	// gathered is what the overflow column will hold of the current row: an object that is not closed, or nothing.
	gathered []byte
	// follow predicts the next field: element 0 is the column that rows begin with, element c+1 the one that came after column c.
	follow []int

	limits  limits
	members memberReader
	clock   clock
	scratch []byte
	line    int // index of the current line
	out     *Rows
}

func newDecoder(schema *event.Schema, options Options) (*decoder, error) {
	d := &decoder{
		mode: options.Mode, arrival: options.Arrival, time: -1, overflow: -1, out: &Rows{},
		columns: make([]column, len(schema.Columns)),
		names:   names{schema: schema},
		follow:  make([]int, len(schema.Columns)+1),
	}
	for i, c := range schema.Columns {
		if !storable(c.Type.Kind) {
			return nil, event.Errorf(event.CodeNotSupported, "column %q: %s cannot be read from JSON", c.Name, c.Type)
		}
		isTime := c.ID == schema.TimeColumn
		if isTime && c.Type.Kind != event.TimestampTZ {
			return nil, fmt.Errorf("decode under schema version %d: time column %q is %s", schema.Version, c.Name, c.Type)
		}
		d.columns[i] = column{
			name: c.Name, kind: c.Type.Kind, typ: c.Type, as: c.As,
			form:      formOf(c.Type.Kind, c.As),
			eventTime: isTime, notNull: c.NotNull, inferred: c.Inferred, limits: &d.limits,
			anySpelling: isTime || options.Mode != catalog.Evolve || c.Type.Kind == event.UUID && !c.Inferred,
		}
		if c.ID == schema.Overflow {
			d.overflow = i
		}
		d.follow[i] = i
		if isTime {
			d.time = i
		}
		if isTime || c.NotNull {
			d.required = append(d.required, i)
		}
	}
	return d, nil
}

// label gives the columns the labels that members of rows are expected to have.
func (d *decoder) label(schema *event.Schema) {
	for i, l := range labelsOf(schema) {
		d.columns[i].label = l
	}
}

// find is the place of a field's own column, which the overflow column never is.
func (d *decoder) find(name string) (at int, known bool) {
	at, known = d.names.find(name)
	return at, known && at != d.overflow
}

// expect sets about how many rows will come, and the most bytes of text.
func (d *decoder) expect(rows, bytes int) {
	d.limits = limits{rows: d.bounded(rows), bytes: bytes, spare: 2 * bytes}
	d.out.lists = newRowLists(d.limits.rows)
	d.out.Raw, d.out.Lines = d.out.lists.raw, d.out.lists.lines
}

// bounded is how many rows to set memory aside for, where so many may come.
func (d *decoder) bounded(rows int) int {
	return min(rows, max(maxExpectedRows, maxExpectedValues/max(len(d.columns), 1)))
}

// row adds a line's row or rejects it, or sets Drift. Behind it there are so many bytes of its chunk.
func (d *decoder) row(raw []byte, behind int) {
	accepted := len(raw) <= MaxRowBytes && d.fastRow(raw, behind)
	if !accepted {
		d.rollback()
		reason := d.exactRow(raw)
		accepted = reason == ""
		if !accepted {
			d.rollback()
			d.out.Rejected = append(d.out.Rejected, Rejected{Line: d.line, Reason: reason, Raw: raw})
		}
	}
	if accepted {
		d.out.Raw = append(d.out.Raw, raw)
		d.out.Lines = append(d.out.Lines, d.line)
		d.out.Count++
	}
	d.line++
}

// rollback takes out what the current row has stored.
func (d *decoder) rollback() {
	for i := range d.columns {
		d.columns[i].truncate(d.out.Count)
	}
}

// complete sees to the columns that need a value in every row; it gives the first that has none.
func (d *decoder) complete() (missing *column) {
	for _, i := range d.required {
		c := &d.columns[i]
		if c.rows > d.out.Count {
			continue
		}
		if c.notNull {
			return c
		}
		c.begin(d.out.Count)
		c.addInt(d.arrival)
	}
	return nil
}

// finish gives away what was decoded.
func (d *decoder) finish() *Rows {
	n := d.out.Count
	zeros := d.zeros(n)
	d.out.Columns = make([]arrow.Array, 0, len(d.columns))
	for i := range d.columns {
		if c := &d.columns[i]; c.rows == 0 {
			d.out.Columns = append(d.out.Columns, allNull(c.typ, n, zeros))
		} else {
			d.out.Columns = append(d.out.Columns, c.finish(n))
		}
	}
	d.out.Times = d.times(n)
	return d.out
}

// zeros makes what the columns without any value share, if there are such.
func (d *decoder) zeros(n int) []int64 {
	for i := range d.columns {
		if d.columns[i].rows == 0 {
			return make([]int64, n+1)
		}
	}
	return nil
}

func (d *decoder) times(n int) []int64 {
	if d.time >= 0 {
		return d.columns[d.time].ints[:n:n]
	}
	times := make([]int64, n)
	for i := range times {
		times[i] = d.arrival
	}
	return times
}
