package partition

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
)

// stamper gives rows their hidden columns. A row's watermark derives from the event times of the rows before it and from
// nothing else, so that it is the same whether the row is stamped when it comes or when the log is replayed.
type stamper struct {
	partition   event.Partition
	bound       time.Duration
	futureLimit time.Duration
	idleTimeout time.Duration
	clock       tail.Clock
}

// meta is what the log keeps beside the next rows.
func (s *stamper) meta(rows Rows) eventlog.Meta {
	meta := eventlog.Meta{
		SchemaVersion: int32(rows.Schema.Version), Arrival: rows.Arrival, Bound: s.bound, FutureLimit: s.futureLimit, IdleTimeout: s.idleTimeout,
		Request: rows.Request,
	}
	if s.clock.Valid {
		meta.MaxEventTime, meta.HasMaxEventTime = s.clock.MaxEventTime, true
		meta.Watermark, meta.HasWatermark = s.watermark(), true
	}
	return meta
}

func (s *stamper) watermark() int64 { return s.clock.MaxEventTime - s.bound.Microseconds() }

// batch completes rows from offset first on, and moves the clock.
func (s *stamper) batch(rows Rows, first event.Offset) (*event.Batch, error) {
	n := len(rows.Times)
	partitions, offsets, arrivals := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range n {
		partitions[i] = int64(s.partition)
		offsets[i] = int64(first) + int64(i)
		arrivals[i] = rows.Arrival
	}
	watermarks, valid := s.watermarks(rows.Times, rows.Arrival)
	columns := make([]arrow.Array, 0, len(rows.Columns)+len(event.Hidden))
	columns = append(columns, rows.Columns...)
	columns = append(columns,
		event.NewInt64s(partitions, nil), event.NewInt64s(offsets, nil),
		event.NewTimestamps(arrivals, nil), event.NewTimestamps(watermarks, valid))
	return event.NewBatch(rows.Schema, s.partition, columns)
}

// watermarks gives each row the watermark that held before it.
func (s *stamper) watermarks(times []int64, arrival int64) ([]int64, event.Bitmap) {
	out := make([]int64, len(times))
	var valid event.Bitmap
	limit := arrival + s.futureLimit.Microseconds()
	for i, t := range times {
		if s.clock.Valid {
			out[i] = s.watermark()
		} else if valid == nil {
			valid = event.NewBitmap(len(times))
		}
		if valid != nil && s.clock.Valid {
			valid.Set(i)
		}
		if t <= limit && (!s.clock.Valid || t > s.clock.MaxEventTime) {
			s.clock = tail.Clock{MaxEventTime: t, Valid: true}
		}
	}
	return out, valid
}

// Replayer stamps the rows of a log as its writer did.
type Replayer struct {
	stamp stamper
}

// NewReplayer starts at the clock that the partition had before the first replayed row.
func NewReplayer(options Options) *Replayer {
	return &Replayer{stamper{
		partition: options.Partition, bound: options.Bound, futureLimit: options.FutureLimit, clock: options.Clock,
	}}
}

// Batch completes rows that the log holds from offset first on. meta is what was kept beside them and decides.
func (r *Replayer) Batch(rows Rows, meta eventlog.Meta, first event.Offset) (*event.Batch, error) {
	r.stamp.clock = tail.Clock{MaxEventTime: meta.MaxEventTime, Valid: meta.HasMaxEventTime}
	r.stamp.bound, r.stamp.futureLimit = meta.Bound, meta.FutureLimit
	return r.stamp.batch(rows, first)
}

// Clock is the partition's event time after the last row replayed.
func (r *Replayer) Clock() tail.Clock { return r.stamp.clock }
