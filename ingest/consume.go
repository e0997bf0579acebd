package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// Record is one event as a consumer reads it.
type Record struct {
	Offset event.Offset
	// Timestamp is the event time in milliseconds since 1970.
	Timestamp int64
	// Value is the row as it came; the row written anew where it came as typed values, or from segments, where the log has been trimmed. It is
	// valid during the call only.
	Value []byte
}

// errEnough ends a reading that has given as many records as were asked for.
var errEnough = errors.New("enough")

// Partitions is how many partitions the stream has.
func (s *Stream) Partitions() int { return len(s.writers) }

// Bounds are the first offset that a consumer can read and the one after the last.
func (s *Stream) Bounds(p event.Partition) (earliest, latest event.Offset) {
	return 0, s.sealing.Tail.Next(p)
}

// OffsetAt finds the first record with an event time at or after a timestamp in milliseconds since 1970, among those that the log
// still has; the offset after the last record where there is none.
func (s *Stream) OffsetAt(p event.Partition, timestamp int64) (event.Offset, error) {
	found, err := s.sealing.Logs[p].FirstAt(timestamp)
	return min(found, s.sealing.Tail.Next(p)), err
}

// Published returns a channel that is closed when the next rows of the stream become visible.
func (s *Stream) Published() <-chan struct{} { return s.sealing.Tail.Published() }

// Consume calls fn for the acknowledged records of a partition from an offset on, in order, at most limit of them, and returns
// the offset to go on from. An error of fn ends it.
func (s *Stream) Consume(ctx context.Context, p event.Partition, from event.Offset, limit int, fn func(Record) error) (event.Offset, error) {
	c := &consumer{stream: s, partition: p, next: from, left: limit, fn: fn, ctx: ctx}
	end := s.sealing.Tail.Next(p) // what is published is durable; the log may hold more
	for c.next < end && c.left > 0 {
		at := c.next
		err := c.fromLog(end)
		if errors.Is(err, errTrimmed) {
			err = c.fromSegments()
		}
		if err != nil {
			return c.next, err
		}
		if c.next == at {
			return at, event.Errorf(event.CodeCorrupt, "stream %s, partition %d: offset %d is neither in the log nor in a segment", s.name, p, at)
		}
	}
	return c.next, nil
}

// errTrimmed says that the log no longer has an offset.
var errTrimmed = errors.New("the log is trimmed")

// consumer is one call of Consume.
type consumer struct {
	stream    *Stream
	partition event.Partition
	next      event.Offset
	left      int
	fn        func(Record) error
	ctx       context.Context // of the call
}

func (c *consumer) give(r Record) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if err := c.fn(r); err != nil {
		return err
	}
	c.next = r.Offset + 1
	if c.left--; c.left == 0 {
		return errEnough
	}
	return nil
}

func (c *consumer) fromLog(end event.Offset) error {
	log := c.stream.sealing.Logs[c.partition]
	if c.next < log.First() {
		return errTrimmed
	}
	var damage *record.CorruptionError
	err := log.Read(c.next, func(e *eventlog.Entry) error {
		if e.Idle != nil && e.First < end {
			c.next = max(c.next, e.End())
			return nil
		}
		text, err := c.stream.textsOf(e)
		if err != nil {
			return err
		}
		for i := range e.Rows() {
			offset := e.First + event.Offset(i)
			if offset < c.next {
				continue
			}
			if offset >= end {
				return errEnough
			}
			value, err := text(i)
			if err != nil {
				return err
			}
			if err := c.give(Record{Offset: offset, Timestamp: e.Times[i], Value: value}); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return nil
	case errors.Is(err, fs.ErrNotExist) && c.next < log.First(): // the file was trimmed away meanwhile
		return errTrimmed
	case errors.As(err, &damage) && c.rescue(damage): // a segment has it too
		return errTrimmed
	default:
		return err
	}
}

// textsOf gives an entry's rows as texts: as they came, or where they came as typed values, as segments give them.
func (s *Stream) textsOf(e *eventlog.Entry) (func(row int) ([]byte, error), error) {
	if e.Columns == nil {
		return func(row int) ([]byte, error) { return e.Values[row], nil }, nil
	}
	schema := s.Definition().Schema
	columns, err := e.Columns.Under(schema, e.Rows())
	if err != nil {
		return nil, fmt.Errorf("offset %d: %w", e.First, err)
	}
	var text []byte
	return func(row int) (_ []byte, err error) {
		text, err = event.AppendJSONRow(text[:0], schema.Columns, columns, row)
		return text, err
	}, nil
}

// rescue sees to it that a segment has what the damaged log cannot give, and reports whether one does. What is not sealed is still in
// memory, unless the damage was there when the log was recovered: then the rows are quarantined.
func (c *consumer) rescue(damage *record.CorruptionError) bool {
	sealed := c.sealed()
	if sealed > c.next {
		return true
	}
	for _, q := range c.stream.Definition().Quarantined {
		if q.Partition == c.partition && q.To > sealed {
			return false
		}
	}
	logger := c.stream.engine.options.Logger.With("stream", c.stream.name, "partition", c.partition)
	logger.Error("a log is damaged; its rows are sealed from memory", "file", damage.File, "byte", damage.Offset, "reason", damage.Reason)
	if _, err := c.stream.Seal(c.ctx); err != nil {
		logger.Error("the rows of a damaged log could not be sealed", "error", err)
	}
	return c.sealed() > c.next
}

// sealed is up to where segments hold the partition's rows.
func (c *consumer) sealed() event.Offset {
	view := c.stream.engine.store.View(c.stream.name)
	defer view.Close()
	return view.Sealed().Next.At(c.partition)
}

// fromSegments reads the next offsets from whatever segments hold them: a merged segment holds offsets of many seals, and the next one
// may lie in another. Offsets that are in no segment belonged to rows that have expired, or are not a row's, and are passed over.
func (c *consumer) fromSegments() error {
	view := c.stream.engine.store.View(c.stream.name)
	defer view.Close()
	end := view.Sealed().Next.At(c.partition)
	if c.next = c.firstHeld(view, end); c.next >= end {
		return nil
	}
	last := min(end, c.next+event.Offset(min(c.left, maxSegmentRecords))) - 1
	rows, err := c.readSegments(view, last)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := c.give(r); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
	c.next = last + 1 // offsets without a row are those of idle markers and of what has expired
	return nil
}

// maxSegmentRecords bounds what is read from segments before any of it is given.
const maxSegmentRecords = 10_000

// firstHeld is the first offset from the next one on that may be in a segment; end where there is none.
func (c *consumer) firstHeld(view *segments.View, end event.Offset) event.Offset {
	first := max(end, c.next)
	for _, s := range view.Segments() {
		if c.next < s.To.At(c.partition) {
			first = min(first, max(c.next, s.From.At(c.partition)))
		}
	}
	return first
}

// readSegments gives the partition's rows from the next offset up to last, in order.
func (c *consumer) readSegments(view *segments.View, last event.Offset) ([]Record, error) {
	schema := c.stream.Definition().Schema
	bound := func(v event.Offset) arrow.Array { return event.NewInt64s([]int64{int64(v)}, nil) }
	partition := bound(event.Offset(c.partition))
	request := segments.ScanRequest{Schema: schema, Ranges: []prune.Range{
		{Field: event.FieldPartition, Low: partition, High: partition},
		{Field: event.FieldOffset, Low: bound(c.next), High: bound(last)},
	}}
	for _, column := range schema.All() {
		request.Columns = append(request.Columns, column.ID)
	}
	morsels, _, err := view.Scan(c.ctx, request)
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, m := range morsels {
		columns, _, err := m.Read(c.ctx, nil, nil)
		if err != nil {
			return nil, err
		}
		if out, err = c.collect(out, schema, columns, last); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return int(a.Offset - b.Offset) })
	return out, nil
}

// collect renders the rows of a morsel that are wanted. columns are those of schema.All().
func (c *consumer) collect(out []Record, schema *event.Schema, columns []arrow.Array, last event.Offset) ([]Record, error) {
	own := len(schema.Columns)
	partitions := columns[own].(*array.Int64).Int64Values()
	offsets := columns[own+1].(*array.Int64).Int64Values()
	times := columns[own+2].(*array.Timestamp)
	for i, column := range schema.Columns {
		if column.ID == schema.TimeColumn {
			times = columns[i].(*array.Timestamp)
		}
	}
	for i, offset := range offsets {
		if event.Partition(partitions[i]) != c.partition || event.Offset(offset) < c.next || event.Offset(offset) > last {
			continue
		}
		value, err := event.AppendJSONRow(nil, schema.Columns, columns[:own], i)
		if err != nil {
			return nil, err
		}
		out = append(out, Record{Offset: event.Offset(offset), Timestamp: int64(times.Value(i)) / 1000, Value: value})
	}
	return out, nil
}
