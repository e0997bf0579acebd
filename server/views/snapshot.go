package views

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// Snapshot is what a view held after some step. It never changes.
type Snapshot struct {
	definition *catalog.View
	live       []*chunk
	liveRows   int
	final      []*event.Batch
	// next is the number of the next final row; those below sealed are in segments and not in final.
	next, sealed event.Offset
	// frame is the number of the next frame.
	frame uint64

	Marks         []Mark
	Closed, Final int64
	// Late counts the rows left out as late since the view was made.
	Late int64
	// Lost is what the view has missed since it was made.
	Lost []Loss
	// StateBytes is the memory of the machine.
	StateBytes int64
	// Fault is why the query over the inputs as they are here has no answer, nil where it has one: a value that does not exist yet,
	// as the ratio of two counts that are 0. Other views may follow the content meanwhile; it is not shown to anybody else.
	Fault error
}

// Rows is the number of rows.
func (s *Snapshot) Rows() int64 { return int64(s.next) + int64(s.liveRows) }

// bytes is the memory of the rows that no segment and no temporary file holds.
func (s *Snapshot) bytes() int64 {
	total := int64(0)
	for _, c := range s.live {
		total += c.bytes()
	}
	for _, b := range s.final {
		total += b.Bytes()
	}
	return total
}

// mark is the view as an input of others.
func (s *Snapshot) mark() Mark {
	m := Mark{
		Name: s.definition.Name, Generation: s.definition.Generation, Vector: event.Vector{event.Offset(s.frame)},
		Watermarks: []int64{s.Closed, s.Final},
	}
	if s.Fault != nil {
		m.Fault, m.FaultCode = s.Fault.Error(), event.CodeConflict
		if fault := (*event.Error)(nil); errors.As(s.Fault, &fault) {
			m.FaultCode = fault.Code
		}
	}
	return m
}

// covers reports whether the view has read as far as the marks say.
func (s *Snapshot) covers(targets []Mark) bool { return coverAll(s.Marks, targets) }

// coverAll reports whether marks are as far as others of the same inputs.
func coverAll(marks, targets []Mark) bool {
	for _, target := range targets {
		i := slices.IndexFunc(marks, func(m Mark) bool { return m.Name == target.Name })
		if i >= 0 && !marks[i].covers(target) {
			return false
		}
	}
	return true
}

// covers compares a view's watermarks too, and whether it has an answer: they can change without a frame.
func (m Mark) covers(o Mark) bool {
	if o.Generation == 0 {
		return m.Vector.Covers(o.Vector)
	}
	sameAnswer := m.Fault == o.Fault || !o.Vector.Covers(m.Vector)
	return m.Generation == o.Generation && sameAnswer && m.Vector.Covers(o.Vector) && slices.EqualFunc(m.Watermarks, o.Watermarks, func(a, b int64) bool {
		return a >= b
	})
}

// Pinned is a snapshot with the segments that belong to it. The caller closes it.
type Pinned struct {
	*Snapshot
	segments *segments.View
}

// Pin takes the view as it is now. It fails with CodeTooBusy while the view cannot be read yet.
//
// Segments are taken first: what they hold has been published before it was sealed, so the snapshot knows of it. A snapshot that has
// already let go of rows which these segments do not hold yet is of a later seal; then both are taken again.
func (v *View) Pin() (*Pinned, error) {
	for {
		pinned := v.set.options.Segments.View(v.Definition().Storage())
		s := v.snapshot()
		if s == nil {
			return nil, errors.Join(v.unreadable(), pinned.Close())
		}
		if s.definition.Storage() == v.Definition().Storage() && s.sealed <= pinned.Sealed().Next.At(0) {
			return &Pinned{Snapshot: s, segments: pinned}, nil
		}
		if err := pinned.Close(); err != nil {
			return nil, err
		}
	}
}

func (v *View) unreadable() error {
	status := v.Status()
	if status.State == Failed {
		return event.Errorf(codeOfStop(status.Failure), "view %q has stopped before it could be read: %v", status.Name, status.Failure)
	}
	if status.State == Paused {
		return event.Errorf(event.CodeConflict, "view %q is paused before it can be read: %v", status.Name, status.Failure)
	}
	return event.Errorf(event.CodeTooBusy, "view %q is being built: %s", status.Name, status.Detail).
		WithHint("SHOW VIEWS tells how far it is; a request with wait=true waits for it")
}

// Answerable tells why the content must not be shown, nil where it may be: an answer that lacks what failed would be a wrong one.
func (p *Pinned) Answerable() error {
	if p.Fault == nil {
		return nil
	}
	out := event.Error{Code: event.CodeConflict, Detail: p.Fault.Error()}
	if fault := (*event.Error)(nil); errors.As(p.Fault, &fault) {
		out = *fault
	}
	out.Detail = fmt.Sprintf("view %q has no answer for now: %s", p.definition.Name, p.Fault)
	return out.WithHint("the view goes on, and answers again once the rows behind this have changed")
}

// Close lets go of the segments.
func (p *Pinned) Close() error { return p.segments.Close() }

// Morsels lists the pieces of the content.
func (p *Pinned) Morsels(ctx context.Context, schema *event.Schema, fields []event.FieldID, ranges []prune.Range) (query.Scan, error) {
	if !slices.EqualFunc(schema.Columns, p.definition.Schema.Columns, sameColumn) {
		return query.Scan{}, segments.ErrSchemaChanged // the view was replaced since the query was bound
	}
	sealed, cut, err := p.segments.Scan(ctx, segments.ScanRequest{Schema: schema, Columns: fields, Ranges: ranges})
	if err != nil {
		return query.Scan{}, err
	}
	scan := query.Scan{
		SegmentsPruned: cut.Segments, SegmentsScanned: len(p.segments.Segments()) - cut.Segments,
		RowGroupsScanned: cut.RowGroupsLeft, RowGroupsPruned: cut.RowGroups,
	}
	for _, m := range sealed {
		scan.Morsels = append(scan.Morsels, m)
	}
	at := make([]int, len(fields))
	for i, id := range fields {
		at[i] = slices.IndexFunc(p.definition.Schema.Columns, func(c event.Column) bool { return c.ID == id })
		if at[i] < 0 {
			return query.Scan{}, event.Errorf(event.CodeInternal, "view %s has no column with id %d", p.definition.Name, id)
		}
	}
	held := p.segments.Sealed().Next.At(0)
	for _, b := range p.final {
		if rest := b.From(held); rest != nil {
			scan.TailRows += int64(rest.Rows())
			scan.Morsels = append(scan.Morsels, &rowsMorsel{columns: rest.Record.Columns(), at: at, count: rest.Rows()})
		}
	}
	for _, c := range p.live {
		scan.TailRows += int64(c.alive)
		scan.Morsels = append(scan.Morsels, &rowsMorsel{at: at, count: c.alive, chunk: c})
	}
	return scan, nil
}

func sameColumn(a, b event.Column) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Type.Equal(b.Type)
}

// rowsMorsel is rows in memory.
type rowsMorsel struct {
	columns []arrow.Array
	at      []int
	count   int
	// chunk tells which rows are left; nil for all.
	chunk *chunk
}

// Rows is the number of rows.
func (m *rowsMorsel) Rows() int { return m.count }

// Bounds are not known.
func (m *rowsMorsel) Bounds(int) (arrow.Array, bool) { return nil, false }

// Read gathers the rows that are left.
func (m *rowsMorsel) Read(_ context.Context, wanted []bool, _ *event.Buffers) ([]arrow.Array, int64, error) {
	var left []int32
	all := rows{columns: m.columns}
	if m.chunk != nil {
		var err error
		if all, err = m.chunk.load(); err != nil {
			return nil, 0, err
		}
		if m.chunk.alive < m.chunk.count {
			left = m.chunk.left()
		}
	}
	columns, bytes := make([]arrow.Array, len(m.at)), int64(0)
	for i, at := range m.at {
		if wanted != nil && !wanted[i] {
			continue
		}
		if columns[i] = all.columns[at]; left != nil {
			columns[i] = event.Take(columns[i], left)
		}
		bytes += event.ArrayBytes(columns[i])
	}
	return columns, bytes, nil
}
