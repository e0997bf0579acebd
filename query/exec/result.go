package exec

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Stats says what a query cost.
type Stats struct {
	// RowsScanned counts rows read from streams, before any filter; BytesScanned what had to be decoded for them.
	RowsScanned, BytesScanned int64
	// SegmentsScanned and SegmentsPruned count the segment files that were read and those left out by their statistics.
	SegmentsScanned, SegmentsPruned int
	// SegmentsSettled counts those of which the statistics said all that was asked.
	SegmentsSettled int
	// RowGroupsScanned and RowGroupsPruned count the row groups of the segments that were read.
	RowGroupsScanned, RowGroupsPruned int
	// TailRows counts the rows read that were not yet sealed into segments.
	TailRows int64
	// RowsNarrowed counts rows left out, read or not, because an operator above has no use for them.
	RowsNarrowed int64
	// PeakMemoryBytes is the most that the query's Budget held at one time.
	PeakMemoryBytes int64
	// SpilledBytes is how much was written to temporary files.
	SpilledBytes int64
	// OffsetsSkipped counts the offsets whose rows damage has taken, where the query goes on without them. The engine leaves it at 0.
	OffsetsSkipped int64
	// Views are the views that were read, by name.
	Views []query.ViewState
}

type counters struct {
	rows, bytes, tailRows     atomic.Int64
	segmentsRead, segmentsCut atomic.Int64
	groupsRead, groupsCut     atomic.Int64
	segmentsSettled           atomic.Int64
	spilled, narrowed         atomic.Int64
}

// add adds what another has counted.
func (c *counters) add(part *counters) {
	c.rows.Add(part.rows.Load())
	c.bytes.Add(part.bytes.Load())
	c.tailRows.Add(part.tailRows.Load())
	c.segmentsRead.Add(part.segmentsRead.Load())
	c.segmentsCut.Add(part.segmentsCut.Load())
	c.segmentsSettled.Add(part.segmentsSettled.Load())
	c.groupsRead.Add(part.groupsRead.Load())
	c.groupsCut.Add(part.groupsCut.Load())
	c.spilled.Add(part.spilled.Load())
	c.narrowed.Add(part.narrowed.Load())
}

// sum is what has been counted.
func (c *counters) sum() Stats {
	return Stats{
		RowsScanned: c.rows.Load(), BytesScanned: c.bytes.Load(), TailRows: c.tailRows.Load(),
		SegmentsScanned: int(c.segmentsRead.Load()), SegmentsPruned: int(c.segmentsCut.Load()),
		SegmentsSettled:  int(c.segmentsSettled.Load()),
		RowGroupsScanned: int(c.groupsRead.Load()), RowGroupsPruned: int(c.groupsCut.Load()),
		SpilledBytes: c.spilled.Load(), RowsNarrowed: c.narrowed.Load(),
	}
}

// Result streams an answer. It belongs to one goroutine, which closes it.
type Result struct {
	ctx     context.Context // from Run to Close
	cancel  context.CancelFunc
	run     *run
	columns []plan.Column
	input   reader
	end     error // what ended the result, io.EOF included
	closed  bool
}

// Columns are the names and types of the answer's columns.
func (r *Result) Columns() []plan.Column { return r.columns }

// Plan is the plan that is run: the one given, or what became of it with the values of EarlyRows.
func (r *Result) Plan() plan.Node { return r.run.root }

// EarlyRows are the parts of the plan given that were read first, in that order, and are constants in Plan.
func (r *Result) EarlyRows() []EarlyRow { return r.run.early }

// Next returns the next batch, which has at least one row, or io.EOF after the last. After an error it returns that error again.
func (r *Result) Next() (*Batch, error) {
	if r.end != nil {
		return nil, r.end
	}
	var batch *Batch
	err := guard(func() (err error) {
		batch, err = r.input.next(r.ctx)
		return err
	})
	if err != nil {
		r.end = stopped(r.ctx, err)
		return nil, r.end
	}
	return batch, nil
}

// Stats says what the query has cost so far; it is complete after io.EOF.
func (r *Result) Stats() Stats {
	all := &counters{}
	all.add(r.run.stats)
	if r.run.profile != nil {
		r.run.profile.total(all)
	}
	out := all.sum()
	out.PeakMemoryBytes = r.run.budget.Peak()
	if s, ok := r.run.snapshot.(query.ViewSnapshot); ok {
		out.Views = s.Views()
	}
	return out
}

// Close stops all work, waits for it, and gives back snapshot, memory and temporary files. It is safe to call twice.
func (r *Result) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	if r.end == nil || errors.Is(r.end, io.EOF) {
		r.end = event.Errorf(event.CodeClosed, "the result is closed")
	}
	r.cancel()
	r.input.close()
	return r.run.end()
}
