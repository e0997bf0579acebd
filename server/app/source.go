package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/prune"
	"github.com/tidemarkdb/tidemark/server/system"
	"github.com/tidemarkdb/tidemark/server/views"
)

// source is query.Source over tails and segments.
type source struct {
	app *App
	// between, if not nil, is called after the tail of a stream was taken and before its segments are.
	between func()
}

// snapshot pins the streams and views of one query.
type snapshot struct {
	streams map[string]pinned
	// tables are those of the server's own that the query reads, as they were when it began.
	tables map[string]*system.Content
	views  map[string]*views.Pinned
	states []query.ViewState
}

type pinned struct {
	tail     []*event.Batch
	segments *segments.View
}

// Open takes the tail first and the segments second, then hides the tail's rows that the segments hold: rows sealed in between are
// in both, and are hidden here. In the other order they would be in neither.
func (s *source) Open(ctx context.Context, streams []string) (query.Snapshot, error) {
	out := &snapshot{streams: map[string]pinned{}, tables: map[string]*system.Content{}, views: map[string]*views.Pinned{}}
	for _, name := range streams {
		if strings.Contains(name, ".") { // which names of streams never do
			content, err := s.app.tables.Read(ctx, name)
			if err != nil {
				return nil, errors.Join(err, out.Close())
			}
			out.tables[name] = content
			continue
		}
		if v, ok := s.app.views.View(name); ok {
			pin, err := v.Pin()
			if err != nil {
				return nil, errors.Join(err, out.Close())
			}
			out.views[name] = pin
			if err := pin.Answerable(); err != nil {
				return nil, errors.Join(err, out.Close())
			}
			out.states = append(out.states, query.ViewState{Name: name, Vector: offsets(pin.Marks), LagRows: s.app.views.Lag(pin.Marks)})
			continue
		}
		view, err := s.app.ingest.Tail(name)
		if err != nil {
			return nil, errors.Join(err, out.Close())
		}
		if s.between != nil {
			s.between()
		}
		sealed := s.app.segments.View(name)
		out.streams[name] = pinned{tail: unsealed(view, sealed.Sealed().Next), segments: sealed}
	}
	return out, nil
}

// unsealed leaves the rows of a tail at and after the sealed vector.
func unsealed(view tail.View, sealed event.Vector) []*event.Batch {
	var out []*event.Batch
	for _, batch := range view.Batches {
		if rest := batch.From(sealed.At(batch.Partition)); rest != nil {
			out = append(out, rest)
		}
	}
	return out
}

// Scan lists the morsels of one stream: those of segments first, as older rows lie there. Rows of a later schema than the query was
// bound to cannot be read by it: the statement has to be bound again.
func (s *snapshot) Scan(ctx context.Context, request query.ScanRequest) (query.Scan, error) {
	if table, ok := s.tables[request.Stream]; ok {
		return table.Scan(request), nil
	}
	if view, ok := s.views[request.Stream]; ok {
		return view.Morsels(ctx, request.Schema, request.Columns, pruneRanges(request.Ranges))
	}
	stream := s.streams[request.Stream]
	if newest(stream) > request.Schema.Version {
		return query.Scan{}, segments.ErrSchemaChanged
	}
	asked := segments.ScanRequest{Schema: request.Schema, Columns: request.Columns, Ranges: pruneRanges(request.Ranges)}
	if request.Settled != nil {
		asked.Settled = func(s segments.Statistics) bool { return request.Settled(s) }
	}
	sealed, cut, err := stream.segments.Scan(ctx, asked)
	if err != nil {
		return query.Scan{}, fmt.Errorf("scan segments of %s: %w", request.Stream, err)
	}
	scan := query.Scan{
		SegmentsPruned: cut.Segments, SegmentsScanned: len(stream.segments.Segments()) - cut.Segments - cut.Settled,
		SegmentsSettled:  cut.Settled,
		RowGroupsScanned: cut.RowGroupsLeft, RowGroupsPruned: cut.RowGroups,
	}
	for _, m := range sealed {
		scan.Morsels = append(scan.Morsels, m)
	}
	for _, batch := range stream.tail {
		m := &tailMorsel{batch: batch, schema: request.Schema, columns: request.Columns}
		if m.outside(asked.Ranges) {
			continue
		}
		scan.TailRows += int64(batch.Rows())
		scan.Morsels = append(scan.Morsels, m)
	}
	return scan, nil
}

// newest is the greatest schema version among the rows pinned.
func newest(stream pinned) int {
	version := 0
	for _, batch := range stream.tail {
		version = max(version, batch.Schema.Version)
	}
	for _, segment := range stream.segments.Segments() {
		version = max(version, segment.SchemaVersion)
	}
	return version
}

func pruneRanges(ranges []plan.Range) []prune.Range {
	out := make([]prune.Range, len(ranges))
	for i, r := range ranges {
		out[i] = prune.Range(r)
	}
	return out
}

// Views implements query.ViewSnapshot.
func (s *snapshot) Views() []query.ViewState { return s.states }

// offsets are marks by the name of what they are of.
func offsets(marks []views.Mark) map[string][]int64 {
	out := map[string][]int64{}
	for _, m := range marks {
		out[m.Name] = []int64{}
		for _, next := range m.Vector {
			out[m.Name] = append(out[m.Name], int64(next))
		}
	}
	return out
}

// Close lets go of the segments.
func (s *snapshot) Close() error {
	var errs []error
	for _, stream := range s.streams {
		errs = append(errs, stream.segments.Close())
	}
	for _, view := range s.views {
		errs = append(errs, view.Close())
	}
	return errors.Join(errs...)
}

// tailMorsel is a batch of the tail.
type tailMorsel struct {
	batch   *event.Batch
	schema  *event.Schema
	columns []event.FieldID
}

// Rows is the batch's number of rows.
func (m *tailMorsel) Rows() int { return m.batch.Rows() }

// Bounds are known of the event time only.
func (m *tailMorsel) Bounds(column int) (arrow.Array, bool) {
	if m.columns[column] != m.schema.TimeColumn {
		return nil, false
	}
	low, high, ok := m.times()
	if !ok {
		return nil, false
	}
	return event.NewTimestamps([]int64{low, high}, nil), true
}

// times are the ends of the event time, unless that is another column in the query's schema.
func (m *tailMorsel) times() (low, high int64, ok bool) {
	if m.schema.TimeColumn != m.batch.Schema.TimeColumn {
		return 0, 0, false
	}
	return m.batch.Times()
}

// outside reports that the event times of all rows lie outside of ranges.
func (m *tailMorsel) outside(ranges []prune.Range) bool {
	for _, r := range ranges {
		if r.Field != m.schema.TimeColumn {
			continue
		}
		low, high, ok := m.times()
		stats := prune.Stats{
			Type: event.Type{Kind: event.TimestampTZ}, Rows: int64(m.batch.Rows()), Bounded: true, Min: prune.Bound{Int: low}, Max: prune.Bound{Int: high},
		}
		known := func(event.FieldID) (prune.Stats, bool) { return stats, true }
		if ok && prune.Excluded([]prune.Range{r}, m.schema, known) {
			return true
		}
	}
	return false
}

// Read brings the batch to the query's schema. The columns are the tail's own and take no memory.
func (m *tailMorsel) Read(_ context.Context, wanted []bool, _ *event.Buffers) ([]arrow.Array, int64, error) {
	ids := make([]event.FieldID, 0, len(m.columns))
	for i, id := range m.columns {
		if wanted == nil || wanted[i] {
			ids = append(ids, id)
		}
	}
	found, err := m.batch.Conform(m.schema, ids)
	if err != nil {
		return nil, 0, err
	}
	columns, bytes := make([]arrow.Array, len(m.columns)), int64(0)
	for i := range columns {
		if wanted == nil || wanted[i] {
			columns[i], found = found[0], found[1:]
			bytes += event.ArrayBytes(columns[i])
		}
	}
	return columns, bytes, nil
}
