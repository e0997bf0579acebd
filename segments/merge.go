package segments

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// mergedRows are the rows of several sorted segments in one order, which is worked out a row group at a time: what is in memory is the
// order of one row group, a page of sorting columns for each segment, and one column of the row group.
type mergedRows struct {
	columns []event.Column
	parts   []part
	queue   mergeQueue
	waiting []*mergeCursor // until the first Advance
	rows    int

	// order is that of the rows from base on, as far as it is known.
	order []place
	base  int
	// window is order cut to what one call of Column asks for, with rows counted from the first that it needs of each part.
	window window
	// text tells, by column, how much text there is up to each stretch of rows from base on; nil where its longest text says enough.
	text    [][]int64
	longest []int

	gatherer
	read  event.Buffers
	pause func(context.Context) error // nil does not wait
	// minTime and maxTime are those of the rows so far.
	minTime, maxTime int64
}

// part is a run of rows of one row group of a segment.
type part struct {
	reader   *parquet.Reader
	group    int
	from, to int
	sources  []columnSource
}

// window is a range of the merged rows, and the rows of each part that it consists of.
type window struct {
	from, to int
	order    []place
	low      []int32 // by part: the first row needed
	rows     []int32 // by part: how many
}

// stretchRows is how many rows share an entry of mergedRows.text.
const stretchRows = 64

// newMergedRows merges parts, which are given segment by segment and within each in order. Nothing is read before the first Advance.
func newMergedRows(order rowOrder, segments [][]part) *mergedRows {
	m := &mergedRows{columns: order.schema.All(), minTime: math.MaxInt64, maxTime: math.MinInt64}
	for _, parts := range segments {
		m.waiting = append(m.waiting, &mergeCursor{order: order, parts: parts, firstPart: len(m.parts)})
		m.parts = append(m.parts, parts...)
		for _, p := range parts {
			m.rows += p.to - p.from
		}
	}
	m.window.from = -1
	m.window.low, m.window.rows = make([]int32, len(m.parts)), make([]int32, len(m.parts))
	m.text, m.longest = make([][]int64, len(m.columns)), make([]int, len(m.columns))
	return m
}

// start loads the first rows of every segment.
func (m *mergedRows) start(ctx context.Context) error {
	for _, c := range m.waiting {
		if more, err := c.load(ctx); err != nil {
			return err
		} else if more {
			m.queue.push(c)
		}
	}
	m.waiting = nil
	return nil
}

// Len implements parquet.Rows.
func (m *mergedRows) Len() int { return m.rows }

// Advance implements parquet.Rows: it forgets the order before from and works it out up to to.
func (m *mergedRows) Advance(ctx context.Context, from, to int) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	m.order = slices.Delete(m.order, 0, from-m.base)
	m.base, m.window.from = from, -1
	if m.order == nil {
		m.order = make([]place, 0, to-from)
	}
	known := len(m.order)
	var err error
	if m.order, err = m.queue.take(ctx, m.order, to-from); err != nil {
		return err
	}
	if n := len(m.order); n > known {
		m.minTime, m.maxTime = min(m.minTime, m.order[known].time), max(m.maxTime, m.order[n-1].time)
	}
	for i := range m.columns {
		if err := m.measure(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// measure prepares TextBytes for the rows of the order.
func (m *mergedRows) measure(ctx context.Context, column int) error {
	m.text[column], m.longest[column] = nil, 0
	if t := m.columns[column].Type.Kind; t != event.Text && t != event.JSONB && t != event.Bytea {
		return nil
	}
	parts, err := m.load(ctx, column, m.base, m.base+len(m.order))
	if err != nil {
		return err
	}
	for i, values := range parts {
		if binary, ok := values.(*array.Binary); ok {
			parts[i] = event.AsText(binary)
		}
		m.longest[column] = max(m.longest[column], longestText(parts[i]))
	}
	if m.longest[column]*min(len(m.order), parquet.DefaultPageRows) <= parquet.MaxPageText {
		return nil
	}
	views := make([]textView, len(parts))
	for i, values := range parts {
		views[i] = newTextView(values)
	}
	sums, total := make([]int64, 1, len(m.order)/stretchRows+2), int64(0)
	for i, p := range m.window.order {
		if parts[p.batch].IsValid(int(p.row)) {
			total += int64(len(views[p.batch].at(p.row)))
		}
		if (i+1)%stretchRows == 0 || i+1 == len(m.window.order) {
			sums = append(sums, total)
		}
	}
	m.text[column] = sums
	return nil
}

// TextBytes implements parquet.Rows. The bound is too high by what stands in the stretches at both ends.
func (m *mergedRows) TextBytes(column, from, to int) int {
	bound := m.longest[column] * (to - from)
	if sums := m.text[column]; sums != nil {
		low, high := (from-m.base)/stretchRows, (to-m.base+stretchRows-1)/stretchRows
		bound = min(bound, int(sums[high]-sums[low]))
	}
	return bound
}

// Column implements parquet.Rows.
func (m *mergedRows) Column(ctx context.Context, column, from, to int) (arrow.Array, error) {
	if m.pause != nil {
		if err := m.pause(ctx); err != nil {
			return nil, err
		}
	}
	parts, err := m.load(ctx, column, from, to)
	if err != nil {
		return nil, err
	}
	return m.gather(m.columns[column].Type, parts, m.window.order)
}

// load reads what rows from..to need of a column and sets the window to those rows. Parts that are not needed are empty.
func (m *mergedRows) load(ctx context.Context, column, from, to int) ([]arrow.Array, error) {
	m.look(from, to)
	m.read.Reset()
	out := make([]arrow.Array, len(m.parts))
	for i, p := range m.parts {
		c, low, rows := p.sources[column], int(m.window.low[i]), int(m.window.rows[i])
		if rows == 0 || !c.found {
			out[i] = event.NewNulls(c.column.Type, rows)
			continue
		}
		read, _, err := p.reader.Read(ctx, []event.FieldID{c.source.ID}, p.group, low, low+rows, &m.read)
		if err != nil {
			return nil, err
		}
		if out[i], err = conformed(read[0], c.source, c.column); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// look sets the window. The rows of a part are in order, so that those of a window lie together.
func (m *mergedRows) look(from, to int) {
	w := &m.window
	if w.from == from && w.to == to {
		return
	}
	w.from, w.to = from, to
	w.order = append(w.order[:0], m.order[from-m.base:to-m.base]...)
	clear(w.rows)
	for i, p := range w.order {
		if w.rows[p.batch] == 0 {
			w.low[p.batch] = p.row
		}
		w.rows[p.batch]++
		w.order[i].row -= w.low[p.batch]
	}
}
