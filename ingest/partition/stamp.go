package partition

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/slabs"
)

// stamper gives rows their hidden columns. A row's watermark derives from the event times of the rows and the idle markers before it and
// from nothing else, so that it is the same whether the row is stamped when it comes or when the log is replayed.
type stamper struct {
	partition   event.Partition
	bound       time.Duration
	futureLimit time.Duration
	idleTimeout time.Duration
	clock       tail.Clock
	// same is the partition as often as the longest batch has had rows, up to sameRows: batches share it.
	same   []int64
	memory *slabs.Arena // for what else rows are given; it may be nil
}

const (
	// sameRows is about what a chunk of ordinary events has.
	sameRows = 4096
	// stampedRows is the least number of rows whose offsets and arrivals wait until somebody asks for them: batches that are joined to others soon
	// need theirs.
	stampedRows = 512
)

// meta is what the log keeps beside the next rows.
func (s *stamper) meta(rows Rows) eventlog.Meta {
	meta := s.idleMeta(rows.Arrival)
	meta.SchemaVersion, meta.Request = int32(rows.Schema.Version), rows.Request
	return meta
}

// idleMeta is what the log keeps beside an idle marker.
func (s *stamper) idleMeta(arrival int64) eventlog.Meta {
	return eventlog.Meta{
		Arrival: arrival, Bound: s.bound, FutureLimit: s.futureLimit, IdleTimeout: s.idleTimeout,
		MaxEventTime: s.clock.MaxEventTime, HasMaxEventTime: s.clock.Valid,
		Watermark: s.clock.Watermark, HasWatermark: s.clock.HasWatermark,
	}
}

// batch completes rows from offset first on, and moves the clock.
func (s *stamper) batch(rows Rows, first event.Offset) (*event.Batch, error) {
	n := len(rows.Times)
	partitions := event.NewInt64s(s.partitions(n), nil)
	if n >= stampedRows {
		before, times, arrival := stamper{bound: s.bound, futureLimit: s.futureLimit, clock: s.clock}, rows.Times, rows.Arrival
		stamps := event.Stamps{
			Partitions: partitions, First: first, Arrival: arrival,
			Watermarks: func() arrow.Array { return before.watermarks(times, arrival) }, // holds no more of the rows than that
		}
		s.advance(times, arrival)
		return event.NewStamped(rows.Schema, s.partition, rows.Columns, stamps), nil
	}
	offsets, arrivals := slabs.Make[int64](s.memory, n)[:n], slabs.Make[int64](s.memory, n)[:n]
	for i := range n {
		offsets[i] = int64(first) + int64(i)
		arrivals[i] = rows.Arrival
	}
	columns := make([]arrow.Array, 0, len(rows.Columns)+len(event.Hidden))
	columns = append(columns, rows.Columns...)
	columns = append(columns,
		partitions, event.NewInt64s(offsets, nil), event.NewTimestamps(arrivals, nil), s.watermarks(rows.Times, rows.Arrival))
	return event.NewBatch(rows.Schema, s.partition, columns)
}

// partitions gives n rows their partition.
func (s *stamper) partitions(n int) []int64 {
	if n > sameRows {
		return slices.Repeat([]int64{int64(s.partition)}, n)
	}
	if len(s.same) < n {
		s.same = slices.Repeat([]int64{int64(s.partition)}, n)
	}
	return s.same[:n:n]
}

// advance moves the clock as watermarks does: as the greatest time counts, the others need not be looked at one by one.
func (s *stamper) advance(times []int64, arrival int64) {
	limit, greatest, found := arrival+s.futureLimit.Microseconds(), s.clock.MaxEventTime, s.clock.Valid
	for _, t := range times {
		if t <= limit && (!found || t > greatest) {
			greatest, found = t, true
		}
	}
	if found && (!s.clock.Valid || greatest > s.clock.MaxEventTime) {
		s.clock.MaxEventTime, s.clock.Valid = greatest, true
		s.clock = s.clock.Raise(greatest - s.bound.Microseconds())
	}
}

// watermarks gives each row the watermark that held before it, and moves the clock.
func (s *stamper) watermarks(times []int64, arrival int64) arrow.Array {
	out := slabs.Make[int64](s.memory, len(times))[:len(times)]
	var valid event.Bitmap
	limit, bound := arrival+s.futureLimit.Microseconds(), s.bound.Microseconds()
	for i, t := range times {
		if s.clock.HasWatermark {
			out[i] = s.clock.Watermark
		} else if valid == nil {
			valid = event.NewBitmap(len(times))
		}
		if valid != nil && s.clock.HasWatermark {
			valid.Set(i)
		}
		if t <= limit && (!s.clock.Valid || t > s.clock.MaxEventTime) {
			s.clock.MaxEventTime, s.clock.Valid = t, true
			s.clock = s.clock.Raise(t - bound)
		}
	}
	return event.NewTimestamps(out, valid)
}

// Replayer stamps the rows of a log as its writer did.
type Replayer struct {
	stamp stamper
}

// NewReplayer starts at the clock that the partition had before the first replayed row.
func NewReplayer(options Options) *Replayer {
	return &Replayer{stamper{
		partition: options.Partition, bound: options.Bound, futureLimit: options.FutureLimit, clock: options.Clock, memory: options.Memory,
	}}
}

// Batch completes rows that the log holds from offset first on. meta is what was kept beside them and decides.
func (r *Replayer) Batch(rows Rows, meta eventlog.Meta, first event.Offset) (*event.Batch, error) {
	r.obey(meta)
	return r.stamp.batch(rows, first)
}

// Idle moves the clock by an idle marker.
func (r *Replayer) Idle(entry *eventlog.Entry) {
	r.obey(entry.Meta)
	r.stamp.clock = r.stamp.clock.Raise(entry.Idle.Watermark)
}

func (r *Replayer) obey(meta eventlog.Meta) {
	r.stamp.clock = tail.Clock{
		MaxEventTime: meta.MaxEventTime, Valid: meta.HasMaxEventTime, Watermark: meta.Watermark, HasWatermark: meta.HasWatermark,
	}
	r.stamp.bound, r.stamp.futureLimit = meta.Bound, meta.FutureLimit
}

// Partition is the one that is replayed.
func (r *Replayer) Partition() event.Partition { return r.stamp.partition }

// Clock is the partition's event time after the last entry replayed.
func (r *Replayer) Clock() tail.Clock { return r.stamp.clock }
