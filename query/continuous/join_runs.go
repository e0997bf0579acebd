package continuous

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// A join without equal values has no key that its rows could be divided by: a row may pair with any of the other side. Rows of a side that only
// gains rows go to the disk all the same, in runs in the order of time, and stay there: what a step brings is paired with one run after the other,
// but for those whose times are too far away. How many pairs a row has stays in memory where rows come out without a pair too.

// joinRun is rows of one side on disk, with their weights in the last column.
type joinRun struct {
	rows int
	file *coldFile
	at   spill.Chunk
	// least and most are, by the conditions on times, between which the rows' times lie.
	least, most []int64
	// last is the latest of the times by which rows are forgotten.
	last  int64
	pairs []int64 // nil where the side does not pad
}

// runs tells whether rows of a side may go to the disk without a key. Rows that go again would have to be found there.
func (n *joinNode) runs(side int) bool {
	return n.spill != nil && len(n.keyTypes) == 0 && n.ins[side].traits().appendOnly
}

// coolRuns moves rows of sides to the disk for so many bytes to be free: those that are forgotten last.
func (o *joinOp) coolRuns(bytes int64) error {
	bytes -= o.pairs.bytes() + int64(4*cap(o.moved))
	o.pairs, o.moved = pairing{}, nil // the next step makes its lists anew
	for side, s := range o.sides {
		if before := s.bytes(); o.node.runs(side) && s.rows.rows > 0 && bytes > 0 {
			if err := o.coolSide(side, min(bytes, before)); err != nil {
				return err
			}
			bytes -= before - o.sides[side].bytes()
		}
	}
	return nil
}

func (o *joinOp) coolSide(side int, bytes int64) error {
	s := o.sides[side]
	rows := s.rows.all()
	if by := o.timeOf(side); by >= 0 {
		times := s.rows.vectors[by].(*fixedVector[int64]).values
		slices.SortStableFunc(rows, func(a, b uint32) int { return cmp.Compare(times[a], times[b]) })
	}
	if err := o.mergeRuns(side); err != nil {
		return err
	}
	at := len(rows) - toSpill(len(rows), bytes, s.bytes())
	stay, gone := rows[:at], rows[at:]
	fresh, err := o.writeRuns(side, s.columnsOf(gone), len(gone))
	if err != nil {
		return err
	}
	columns := s.columnsOf(stay)
	o.sides[side] = o.newSide(side)
	o.sides[side].runs = slices.Concat(s.runs, fresh)
	if len(stay) > 0 {
		o.putBack(side, columns, len(stay))
	}
	return nil
}

// manyRuns is how many small runs a side may have: each step that looks at them reads them all.
const manyRuns = 8

// mergeRuns writes the small runs of a side anew, together, where there are many. After an error they are what they were.
func (o *joinOp) mergeRuns(side int) error {
	s := o.sides[side]
	var kept, small []*joinRun
	for _, run := range s.runs {
		if run.rows < runRows/2 {
			small = append(small, run)
		} else {
			kept = append(kept, run)
		}
	}
	if len(small) < manyRuns {
		return nil
	}
	all := make([][]arrow.Array, len(small))
	for i, run := range small {
		var err error
		if all[i], err = run.read(); err != nil {
			return err
		}
	}
	columns, err := endToEnd(all)
	if err != nil {
		return err
	}
	rows := columns[len(columns)-1].Len()
	order := upTo32(rows)
	if by := o.timeOf(side); by >= 0 {
		times := arrow.GetValues[int64](columns[by].Data(), 1)
		slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(times[a], times[b]) })
	}
	fresh, err := o.writeRuns(side, taken(columns, order), rows)
	if err != nil {
		return err
	}
	s.runs = slices.Concat(kept, fresh)
	var errs []error
	for _, run := range small {
		errs = append(errs, run.file.release())
	}
	return errors.Join(errs...)
}

// read gives the rows of a run as columnsOf does.
func (r *joinRun) read() ([]arrow.Array, error) {
	columns, err := r.file.Read(r.at)
	if err == nil && r.pairs != nil {
		columns = append(columns, event.NewInt64s(slices.Clone(r.pairs), nil))
	}
	return columns, err
}

// writeRuns writes rows as columnsOf gives them, in runs. After an error there are none.
func (o *joinOp) writeRuns(side int, columns []arrow.Array, rows int) ([]*joinRun, error) {
	file, err := o.node.spill.Create()
	if err != nil {
		return nil, err
	}
	shared := &coldFile{File: file}
	var out []*joinRun
	for some := range slices.Chunk(upTo32(rows), runRows) {
		run, err := o.writeRun(side, shared, taken(columns, some), len(some))
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		out = append(out, run)
	}
	shared.users.Store(int64(len(out)))
	return out, nil
}

// timeOf is the column of a side that its runs are ordered by, -1 for none.
func (o *joinOp) timeOf(side int) int {
	if by := o.node.expiry[side].column; by >= 0 {
		return by
	}
	for _, g := range o.node.near {
		return g.of(side)
	}
	return -1
}

// of is the column of a side.
func (g timeGap) of(side int) int {
	if side == leftSide {
		return g.left
	}
	return g.right
}

// writeRun writes rows as columnsOf gives them.
func (o *joinOp) writeRun(side int, file *coldFile, columns []arrow.Array, rows int) (*joinRun, error) {
	run := &joinRun{rows: rows, file: file, last: NoWatermark}
	for _, g := range o.node.near {
		least, most := timeSpan(columns[g.of(side)])
		run.least, run.most = append(run.least, least), append(run.most, most)
	}
	if by := o.node.expiry[side].column; by >= 0 {
		_, run.last = timeSpan(columns[by])
	}
	if o.node.pads(side) {
		run.pairs = slices.Clone(arrow.GetValues[int64](columns[len(columns)-1].Data(), 1)[:rows])
		columns = columns[:len(columns)-1]
	}
	var err error
	run.at, err = file.Append(columns, rows)
	return run, err
}

// timeSpan is the least and the greatest of times; NULL is none of them.
func timeSpan(times arrow.Array) (least, most int64) {
	least, most = math.MaxInt64, NoWatermark
	for i, at := range arrow.GetValues[int64](times.Data(), 1)[:times.Len()] {
		if times.IsValid(i) {
			least, most = min(least, at), max(most, at)
		}
	}
	return least, most
}

// putBack adds rows that were there before, as columnsOf gives them, under the key that all rows have.
func (o *joinOp) putBack(side int, columns []arrow.Array, rows int) {
	width := len(o.sides[side].rows.vectors)
	keys, _ := o.index.assign(nil, rows)
	weights := arrow.GetValues[int64](columns[width].Data(), 1)[:rows]
	o.put(side, &Delta{Columns: columns[:width], Weights: weights, Rows: rows}, keys, columns[width+1:])
}

// pairRuns finds the pairs of rows that a step brought with those on disk.
func (o *joinOp) pairRuns(ctx context.Context, p *pairing, moved [2]touched) error {
	for side, s := range o.sides {
		other := moved[1-side]
		if len(s.runs) == 0 || len(other.rows) == 0 {
			continue
		}
		spans := o.spansOf(1-side, other.rows)
		for _, run := range s.runs {
			if !o.near(side, run, spans) {
				continue
			}
			if err := o.pairRun(ctx, p, side, run, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// spansOf are, by the conditions on times, between which the times of rows of a side lie.
func (o *joinOp) spansOf(side int, rows []uint32) [][2]int64 {
	out := make([][2]int64, len(o.node.near))
	for i, g := range o.node.near {
		times := o.sides[side].rows.vectors[g.of(side)].(*fixedVector[int64])
		out[i] = [2]int64{math.MaxInt64, NoWatermark}
		for _, row := range rows {
			if !times.null.at(row) {
				out[i] = [2]int64{min(out[i][0], times.values[row]), max(out[i][1], times.values[row])}
			}
		}
	}
	return out
}

// near tells whether rows of a run of a side may pair with rows of the other side whose times lie between spans.
func (o *joinOp) near(side int, run *joinRun, spans [][2]int64) bool {
	for i, g := range o.node.near {
		left, right := [2]int64{run.least[i], run.most[i]}, spans[i]
		if side == rightSide {
			left, right = right, left
		}
		if left[0] > left[1] || right[0] > right[1] {
			return false // none has a time
		}
		if saturatedDifference(left[1], right[0]) < g.least || saturatedDifference(left[0], right[1]) > g.most {
			return false
		}
	}
	return true
}

// pairRun pairs the rows of a run of a side with rows of the other one, and gives what comes of it: the rows are in memory only so long.
func (o *joinOp) pairRun(ctx context.Context, p *pairing, side int, run *joinRun, other touched) error {
	columns, err := run.file.Read(run.at)
	if err != nil {
		return err
	}
	s := o.sides[side]
	width := len(s.rows.vectors)
	keys, _ := o.index.assign(nil, run.rows)
	lent := s.rows.place(&Delta{Columns: columns[:width], Weights: arrow.GetValues[int64](columns[width].Data(), 1)[:run.rows], Rows: run.rows}, keys)
	if s.pads {
		s.pairs = lengthened(s.pairs, len(s.rows.weights))
		for i, row := range lent {
			s.pairs[row] = run.pairs[i]
		}
	}
	own := len(s.order)
	if err := o.pairLent(ctx, p, side, lent, other); err != nil {
		return err
	}
	o.padded(p, side, s.order[own:])
	s.order = s.order[:own]
	for i, row := range lent {
		if s.pads {
			run.pairs[i] = s.pairs[row]
		}
		s.rows.release(row)
	}
	return nil
}

// pairLent collects the pairs of rows of a side with rows of the other one.
func (o *joinOp) pairLent(ctx context.Context, p *pairing, side int, lent []uint32, other touched) error {
	gaps := o.gaps()
	weights := o.sides[1-side].rows.weights
	for i, row := range other.rows {
		change, fresh := weights[row]-other.before[i], other.before[i] == 0
		if change == 0 {
			continue
		}
		for _, cold := range lent {
			var rows [2]uint32
			var of [2]int64
			var counts [2]bool
			rows[side], rows[1-side] = cold, row
			if !gaps.hold(rows[leftSide], rows[rightSide]) {
				continue
			}
			of[side], of[1-side] = o.sides[side].rows.weights[cold], change
			counts[side], counts[1-side] = true, fresh
			if err := p.add(ctx, rows, of, counts); err != nil {
				return err
			}
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	p.emit()
	return nil
}

// forgetRuns drops the runs that no row to come can pair with.
func (o *joinOp) forgetRuns(final int64) error {
	if final == NoWatermark {
		return nil
	}
	for side, s := range o.sides {
		e := o.node.expiry[side]
		if e.column < 0 {
			continue
		}
		over := behind(final, e.lag)
		kept := s.runs[:0]
		for _, run := range s.runs {
			if run.last > over {
				kept = append(kept, run)
			} else if err := run.file.release(); err != nil {
				return err
			}
		}
		clear(s.runs[len(kept):])
		s.runs = kept
	}
	return nil
}

// saveRuns writes the rows on disk, run by run.
func (s *joinSide) saveRuns(w *stateWriter) {
	w.number(int64(len(s.runs)))
	for _, run := range s.runs {
		run.file.users.Add(1)
		then := *run
		then.pairs = slices.Clone(run.pairs)
		w.later(run.rows, then.read, run.file.release)
	}
}

// loadRuns reads what saveRuns wrote: to the disk again, or where rows may not go there to memory.
func (o *joinOp) loadRuns(r *stateReader, side int) error {
	runs, err := r.size()
	if err != nil || runs == 0 {
		return err
	}
	var file *coldFile
	s := o.sides[side]
	for range runs {
		columns, rows, err := r.columns(o.node.coldTypes(side))
		if err != nil {
			return errors.Join(err, s.closeRuns())
		}
		if !o.node.runs(side) {
			o.putBack(side, columns, rows)
			continue
		}
		if file == nil {
			created, err := o.node.spill.Create()
			if err != nil {
				return err
			}
			file = &coldFile{File: created}
		}
		run, err := o.writeRun(side, file, columns, rows)
		file.users.Add(1)
		s.runs = append(s.runs, run)
		if err != nil {
			return err
		}
	}
	return nil
}

// closeRuns lets go of the rows on disk.
func (s *joinSide) closeRuns() error {
	var errs []error
	for _, run := range s.runs {
		errs = append(errs, run.file.release())
	}
	s.runs = nil
	return errors.Join(errs...)
}

// runBytes is the memory and the disk that the rows on disk take.
func (s *joinSide) runBytes() (memory, disk int64) {
	const perRun = 192
	for _, run := range s.runs {
		memory, disk = memory+perRun+int64(8*cap(run.pairs)), disk+run.at.Stored()
	}
	return memory, disk
}
