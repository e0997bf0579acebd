package exec

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// scanOp reads a stream. Its readers take morsels from a shared counter, so that a slow morsel delays one worker only.
type scanOp struct {
	run     *run
	stream  string
	columns int
	filter  *filter
	morsels []query.Morsel
	next    atomic.Int64 // the first morsel that no reader has taken
}

func (r *run) newScan(ctx context.Context, n *plan.Scan, used []bool) (operator, error) {
	f, err := r.compileFilter(n.Filter, used)
	if err != nil {
		return nil, err
	}
	// now() has its value only here, so the ranges that follow from it are found here.
	ranges := optimize.Ranges(n, r.kernel)
	scan, err := r.snapshot.Scan(ctx, query.ScanRequest{Stream: n.Stream, Schema: n.Schema, Columns: n.Fields, Ranges: ranges})
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", n.Stream, err)
	}
	r.stats.segmentsRead.Add(int64(scan.SegmentsScanned))
	r.stats.segmentsCut.Add(int64(scan.SegmentsPruned))
	return &scanOp{run: r, stream: n.Stream, columns: len(n.Fields), filter: f, morsels: scan.Morsels}, nil
}

func (o *scanOp) width() int { return max(1, min(o.run.engine.options.Workers, len(o.morsels))) }

func (o *scanOp) open() reader { return &scanReader{op: o} }

// scanReader walks its morsels in slices of a batch's size.
type scanReader struct {
	op     *scanOp
	morsel Batch
	at     int // rows of morsel already passed on
}

func (r *scanReader) next(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.at >= r.morsel.Rows {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
			continue
		}
		end := min(r.at+r.op.run.engine.options.BatchRows, r.morsel.Rows)
		batch, err := r.op.filter.apply(r.morsel.slice(r.at, end))
		r.at = end
		if err != nil {
			return nil, err
		}
		if batch.Rows > 0 {
			return batch, nil
		}
	}
}

// load reads the next morsel that nobody has taken.
func (r *scanReader) load(ctx context.Context) error {
	i := int(r.op.next.Add(1)) - 1
	if i >= len(r.op.morsels) {
		return io.EOF
	}
	m := r.op.morsels[i]
	columns, bytes, err := m.Read(ctx)
	if err != nil {
		return fmt.Errorf("scan %s: %w", r.op.stream, err)
	}
	if len(columns) != r.op.columns {
		return fmt.Errorf("scan %s: the source gave %d columns instead of %d", r.op.stream, len(columns), r.op.columns)
	}
	r.morsel, r.at = Batch{Columns: columns, Rows: m.Rows()}, 0
	r.op.run.stats.rows.Add(int64(m.Rows()))
	r.op.run.stats.bytes.Add(bytes)
	return nil
}

func (r *scanReader) close() {}
