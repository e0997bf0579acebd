package segments

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// mergedRows are the rows of several sorted segments in one order, which is worked out a row group at a time: what is in memory is the
// order of one row group, a page of sorting columns for each segment, and one column of the row group. A budget says how much that is.
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
	// text tells, by column, how much text the rows of the order have.
	text []textSums
	// lengths is scratch of measure, by part.
	lengths [][]uint32

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
	m.text, m.lengths = make([]textSums, len(m.columns)), make([][]uint32, len(m.parts))
	return m
}

// release gives the memory up once all is written, and keeps the range of times.
func (m *mergedRows) release() {
	*m = mergedRows{rows: m.rows, minTime: m.minTime, maxTime: m.maxTime}
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
	for i, c := range m.columns {
		m.text[i].forget(from)
		if hasText(c.Type) && known < len(m.order) {
			if err := m.measure(ctx, i, from+known, from+len(m.order)); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure prepares TextBytes for rows that have come to the order: texts are looked at a page of a part at a time, as all may be too much.
func (m *mergedRows) measure(ctx context.Context, column, from, to int) error {
	m.look(from, to)
	for i := range m.parts {
		m.lengths[i] = m.lengths[i][:0]
		low, high := int(m.window.low[i]), int(m.window.low[i]+m.window.rows[i])
		for _, end := range m.parts[i].reader.PageEnds(m.parts[i].group) {
			if end = min(end, high); end <= low {
				continue
			}
			m.read.Reset()
			values, err := m.readPart(ctx, i, column, low, end)
			if err != nil {
				return err
			}
			m.lengths[i] = textLengths(m.lengths[i], values)
			low = end
		}
	}
	m.text[column].addPlaces(m.window.order, m.lengths)
	return nil
}

// TextBytes implements parquet.Rows.
func (m *mergedRows) TextBytes(column, from, to int) int {
	if !hasText(m.columns[column].Type) {
		return 0
	}
	return m.text[column].between(from, to)
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
	return m.gather(m.columns[column].Type, parts, m.window.order, m.TextBytes(column, from, to))
}

// load reads what rows from..to need of a column and sets the window to those rows. Parts that are not needed are empty.
func (m *mergedRows) load(ctx context.Context, column, from, to int) ([]arrow.Array, error) {
	m.look(from, to)
	m.read.Reset()
	out := make([]arrow.Array, len(m.parts))
	for i := range m.parts {
		low := int(m.window.low[i])
		var err error
		if out[i], err = m.readPart(ctx, i, column, low, low+int(m.window.rows[i])); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readPart reads rows from..to of a part's row group.
func (m *mergedRows) readPart(ctx context.Context, part, column, from, to int) (arrow.Array, error) {
	p := &m.parts[part]
	c := p.sources[column]
	if from == to || !c.found {
		return event.NewNulls(c.column.Type, to-from), nil
	}
	read, _, err := p.reader.Read(ctx, []event.FieldID{c.source.ID}, p.group, from, to, &m.read)
	if err != nil {
		return nil, err
	}
	return conformed(read[0], c.source, c.column)
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
