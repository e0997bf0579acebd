package segments

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

// Morsel is a range of rows of one segment that one worker reads as a whole.
type Morsel struct {
	view     *View
	reader   *parquet.Reader
	columns  []columnSource
	group    int
	from, to int
}

// Rows is the number of rows.
func (m *Morsel) Rows() int { return m.to - m.from }

// Read loads those of the requested columns that wanted names, and leaves the others nil; a nil wanted names all. Each has Rows()
// values of the type that the request's schema gives it. Text may come as a dictionary. Columns may lie in memory, which may be
// nil, and are then good until it is reset. bytes counts what had to be decoded.
func (m *Morsel) Read(ctx context.Context, wanted []bool, memory *event.Buffers) (columns []arrow.Array, bytes int64, err error) {
	if m.view.closed.Load() {
		return nil, 0, event.Errorf(event.CodeClosed, "the view of stream %s is closed", m.view.stream)
	}
	all := wanted == nil
	ids := make([]event.FieldID, 0, len(m.columns))
	for i, c := range m.columns {
		if c.found && (all || wanted[i]) {
			ids = append(ids, c.source.ID)
		}
	}
	read, bytes, err := m.reader.Read(ctx, ids, m.group, m.from, m.to, memory)
	if err != nil {
		return nil, bytes, err
	}
	columns = make([]arrow.Array, len(m.columns))
	for i, c := range m.columns {
		if !all && !wanted[i] {
			continue
		}
		if !c.found {
			columns[i] = event.NewNulls(c.column.Type, m.Rows())
			continue
		}
		if columns[i], err = conformed(read[0], c.source, c.column); err != nil {
			return nil, bytes, err
		}
		read = read[1:]
	}
	return columns, bytes, nil
}

// Bounds is an array of two values that enclose those of a requested column, both included; ok is false where they are not
// known or some row has NULL. Only whole numbers and times have bounds.
func (m *Morsel) Bounds(column int) (lowHigh arrow.Array, ok bool) {
	c := &m.columns[column]
	kind := c.column.Type.Kind
	if !c.found || c.source.Type.Kind != kind || (kind != event.BigInt && kind != event.TimestampTZ) {
		return nil, false
	}
	stats, ok := m.reader.RangeStats(m.group, m.from, m.to, c.source.ID)
	if !ok || !stats.Bounded || stats.Nulls > 0 {
		return nil, false
	}
	bounds := []int64{stats.Min.Int, stats.Max.Int}
	if kind == event.TimestampTZ {
		return event.NewTimestamps(bounds, nil), true
	}
	return event.NewInt64s(bounds, nil), true
}

// Values has every value of a requested column of BIGINT or TEXT, each once and NULL apart, and perhaps values that no row has: those of
// the row group's dictionary, or all whole numbers between two. It is nil where they are not known or are more than most. null says
// that some row may have NULL; bytes counts what had to be decoded.
func (m *Morsel) Values(column, most int) (values arrow.Array, null bool, bytes int64, err error) {
	c := &m.columns[column]
	kind := c.column.Type.Kind
	if !c.found || c.source.Type.Kind != kind || (kind != event.BigInt && kind != event.Text) {
		return nil, false, 0, nil
	}
	if m.view.closed.Load() {
		return nil, false, 0, event.Errorf(event.CodeClosed, "the view of stream %s is closed", m.view.stream)
	}
	stats, ok := m.reader.RangeStats(m.group, m.from, m.to, c.source.ID)
	null = !ok || stats.Nulls > 0
	if kind == event.Text {
		values, bytes, err = m.reader.Dictionary(m.group, c.source.ID, most)
		return values, null, bytes, err
	}
	width := uint64(stats.Max.Int) - uint64(stats.Min.Int)
	if !ok || !stats.Bounded || width >= uint64(most) {
		return nil, null, 0, nil
	}
	between := make([]int64, width+1)
	for i := range between {
		between[i] = stats.Min.Int + int64(i)
	}
	return event.NewInt64s(between, nil), null, 0, nil
}

// HasMember reports whether a member of the documents of a requested column can be read by itself: the file keeps it in a column of its own.
func (m *Morsel) HasMember(column int, path []string) bool {
	_, ok := m.member(column, path)
	return ok
}

func (m *Morsel) member(column int, path []string) (id event.FieldID, ok bool) {
	c := &m.columns[column]
	if !c.found || c.source.Type.Kind != event.JSONB {
		return 0, false
	}
	return m.reader.Member(m.group, c.source.ID, path)
}

// ReadMember loads a member for which HasMember is true: of every row what the operator -> yields along the path, as Read loads a column of JSONB.
func (m *Morsel) ReadMember(ctx context.Context, column int, path []string, memory *event.Buffers) (values arrow.Array, bytes int64, err error) {
	if m.view.closed.Load() {
		return nil, 0, event.Errorf(event.CodeClosed, "the view of stream %s is closed", m.view.stream)
	}
	id, ok := m.member(column, path)
	if !ok {
		return nil, 0, fmt.Errorf("read member %q: the row group has no column of it", path)
	}
	read, bytes, err := m.reader.Read(ctx, []event.FieldID{id}, m.group, m.from, m.to, memory)
	if err != nil {
		return nil, bytes, err
	}
	return read[0], bytes, nil
}

// conformed brings an array read under a source to the type of its column.
func conformed(values arrow.Array, source event.Source, column event.Column) (arrow.Array, error) {
	out, err := event.Widen(values, source.Type, column.Type)
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", column.Name, err)
	}
	return out, nil
}
