package views

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// streamInput reads a stream: sealed rows from segments, the others from the tail.
type streamInput struct {
	engine *ingest.Engine
	store  *segments.Store
	want   continuous.Input
	reads  *sharedReads
	// most is how many unsealed rows are taken at a time, 0 for all.
	most int64
}

// changed implements input. A stream that is gone changes no more.
func (s *streamInput) changed() <-chan struct{} {
	stream, err := s.engine.Stream(s.want.Name)
	if err != nil {
		return nil
	}
	return stream.Published()
}

// pull implements input. It takes the tail first and the segments second, as a query does, so that no row is in neither. While there
// are sealed rows to read it goes no further than those: what is behind them is read next time, in the order in which it came.
func (s *streamInput) pull(ctx context.Context, from Mark, to *Mark) (*portion, error) {
	stream, err := s.engine.Stream(s.want.Name)
	if err != nil {
		return nil, err
	}
	view, err := s.engine.Tail(s.want.Name)
	if err != nil {
		return nil, err
	}
	pinned := s.store.View(s.want.Name)
	sealed := pinned.Sealed()
	behind := !from.Vector.Covers(sealed.Next)
	first := to == nil
	if first {
		to = &Mark{Name: s.want.Name, Vector: sealed.Next, Watermarks: sealed.Watermark}
		if !behind {
			to = s.within(from, view)
		}
	}
	mark := Mark{Name: s.want.Name, Vector: from.Vector.Max(to.Vector), Watermarks: rising(from.Watermarks, to.Watermarks)}
	p := &portion{to: mark, closed: least(mark.Watermarks, stream.Partitions()), close: pinned.Close}
	if loss, ok := lossBetween(from, mark.Vector, pinned.ExpiredTo()); ok {
		p.lost = append(p.lost, loss)
	}
	if loss, ok := damageBetween(from, mark.Vector, stream.Definition().Quarantined, first); ok {
		p.lost = append(p.lost, loss)
	}
	if from.Vector.Covers(mark.Vector) && slices.Equal(from.Watermarks, mark.Watermarks) {
		return nil, pinned.Close()
	}
	if behind {
		if err := s.addSegments(ctx, stream, p, pinned, from.Vector); err != nil {
			return nil, errors.Join(err, pinned.Close())
		}
	}
	fromSegments := len(p.pieces)
	if s.addTail(stream, p, view, from.Vector.Max(sealed.Next)); len(p.pieces) > fromSegments {
		for i := range fromSegments {
			p.pieces[i].after = continuous.NoWatermark // rows of the tail may be older than sealed ones
		}
	}
	return p, nil
}

// within is where the tail is now, or, where that is more than the rows that are taken at a time, a place before it. Time has not come further
// there than it had: the watermarks of a place in the middle are not known.
func (s *streamInput) within(from Mark, view tail.View) *Mark {
	to := &Mark{Name: s.want.Name, Vector: view.Next, Watermarks: tailWatermarks(view)}
	left, there := s.most, int64(0)
	for p, next := range view.Next {
		there += int64(next - from.Vector.At(event.Partition(p)))
	}
	if left <= 0 || there <= left {
		return to
	}
	vector := make(event.Vector, len(view.Next))
	copy(vector, from.Vector)
	for _, b := range view.Batches {
		rest := b.From(vector[b.Partition])
		switch {
		case rest == nil:
		case left == 0:
			return &Mark{Name: s.want.Name, Vector: vector, Watermarks: from.Watermarks}
		case int64(rest.Rows()) > left:
			vector[b.Partition] = event.Offset(rest.Offsets()[left-1]) + 1
			return &Mark{Name: s.want.Name, Vector: vector, Watermarks: from.Watermarks}
		default:
			left -= int64(rest.Rows())
			vector[b.Partition] = rest.Last + 1
		}
	}
	return to
}

// watermarks implements input. A stream that is gone closes nothing any more.
func (s *streamInput) watermarks(m Mark) (closed, final int64) {
	stream, err := s.engine.Stream(s.want.Name)
	if err != nil {
		return continuous.NoWatermark, continuous.NoWatermark
	}
	closed = least(m.Watermarks, stream.Partitions())
	return closed, closed
}

// reaches implements input. A stream whose log ends before a mark has lost files, and would give its next rows offsets that the view has
// taken: it would pass them over.
func (s *streamInput) reaches(m Mark) error {
	stream, err := s.engine.Stream(s.want.Name)
	if err != nil {
		return err
	}
	if end := stream.Recovered(); !end.Covers(m.Vector) {
		return event.Errorf(event.CodeCorrupt, "it has read stream %s up to offsets %s, and the log ended at %s when the server began: log files are missing",
			s.want.Name, m.Vector, end).WithHint("stop the server and run tidemark doctor repair: the log then goes on behind those offsets")
	}
	return nil
}

// behind implements input.
func (s *streamInput) behind(m Mark) bool {
	view := s.store.View(s.want.Name)
	defer view.Close()
	return !m.Vector.Covers(view.Sealed().Next)
}

// tailWatermarks are the partitions' watermarks after the rows of a view of the tail.
func tailWatermarks(view tail.View) []int64 {
	out := make([]int64, len(view.Clocks))
	for p, clock := range view.Clocks {
		if out[p] = continuous.NoWatermark; clock.HasWatermark {
			out[p] = clock.Watermark
		}
	}
	return out
}

// rising is the greater of two watermarks of each partition.
func rising(a, b []int64) []int64 {
	out := make([]int64, max(len(a), len(b)))
	for p := range out {
		out[p] = continuous.NoWatermark
		if p < len(a) {
			out[p] = max(out[p], a[p])
		}
		if p < len(b) {
			out[p] = max(out[p], b[p])
		}
	}
	return out
}

// least is the watermark of a stream: that of the partition furthest behind.
func least(watermarks []int64, partitions int) int64 {
	if len(watermarks) < partitions {
		return continuous.NoWatermark
	}
	return slices.Min(watermarks)
}

// addSegments adds the sealed rows after one vector and before another, in order of time.
func (s *streamInput) addSegments(ctx context.Context, stream *ingest.Stream, p *portion, view *segments.View, from event.Vector) error {
	request := segments.ScanRequest{Schema: s.want.Schema, Columns: slices.Clone(s.want.Fields)}
	at := func(id event.FieldID) int {
		i := slices.Index(request.Columns, id)
		if i < 0 {
			i = len(request.Columns)
			request.Columns = append(request.Columns, id)
		}
		return i
	}
	time := s.want.Schema.TimeColumn
	if time == 0 {
		time = event.FieldIngestedAt
	}
	filter := vectorFilter{from: from, to: p.to.Vector, partition: at(event.FieldPartition), offset: at(event.FieldOffset)}
	timeAt := at(time)
	if len(from) == len(p.to.Vector) && len(from) > 0 {
		request.Ranges = []prune.Range{{Field: event.FieldOffset, Low: event.NewInt64s([]int64{int64(slices.Min(from))}, nil)}}
	}
	morsels, _, err := view.Scan(ctx, request)
	if errors.Is(err, segments.ErrSchemaChanged) {
		err = errInputChanged
	}
	if err != nil {
		return fmt.Errorf("read segments of %s: %w", s.want.Name, err)
	}
	after, name := int64(math.MaxInt64), keyOfSegments(s.want, view, from, p.to.Vector)
	pieces := make([]piece, len(morsels))
	for i, m := range slices.Backward(morsels) {
		key := readKey{stream, fmt.Sprint(name, " ", i)}
		pieces[i] = piece{rows: m.Rows(), after: after, read: func(ctx context.Context) (continuous.Delta, error) {
			return s.reads.get(ctx, key, func(ctx context.Context) (continuous.Delta, error) {
				columns, _, err := m.Read(ctx, nil, nil)
				if err != nil {
					return continuous.Delta{}, err
				}
				return filter.apply(columns, len(s.want.Fields)), nil
			})
		}}
		low := int64(continuous.NoWatermark)
		if bounds, ok := m.Bounds(timeAt); ok {
			low = int64(bounds.(*array.Timestamp).Value(0))
		}
		after = min(after, low)
		p.rows += int64(m.Rows())
	}
	p.pieces = append(p.pieces, pieces...)
	return nil
}

// vectorFilter keeps the rows between two vectors.
type vectorFilter struct {
	from, to          event.Vector
	partition, offset int
}

// apply filters rows and keeps the first columns.
func (f vectorFilter) apply(columns []arrow.Array, wanted int) continuous.Delta {
	partitions, offsets := columns[f.partition].(*array.Int64), columns[f.offset].(*array.Int64)
	var kept []int32
	for i, offset := range offsets.Int64Values() {
		p := event.Partition(partitions.Value(i))
		if o := event.Offset(offset); o >= f.from.At(p) && o < f.to.At(p) {
			kept = append(kept, int32(i))
		}
	}
	out := continuous.Delta{Columns: columns[:wanted], Rows: offsets.Len()}
	if len(kept) == out.Rows {
		return out
	}
	out.Rows = len(kept)
	for i, c := range out.Columns {
		out.Columns[i] = event.Take(c, kept)
	}
	return out
}

// addTail adds the rows of the tail after one vector and before the portion's end, in the order in which they came.
func (s *streamInput) addTail(stream *ingest.Stream, p *portion, view tail.View, from event.Vector) {
	var batches []*event.Batch
	count := 0
	flush := func() {
		some := batches
		p.rows += int64(count)
		p.pieces = append(p.pieces, piece{rows: count, after: continuous.NoWatermark, read: func(ctx context.Context) (continuous.Delta, error) {
			if len(some) == 1 { // nothing to be made
				return s.joined(some)
			}
			key := readKey{stream, keyOfBatches(s.want, some)}
			return s.reads.get(ctx, key, func(context.Context) (continuous.Delta, error) { return s.joined(some) })
		}})
		batches, count = nil, 0
	}
	for _, b := range view.Batches {
		if b = until(b.From(from.At(b.Partition)), p.to.Vector.At(b.Partition)); b == nil {
			continue
		}
		batches, count = append(batches, b), count+b.Rows()
		if count >= pieceRows {
			flush()
		}
	}
	if count > 0 {
		flush()
	}
}

// until is the part of a batch before an offset; nil where there is none.
func until(b *event.Batch, next event.Offset) *event.Batch {
	if b == nil || b.First >= next {
		return nil
	}
	if b.Last < next {
		return b
	}
	offsets := b.Offsets()
	n := sort.Search(len(offsets), func(i int) bool { return event.Offset(offsets[i]) >= next })
	rows := b.Record.NewSlice(0, int64(n))
	return &event.Batch{Schema: b.Schema, Record: rows, Partition: b.Partition, First: b.First, Last: event.Offset(offsets[n-1])}
}

// joined brings batches to the schema of the query, as one change.
func (s *streamInput) joined(batches []*event.Batch) (continuous.Delta, error) {
	out := continuous.Delta{Columns: make([]arrow.Array, len(s.want.Fields))}
	parts := make([][]arrow.Array, len(s.want.Fields))
	for _, b := range batches {
		if !s.readable(b.Schema) {
			return out, fmt.Errorf("stream %s: %w", s.want.Name, errInputChanged)
		}
		columns, err := b.Conform(s.want.Schema, s.want.Fields)
		if err != nil {
			return out, err
		}
		for i, c := range columns {
			parts[i] = append(parts[i], c)
		}
		out.Rows += b.Rows()
	}
	for i := range parts {
		var err error
		if out.Columns[i], err = kernel.Concat(parts[i]); err != nil {
			return out, err
		}
	}
	return out, nil
}

// readable reports whether rows of a schema can be brought to the one that the query knows: a column that has widened since cannot.
func (s *streamInput) readable(schema *event.Schema) bool {
	if schema.Version <= s.want.Schema.Version {
		return true
	}
	return !slices.ContainsFunc(s.want.Fields, func(id event.FieldID) bool {
		c, _ := s.want.Schema.ByID(id)
		return !slices.ContainsFunc(c.Sources(), func(source event.Source) bool {
			_, ok := schema.ByID(source.ID)
			return ok
		})
	})
}
