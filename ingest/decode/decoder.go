package decode

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/slabs"
)

// decoder holds the columns of one decode while rows are added.
type decoder struct {
	scanner
	// ahead is the current row, and what may be looked at behind it, so that all of the row can be read by words.
	ahead   []byte
	mode    catalog.SchemaMode
	arrival int64
	memory  *slabs.Arena
	most    int // Options.MostRejected
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
		mode: options.Mode, arrival: options.Arrival, memory: options.Memory, most: options.MostRejected, time: -1, overflow: -1, out: &Rows{},
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
	d.limits = limits{rows: d.bounded(rows), bytes: bytes, spare: 2 * bytes, coded: rows >= leastCoded, memory: d.memory}
	d.out.lists = newRowLists(d.limits.rows)
	d.out.Raw, d.out.Lines = d.out.lists.raw, d.out.lists.lines
}

// bounded is how many rows to set memory aside for, where so many may come.
func (d *decoder) bounded(rows int) int {
	return min(rows, max(maxExpectedRows, maxExpectedValues/max(len(d.columns), 1)))
}

// next adds the next of the rows or rejects it, or sets Drift; false if there was none. The end of a line is looked for only where something about its row is
// unusual.
func (d *decoder) next(rows *lines) bool {
	i, previous := 0, 0
	if rows.texts == nil {
		d.text, d.ahead = nil, rows.rest
		if i, previous = d.quick(0, 0); i > 0 && i < MaxRowBytes && endsLine(d.ahead, i) && d.complete() == nil {
			rows.rest = d.ahead[min(i+2, len(d.ahead)):]
			d.accept(d.ahead[:i+1])
			return true
		}
	}
	raw, ok := rows.next()
	if ok {
		d.text, d.ahead = raw, raw[:len(raw)+len(rows.rest)]
		d.row(raw, i, previous)
	}
	return ok
}

// endsLine reports whether there are the end of an object and that of its line at i, or the end of the text.
func endsLine(text []byte, i int) bool {
	return i < len(text) && text[i] == '}' && (i+1 == len(text) || text[i+1] == '\n')
}

// row adds a row or rejects it, or sets Drift. Its values up to i are stored, the last of which is that of the column that previous stands for.
func (d *decoder) row(raw []byte, i, previous int) {
	if len(raw) <= MaxRowBytes && d.fastRow(raw, i, previous) {
		d.accept(raw)
		return
	}
	d.rollback()
	reason := d.exactRow(raw)
	if reason == "" {
		d.accept(raw)
		return
	}
	d.rollback()
	if d.most > 0 && len(d.out.Rejected) == d.most {
		d.out.MoreRejected++
	} else {
		d.out.Rejected = append(d.out.Rejected, Rejected{Line: d.line, Reason: reason, Raw: raw, Misfit: !d.members.unreadable})
	}
	d.line++
}

// accept notes the row of the current line, whose values are stored.
func (d *decoder) accept(raw []byte) {
	d.out.Raw = append(d.out.Raw, raw)
	d.out.Lines = append(d.out.Lines, d.line)
	d.out.Count++
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
	none := event.Nulls{Rows: n}
	d.out.Columns = make([]arrow.Array, 0, len(d.columns))
	for i := range d.columns {
		if c := &d.columns[i]; c.rows == 0 {
			d.out.Columns = append(d.out.Columns, none.Of(c.typ))
		} else {
			d.out.Columns = append(d.out.Columns, c.finish(n))
		}
	}
	d.out.Times = d.times(n)
	return d.out
}

func (d *decoder) times(n int) []int64 {
	if d.time >= 0 {
		return d.columns[d.time].ints[:n:n]
	}
	d.out.ownTimes = true
	times := make([]int64, n)
	for i := range times {
		times[i] = d.arrival
	}
	return times
}
