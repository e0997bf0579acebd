package segments

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// ErrSchemaChanged is what a Scan's error wraps when the request's schema is too old for a segment: planning again helps.
var ErrSchemaChanged = errors.New("schema has changed since the query was planned")

// MaxMorselRows is the most rows that a Morsel has, unless a page alone has more: one page of the usual size, whose values are
// used where they lie in the cache.
const MaxMorselRows = parquet.DefaultPageRows

// View is the sealed part of one stream as it was at one moment: neither sealing nor a change of the schema alters it. It may be
// used from any goroutine.
type View struct {
	store    *Store
	stream   string
	manifest *manifest.View
	epoch    uint64
	closed   atomic.Bool
}

// View pins the present state of a stream: the files of its segments stay until the caller closes it. The pin comes first and the list
// second: a segment taken away in between is not in the list, and one taken away later is of a later epoch than the pin.
func (s *Store) View(stream string) *View {
	s.mu.Lock()
	epoch := s.mu.epoch
	s.mu.pins[epoch]++
	s.mu.Unlock()
	return &View{store: s, stream: stream, manifest: s.manifest.View(stream), epoch: epoch}
}

// Sealed says how far the stream is sealed in this view.
func (v *View) Sealed() manifest.Sealed { return v.manifest.Sealed }

// ExpiredBefore is the event time below which retention has dropped rows, in microseconds since 1970 or manifest.NoTime.
func (v *View) ExpiredBefore() int64 { return v.manifest.ExpiredBefore }

// ExpiredTo is the offset after the newest row of each partition that retention has dropped.
func (v *View) ExpiredTo() event.Vector { return v.manifest.ExpiredTo }

// Segments lists the segments of this view by time. The caller must not change the list.
func (v *View) Segments() []*manifest.Segment { return v.manifest.Segments }

// Close ends the use of the view. It may be called twice.
func (v *View) Close() error {
	if v.closed.Swap(true) {
		return nil
	}
	s := v.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.pins[v.epoch]--; s.mu.pins[v.epoch] == 0 {
		delete(s.mu.pins, v.epoch)
	}
	return nil
}

// ScanRequest says what to read.
type ScanRequest struct {
	// Schema is the one that the reader knows; rows written under others are brought to it.
	Schema *event.Schema
	// Columns are the ids wanted, hidden ones included, in the order wanted.
	Columns []event.FieldID
	// Ranges are conditions that every row wanted satisfies.
	Ranges []prune.Range
	// Settled, if not nil, is asked about every segment that the ranges leave in: one for which it says true is not read.
	Settled func(Statistics) bool
}

// Pruned counts what a Scan left out: whole segments for the ranges, row groups of the others, and segments that were settled by their
// statistics. RowGroupsLeft counts those left in.
type Pruned struct{ Segments, RowGroups, RowGroupsLeft, Settled int }

// Scan lists pieces, in order of time by segment, that together hold all rows which can satisfy the ranges, and some others.
// Footers are read, data is not.
func (v *View) Scan(ctx context.Context, request ScanRequest) (morsels []*Morsel, pruned Pruned, err error) {
	for _, segment := range v.manifest.Segments {
		if err := ctx.Err(); err != nil {
			return nil, Pruned{}, err
		}
		if v.closed.Load() {
			return nil, Pruned{}, event.Errorf(event.CodeClosed, "the view of stream %s is closed", v.stream)
		}
		if settled(segment, &request) {
			pruned.Settled++
			continue
		}
		found, groups, err := v.scanSegment(segment, request)
		if err != nil {
			return nil, Pruned{}, err
		}
		if len(found) == 0 {
			pruned.Segments++
		} else {
			left := groupsOf(found)
			pruned.RowGroupsLeft += left
			pruned.RowGroups += groups - left
		}
		morsels = append(morsels, found...)
	}
	return morsels, pruned, nil
}

// settled asks whether statistics are enough. A segment that is newer than the request's schema is for scanSegment to judge.
func settled(segment *manifest.Segment, request *ScanRequest) bool {
	if request.Settled == nil || segment.SchemaVersion > request.Schema.Version {
		return false
	}
	return !prune.Excluded(request.Ranges, request.Schema, segment.Stats) && request.Settled(Statistics{segment, request})
}

// groupsOf counts the row groups that morsels of one segment lie in.
func groupsOf(morsels []*Morsel) int {
	groups := 0
	for i, m := range morsels {
		if i == 0 || morsels[i-1].group != m.group {
			groups++
		}
	}
	return groups
}

// scanSegment prunes from coarse to fine: the manifest's statistics before the file is opened, then row groups by statistics
// and bloom filters, then pages. groups is
// how many row groups a file that was opened has.
func (v *View) scanSegment(segment *manifest.Segment, request ScanRequest) (out []*Morsel, groups int, err error) {
	if err := checkVersion(segment, request.Schema, request.needed()); err != nil {
		return nil, 0, err
	}
	if prune.Excluded(request.Ranges, request.Schema, segment.Stats) {
		return nil, 0, nil
	}
	reader, err := v.store.reader(segment)
	if err != nil {
		return nil, 0, err
	}
	sources, err := request.sources(reader)
	if err != nil {
		return nil, 0, err
	}
	for group := range reader.RowGroups() {
		stats := func(id event.FieldID) (prune.Stats, bool) { return reader.ChunkStats(group, id) }
		if prune.Excluded(request.Ranges, request.Schema, stats) {
			continue
		}
		mayHold := func(id event.FieldID, value arrow.Array) (bool, error) { return reader.MayHold(group, id, value) }
		if missing, err := prune.Missing(request.Ranges, request.Schema, mayHold); err != nil {
			return nil, 0, err
		} else if missing {
			continue
		}
		for _, rows := range keptRows(reader, group, request) {
			out = append(out, &Morsel{view: v, reader: reader, columns: sources, group: group, from: rows.from, to: rows.to})
		}
	}
	return out, reader.RowGroups(), nil
}

// rowRange is rows from..to of a row group.
type rowRange struct{ from, to int }

// keptRows joins neighbouring pages that may match into ranges of the size of a morsel.
func keptRows(reader *parquet.Reader, group int, request ScanRequest) []rowRange {
	var out []rowRange
	first := 0
	for page, end := range reader.PageEnds(group) {
		stats := func(id event.FieldID) (prune.Stats, bool) { return reader.PageStats(group, page, id) }
		if !prune.Excluded(request.Ranges, request.Schema, stats) {
			if n := len(out); n > 0 && out[n-1].to == first && end-out[n-1].from <= MaxMorselRows {
				out[n-1].to = end
			} else {
				out = append(out, rowRange{first, end})
			}
		}
		first = end
	}
	return out
}

// needed are the columns whose place in a file matters: those read and those that ranges look at.
func (r ScanRequest) needed() []event.FieldID {
	out := append([]event.FieldID{}, r.Columns...)
	for _, x := range r.Ranges {
		out = append(out, x.Field)
	}
	return out
}

// checkVersion refuses a reader whose schema is older than the file where a column that it needs has widened since: the file holds
// it under an id that the reader cannot know, and NULL would be a wrong answer.
func checkVersion(segment *manifest.Segment, schema *event.Schema, needed []event.FieldID) error {
	if segment.SchemaVersion <= schema.Version {
		return nil
	}
	for _, id := range needed {
		column, ok := schema.ByID(id)
		if ok && !stored(segment, column) {
			return &event.Error{
				Code: event.CodeTooBusy, Detail: fmt.Sprintf("column %q has changed its type since the query was planned", column.Name),
				Hint: "run the query again", Cause: ErrSchemaChanged,
			}
		}
	}
	return nil
}

func stored(segment *manifest.Segment, column event.Column) bool {
	for _, source := range column.Sources() {
		if _, ok := segment.Stats(source.ID); ok {
			return true
		}
	}
	return false
}

// columnSource is where a wanted column lies in a file; found is false where every row has NULL.
type columnSource struct {
	column event.Column
	source event.Source
	found  bool
}

func (r ScanRequest) sources(reader *parquet.Reader) ([]columnSource, error) {
	out := make([]columnSource, len(r.Columns))
	for i, id := range r.Columns {
		column, ok := r.Schema.ByID(id)
		if !ok {
			return nil, fmt.Errorf("scan segments: no column with id %d in schema version %d", id, r.Schema.Version)
		}
		out[i].column = column
		out[i].source, out[i].found = findSource(reader, column)
	}
	return out, nil
}

// findSource says where a column lies in a file.
func findSource(reader *parquet.Reader, column event.Column) (source event.Source, ok bool) {
	for _, source := range column.Sources() {
		if reader.Has(source.ID) {
			return source, true
		}
	}
	return event.Source{}, false
}
