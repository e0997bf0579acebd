package exec

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// joinReader looks up one batch of the probe side after another and gives the pairs, at most a batch of them at a time. What
// becomes of rows without a pair, and the marks of a mark join, is known once all pairs of their batch have been met.
type joinReader struct {
	op      *joinOp
	input   reader
	build   *joinBuild
	divided *dividedReader // nil but where the build side has no room in memory
	columns []arrow.Array  // the build side's, under headers of this goroutine's own
	scratch joinScratch
	load    func(ctx context.Context) error // takes the next batch of the probe side

	batch  *Batch   // of the probe side; nil before the first and after the last
	groups []uint32 // by row of batch
	row    int      // the next row to pair
	at     int      // where in its group
	// met marks the rows of batch that are in a pair or, where there is a test, pass it; unknown those for which it was NULL.
	met, unknown event.Bitmap
	// ranged says that spans are known, by row of batch; integers are scratch.
	ranged   bool
	spans    []span
	integers []uint64

	probeRows, buildRows []int32
	// alone are the rows of the build side in no pair that are still to be given, once all pairs have been found.
	alone []int32
	ended bool
}

func (r *joinReader) next(ctx context.Context) (*Batch, error) {
	if r.build == nil {
		if err := r.start(ctx); err != nil {
			return nil, err
		}
	}
	if r.divided != nil {
		return r.divided.next(ctx)
	}
	for {
		if r.ended {
			return r.finish()
		}
		if r.batch == nil {
			if err := r.load(ctx); errors.Is(err, io.EOF) {
				return r.finish()
			} else if err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var out *Batch
		var err error
		if r.row < r.batch.Rows {
			out, err = r.pairs()
		} else {
			out = r.leftOver()
			r.batch = nil
		}
		if err != nil || (out != nil && out.Rows > 0) {
			return out, err
		}
	}
}

func (r *joinReader) start(ctx context.Context) error {
	var err error
	if r.build, err = r.op.ready(ctx); err != nil {
		return err
	}
	if r.build.divided != nil {
		r.divided = r.op.newDividedReader(r.build.divided, r.input)
		return nil
	}
	r.use(r.build)
	return nil
}

// use sets the build side that rows are looked up in.
func (r *joinReader) use(build *joinBuild) {
	r.build, r.columns = build, build.batch.slice(0, build.batch.Rows).Columns
}

// probe takes the next batch of the probe side and finds the group of each row.
func (r *joinReader) probe(ctx context.Context) error {
	o := r.op
	if r.build.batch.Rows == 0 && !o.pads(!o.buildIsLeft) && o.node.Kind != plan.MarkJoin {
		return io.EOF // without rows to pair with, no row comes out
	}
	batch, err := r.input.next(ctx)
	if err != nil {
		return err
	}
	keys, err := o.evalKeys(o.probeKeys, o.probeAt(), batch)
	if err != nil {
		return err
	}
	r.begin(batch)
	r.build.table.probe(keys, r.groups, &r.scratch)
	if r.build.batch.Rows == 0 {
		clear(r.groups)
	}
	r.halve()
	if o.byMember {
		r.decide(keys)
	}
	return nil
}

// begin turns to a batch, whose rows' groups are still to be found.
func (r *joinReader) begin(batch *Batch) {
	r.groups = resized(r.groups, batch.Rows)
	r.batch, r.row, r.at = batch, 0, 0
	r.met = event.NewBitmap(batch.Rows)
	r.unknown = nil
	if r.op.test != nil {
		r.unknown = event.NewBitmap(batch.Rows)
	}
}

// pairs is the next pairs for which all conditions hold; nil where none does, or where pairs only mark.
func (r *joinReader) pairs() (*Batch, error) {
	r.list()
	if len(r.probeRows) == 0 {
		return nil, nil
	}
	if err := r.keep(); err != nil {
		return nil, err
	}
	if err := r.note(); err != nil {
		return nil, err
	}
	if r.op.node.Kind == plan.MarkJoin {
		return nil, nil
	}
	return r.gather(r.op.used), nil
}

// list writes the next rows that have equal keys into probeRows and buildRows.
func (r *joinReader) list() {
	r.probeRows, r.buildRows = r.probeRows[:0], r.buildRows[:0]
	room := r.op.run.engine.options.BatchRows
	mark := r.op.node.Kind == plan.MarkJoin
	switch {
	case r.ranged:
		r.listRanges(room)
		return
	case r.build.table.single != nil:
		r.listSingle(room)
		return
	}
	one := r.onePairDecides()
	for r.row < r.batch.Rows && room > 0 {
		group := r.groups[r.row]
		if group == 0 || (mark && r.met.Valid(r.row)) {
			r.row, r.at = r.row+1, 0
			continue
		}
		rows := r.build.table.group(group)[r.at:]
		n := min(len(rows), room)
		if one {
			n = 1
			rows = rows[:1]
		}
		for _, row := range rows[:n] { // mostly few: a copy of the slice would cost more in calls
			r.probeRows, r.buildRows = append(r.probeRows, int32(r.row)), append(r.buildRows, row)
		}
		room -= n
		if n < len(rows) {
			r.at += n
			return
		}
		r.row, r.at = r.row+1, 0
	}
}

// residual is the conditions that pairs are still to be tested by.
func (r *joinReader) residual() residual {
	if r.ranged {
		return r.op.rest
	}
	return r.op.whole
}

// onePairDecides holds for marks that the first pair sets, whichever it is.
func (r *joinReader) onePairDecides() bool {
	return r.op.node.Kind == plan.MarkJoin && r.op.test == nil && len(r.residual().conditions) == 0
}

// listSingle is list where no row has more than one to pair with.
func (r *joinReader) listSingle(room int) {
	end := min(r.row+room, r.batch.Rows)
	r.probeRows, r.buildRows = resized(r.probeRows, end-r.row), resized(r.buildRows, end-r.row)
	single := r.build.table.single
	n := 0
	for row, group := range r.groups[r.row:end] {
		if group != 0 {
			r.probeRows[n], r.buildRows[n] = int32(r.row+row), single[group]
			n++
		}
	}
	r.probeRows, r.buildRows, r.row = r.probeRows[:n], r.buildRows[:n], end
}

// keep drops the pairs for which a condition does not hold that neither keys nor ranges answer.
func (r *joinReader) keep() error {
	rest := r.residual()
	if len(rest.conditions) == 0 {
		return nil
	}
	pairs := r.gather(rest.reads)
	kept, err := kernel.Filter(r.op.run.kernel, rest.conditions, pairs.Columns, pairs.Rows)
	if err != nil {
		return err
	}
	for i, at := range kept {
		r.probeRows[i], r.buildRows[i] = r.probeRows[at], r.buildRows[at]
	}
	r.probeRows, r.buildRows = r.probeRows[:len(kept)], r.buildRows[:len(kept)]
	return nil
}

// note remembers which rows are in the pairs.
func (r *joinReader) note() error {
	o := r.op
	if r.build.paired != nil {
		r.build.pair(r.buildRows)
	}
	if o.test != nil {
		return r.judge()
	}
	single := o.node.Kind == plan.SingleJoin
	for _, row := range r.probeRows {
		if single && r.met.Valid(int(row)) {
			return event.Errorf(event.CodeBadRequest, "a query used as a value gave more than one row").
				WithHint("take one of them, as by max(...) or LIMIT 1")
		}
		r.met.Set(int(row))
	}
	return nil
}

// judge computes the test of a mark join for the pairs.
func (r *joinReader) judge() error {
	pairs := r.gather(r.residual().reads)
	value, err := r.op.test.Eval(r.op.run.kernel, pairs.Columns, pairs.Rows)
	if err != nil {
		return err
	}
	for _, i := range kernel.True(value, pairs.Rows, nil) {
		r.met.Set(int(r.probeRows[i]))
	}
	verdicts := value.Expand(pairs.Rows)
	if verdicts.NullN() == 0 && verdicts.DataType().ID() != arrow.NULL {
		return nil
	}
	for i, row := range r.probeRows {
		if verdicts.IsNull(i) || verdicts.DataType().ID() == arrow.NULL {
			r.unknown.Set(int(row))
		}
	}
	return nil
}

// gather lays the rows of the pairs side by side, for the columns of both sides that are wanted.
func (r *joinReader) gather(wanted []bool) *Batch {
	o := r.op
	out := &Batch{Columns: make([]arrow.Array, len(o.columns)), Rows: len(r.probeRows)}
	for i, c := range r.batch.Columns {
		if at := o.probeAt() + i; wanted[at] {
			out.Columns[at] = kernel.Take(c, r.probeRows)
		}
	}
	for i, c := range r.columns {
		if at := o.buildAt() + i; wanted[at] {
			out.Columns[at] = kernel.Take(c, r.buildRows)
		}
	}
	return out
}

// leftOver is what the rows of the batch give after all their pairs: their marks, or those without a pair beside NULLs.
func (r *joinReader) leftOver() *Batch {
	o := r.op
	if o.node.Kind == plan.MarkJoin {
		return r.marks()
	}
	if !o.pads(!o.buildIsLeft) {
		return nil
	}
	var alone []int32
	for row := range r.batch.Rows {
		if !r.met.Valid(row) {
			alone = append(alone, int32(row))
		}
	}
	return o.padded(r.batch.Columns, o.probeAt(), alone)
}

// marks is the whole batch with its marks.
func (r *joinReader) marks() *Batch {
	var valid event.Bitmap
	if r.unknown != nil {
		valid = event.NewBitmap(r.batch.Rows)
		for i := range valid {
			valid[i] = r.met[i] | ^r.unknown[i]
		}
	}
	out := &Batch{Columns: make([]arrow.Array, 0, len(r.batch.Columns)+1), Rows: r.batch.Rows}
	out.Columns = append(append(out.Columns, r.batch.Columns...), event.NewBooleans(r.met, r.batch.Rows, valid))
	return out
}

// finish gives the rows of the build side that are in no pair, if they come out.
func (r *joinReader) finish() (*Batch, error) {
	if r.build.paired != nil && !r.ended {
		r.alone, r.ended = r.build.unpaired(), true
	}
	if len(r.alone) == 0 {
		return nil, io.EOF
	}
	n := min(len(r.alone), r.op.run.engine.options.BatchRows)
	out := r.op.padded(r.columns, r.op.buildAt(), r.alone[:n])
	r.alone = r.alone[n:]
	return out, nil
}

// padded is some rows of one side, whose columns begin at column at, beside NULLs for the other.
func (o *joinOp) padded(side []arrow.Array, at int, rows []int32) *Batch {
	out := &Batch{Columns: make([]arrow.Array, len(o.columns)), Rows: len(rows)}
	for i, c := range o.columns {
		switch inside := i >= at && i < at+len(side); {
		case !o.used[i]:
		case inside:
			out.Columns[i] = kernel.Take(side[i-at], rows)
		default:
			out.Columns[i] = event.NewNulls(c.Type, len(rows))
		}
	}
	return out
}

func (r *joinReader) close() { r.input.close() }
