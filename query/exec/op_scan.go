package exec

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// scanOp reads a stream. Its readers take morsels one at a time, so that a slow morsel delays one worker only.
//
// Of a morsel it reads the columns of the filter first, leaving out conditions that the morsel's bounds already settle, and the
// other columns only once some row is kept.
type scanOp struct {
	run         *run
	stream      string
	schema      *event.Schema
	fields      []event.FieldID
	conditions  []condition
	members     *scanMembers // nil for none
	keep        []bool       // the columns that are read later
	morsels     []query.Morsel
	runtime     []scanFilter // of joins above
	lead        *lead        // of an operator above that keeps first rows only; nil for none
	leadColumns leadColumns
	shares      *shares
	readers     int  // opened so far
	brief       bool // batches are not kept: see useBriefly
}

func (r *run) newScan(ctx context.Context, n *plan.Scan, used []bool) (operator, error) {
	conditions, err := compileConditions(n.Filter, plan.Width(n))
	if err != nil {
		return nil, err
	}
	members, err := newScanMembers(n)
	if err != nil {
		return nil, err
	}
	// now() has its value only here, so the ranges that follow from it are found here.
	ranges := optimize.Ranges(n, r.kernel)
	request := query.ScanRequest{Stream: n.Stream, Schema: n.Schema, Columns: n.Fields, Ranges: ranges}
	if members != nil {
		request.Columns = members.requested
		used = append(slices.Clip(used), make([]bool, members.width()-members.given())...)
	}
	if r.settled != nil {
		request.Settled = func(rows query.Statistics) bool { return settle(r.kernel, r.settled, conditions, rows) }
	}
	scan, err := r.snapshot.Scan(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", n.Stream, err)
	}
	r.stats.segmentsRead.Add(int64(scan.SegmentsScanned))
	r.stats.segmentsCut.Add(int64(scan.SegmentsPruned))
	r.stats.segmentsSettled.Add(int64(scan.SegmentsSettled))
	r.stats.groupsRead.Add(int64(scan.RowGroupsScanned))
	r.stats.groupsCut.Add(int64(scan.RowGroupsPruned))
	r.stats.tailRows.Add(scan.TailRows)
	op := &scanOp{run: r, stream: n.Stream, schema: n.Schema, fields: n.Fields, conditions: conditions, members: members, keep: used,
		morsels: scan.Morsels}
	op.shares = newShares(len(op.morsels), op.width())
	return op, nil
}

func (o *scanOp) width() int { return max(1, min(o.run.engine.options.Workers, len(o.morsels))) }

func (o *scanOp) useBriefly() { o.brief = true }

func (o *scanOp) open() reader {
	r := &scanReader{op: o, number: o.readers}
	for _, f := range o.runtime {
		r.uses = append(r.uses, filterUse{scanFilter: f})
	}
	o.readers++
	if o.brief {
		r.memory = &event.Buffers{}
	}
	return r
}

// scanReader walks its morsels in slices of a batch's size.
type scanReader struct {
	op     *scanOp
	number int            // among the readers
	memory *event.Buffers // nil where batches are kept
	source query.Morsel
	morsel Batch   // what has been read of source
	at     int     // rows of morsel already passed on
	filter *filter // what its rows still have to meet
	stored []bool  // the members that it keeps by themselves; nil for a scan without any
	// missing are those that have to be taken out of documents.
	missing []extraction
	later   []bool // columns to be read once a row is kept; nil if there are none
	turn    turn
	uses    []filterUse
	active  []*filterUse // those that look at the rows of this morsel
}

func (r *scanReader) next(ctx context.Context) (*Batch, error) {
	for {
		r.turn.next(ctx, r.op.run.standing)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.at >= r.morsel.Rows {
			if err := r.load(ctx); err != nil {
				return nil, err
			}
			continue
		}
		from := r.at
		r.at = min(from+r.op.run.engine.options.BatchRows, r.morsel.Rows)
		batch := r.morsel.slice(from, r.at)
		kept, err := r.filter.rows(batch)
		if err != nil {
			return nil, err
		}
		kept = r.narrowed(batch, kept)
		if kept != nil && len(kept) == 0 {
			continue
		}
		if r.later != nil {
			if err := r.read(ctx, r.later); err != nil {
				return nil, err
			}
			r.later = nil
			batch = r.morsel.slice(from, r.at)
		}
		if kept != nil {
			batch = batch.take(kept, r.filter.keep)
		}
		if r.op.members != nil {
			if err := r.op.members.compute(r, batch); err != nil {
				return nil, fmt.Errorf("scan %s: %w", r.op.stream, err)
			}
		}
		return batch, nil
	}
}

// load turns to the next morsel that nobody has taken and reads what the filter needs of it.
func (r *scanReader) load(ctx context.Context) error {
	i, ok := r.op.shares.take(r.number)
	if !ok {
		r.turn.end(r.op.run.standing)
		return io.EOF
	}
	r.memory.Reset()
	r.source = r.op.morsels[i]
	excluded, err := r.excluded()
	if err != nil {
		return err
	}
	if excluded {
		r.morsel, r.at = Batch{}, 0
		r.op.run.stats.narrowed.Add(int64(r.source.Rows()))
		return nil
	}
	r.morsel, r.at = Batch{Rows: r.source.Rows()}, 0
	r.filter = &filter{run: r.op.run, keep: r.op.keep}
	if members := r.op.members; members != nil {
		r.stored = members.storedBy(r.source)
		r.missing = members.extractions(r.op.keep, r.stored)
		r.filter.keep = members.kept(r.op.keep, r.stored)
	}
	first := make([]bool, len(r.op.keep))
	for i := range r.op.conditions {
		c := &r.op.conditions[i]
		if members := r.op.members; members != nil && !members.readable(c, r.stored) {
			c = &members.fromDocuments[i]
		}
		if c.holds(r.op.run.kernel, r.source) {
			continue
		}
		r.filter.conjuncts = append(r.filter.conjuncts, c.program)
		for column, reads := range c.reads {
			first[column] = first[column] || reads
		}
	}
	r.active = r.active[:0]
	for i := range r.uses {
		if u := &r.uses[i]; u.looks() {
			r.active = append(r.active, u)
			first[u.column] = true
		}
	}
	r.op.run.stats.rows.Add(int64(r.morsel.Rows))
	return r.plan(ctx, first)
}

// excluded reports that an operator above needs none of the morsel's rows.
func (r *scanReader) excluded() (bool, error) {
	for _, u := range r.uses {
		if u.filter.key != nil && u.filter.excludes(r.source, u.column) {
			return true, nil
		}
	}
	if r.op.lead == nil {
		return false, nil
	}
	excluded, bytes, err := r.op.lead.excludes(r.source, r.op.leadColumns)
	r.op.run.stats.bytes.Add(bytes)
	if err != nil {
		return false, fmt.Errorf("scan %s: %w", r.op.stream, err)
	}
	return excluded, nil
}

// narrowed leaves out rows that a join has no use for. kept are those that the filter has kept, nil for all.
func (r *scanReader) narrowed(batch *Batch, kept []int32) []int32 {
	for _, u := range r.active {
		before := len(kept)
		if kept == nil {
			before = batch.Rows
		}
		if kept = u.rows(batch.Columns[u.column], kept); kept != nil {
			r.op.run.stats.narrowed.Add(int64(before - len(kept)))
		}
	}
	return kept
}

// plan reads the columns of first now and leaves the rest for later, unless there is no filter to wait for.
func (r *scanReader) plan(ctx context.Context, first []bool) error {
	r.later = nil
	rest := make([]bool, len(first))
	for i := range rest {
		rest[i] = r.filter.keep[i] && !first[i]
		if rest[i] {
			r.later = rest
		}
	}
	if len(r.filter.conjuncts) == 0 && len(r.active) == 0 {
		r.later = nil
		return r.read(ctx, rest)
	}
	return r.read(ctx, first)
}

// read adds columns to those that have been read of the morsel.
func (r *scanReader) read(ctx context.Context, wanted []bool) error {
	columns, bytes, err := r.readSource(ctx, wanted)
	if err != nil {
		return fmt.Errorf("scan %s: %w", r.op.stream, err)
	}
	if len(columns) != len(wanted) {
		return fmt.Errorf("scan %s: the source gave %d columns instead of %d", r.op.stream, len(columns), len(wanted))
	}
	for i, c := range r.morsel.Columns {
		if c != nil {
			columns[i] = c
		}
	}
	r.morsel.Columns = columns
	r.op.run.stats.bytes.Add(bytes)
	return nil
}

func (r *scanReader) readSource(ctx context.Context, wanted []bool) ([]arrow.Array, int64, error) {
	if r.op.members != nil {
		return r.op.members.read(ctx, r, wanted)
	}
	return r.source.Read(ctx, wanted, r.memory)
}

func (r *scanReader) close() { r.turn.end(r.op.run.standing) }

// brief is an operator that can lend its batches: each is good only until the next one is asked for, and its memory is then used
// again. Whoever keeps neither batches nor slices of their numbers asks for it before open.
type brief interface{ useBriefly() }

// useBriefly asks op to lend its batches, if it can.
func useBriefly(op operator) {
	if b, ok := op.(brief); ok {
		b.useBriefly()
	}
}
