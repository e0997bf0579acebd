package exec

import (
	"context"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowStream computes windows of any size in bounded memory. Rows come sorted from disk; a stretch of them is held, and the calls are computed
// of it as if it were all there is. Given are those rows whose frames end within it. Then rows before all frames to come are let go of; what the
// calls need to know of them is carried along as a stretch's beginning.
type windowStream struct {
	op     *windowOp
	in     reader
	held   *Batch // the rows, as they were collected
	given  int    // how many of them have been given, as context of those to come
	target int    // how many are held before the calls are computed
	ended  bool   // in has no more
	last   *stretch
	output reader
	memory reservation
}

// newSorter makes what sorts rows on disk by partitions and keys; nil where a call cannot be computed in stretches, or nothing can be spilled.
func (o *windowOp) newSorter() (*sortOp, error) {
	if !o.run.canSpill() {
		return nil, nil //nolint:nilnil // no sorter is an answer
	}
	width := len(o.kept)
	for i := range o.calls {
		if o.used[width+i] && o.spanOf(&o.calls[i]) == noSpan {
			return nil, nil //nolint:nilnil // no sorter is an answer
		}
	}
	at := o.partitionAt()
	sorter := &sortOp{run: o.run, node: &plan.Sort{Limit: -1}, columns: at + len(o.partition) + len(o.keys)}
	for i, e := range o.node.Partition {
		sorter.node.Keys = append(sorter.node.Keys, plan.SortKey{Expr: e})
		sorter.keyAt = append(sorter.keyAt, at+i)
	}
	for i, k := range o.node.Order {
		sorter.node.Keys = append(sorter.node.Keys, k)
		sorter.keyAt = append(sorter.keyAt, at+len(o.partition)+i)
	}
	if len(sorter.keyAt) > 0 {
		return sorter, nil
	}
	// Rows without an order are all equal.
	same := &plan.Literal{Value: event.NewInt64s([]int64{0}, nil), Typ: event.Type{Kind: event.BigInt}}
	key, err := kernel.Compile(same)
	sorter.keys, sorter.keyAt, sorter.node.Keys = []*kernel.Program{key}, []int{sorter.columns}, []plan.SortKey{{Expr: same}}
	return sorter, err
}

// sort puts what has been collected, and from now on what comes, into sorted runs on disk.
func (b *windowBuffer) sort() error {
	if b.sorted == nil {
		b.sorted = b.op.sorter.newBuffer()
		b.sorted.memory.operator = b.memory.operator
	}
	batches := b.batches
	b.batches, b.buckets, b.rows, b.size = nil, nil, 0, 0
	if err := b.memory.resize(0); err != nil {
		return err
	}
	for _, batch := range batches {
		if err := b.sorted.consume(batch); err != nil {
			return err
		}
	}
	return nil
}

// newStream sorts what workers still hold.
func (o *windowOp) newStream(ctx context.Context, buffers []*windowBuffer) (reader, error) {
	group, _ := errgroup.WithContext(ctx)
	for _, b := range buffers {
		group.Go(func() error {
			return guard(func() error {
				if err := b.sort(); err != nil {
					return err
				}
				return b.sorted.spill()
			})
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var runs []sortedRun
	for _, b := range buffers {
		runs = append(runs, b.sorted.runs...)
	}
	s := &windowStream{
		op: o, held: &Batch{}, target: o.partRows(), memory: reservation{budget: o.run.budget, operator: "OVER"}, last: &stretch{calls: map[*windowCall]carried{}},
	}
	if err := s.computeWhole(ctx, runs); err != nil {
		return nil, err
	}
	merged, err := o.sorter.merge(ctx, runs, &reservation{budget: o.run.budget, operator: "OVER"})
	s.in = merged
	return s, err
}

// computeWhole computes the calls that have one value in all rows, over all of them.
func (s *windowStream) computeWhole(ctx context.Context, runs []sortedRun) error {
	for i := range s.op.calls {
		c := &s.op.calls[i]
		if !s.op.computes(i) || s.op.spanOf(c) != wholeSpan {
			continue
		}
		state, ok := kernel.NewAccumulator(c.Fn)
		if !ok {
			return event.Errorf(event.CodeInternal, "aggregate %s has no implementation", c.Fn.Signature())
		}
		for _, run := range runs {
			err := feed(ctx, &chunkReader{chunks: run.chunks}, func(batch *Batch) error { return s.add(state, c, batch) })
			if err != nil {
				return err
			}
		}
		value, err := state.Result(1)
		if err != nil {
			return err
		}
		s.last.calls[c] = carried{whole: value}
	}
	return nil
}

// computes reports whether somebody reads what a call computes.
func (o *windowOp) computes(call int) bool { return o.used[len(o.kept)+call] }

// add gives rows to the state of an aggregate.
func (s *windowStream) add(state kernel.Accumulator, c *windowCall, batch *Batch) error {
	w := &windowRows{run: s.op.run, node: s.op.node, count: batch.Rows}
	columns, rows := w.spread(s.op.kept, batch.Columns, nil), batch.Rows
	if c.filter != nil {
		condition, err := c.filter.Eval(w.run.kernel, columns, rows)
		if err != nil {
			return err
		}
		kept := kernel.True(condition, rows, nil)
		columns, rows = (&Batch{Columns: columns, Rows: rows}).take(kept, c.reads).Columns, len(kept)
	}
	args, err := w.eval(c.args, columns, rows)
	if err != nil {
		return err
	}
	return state.Update(kernel.Groups{Count: 1}, args, rows)
}

func (s *windowStream) next(ctx context.Context) (*Batch, error) {
	for {
		if s.output != nil {
			batch, err := s.output.next(ctx)
			if !errors.Is(err, io.EOF) {
				return batch, err
			}
			s.output = nil
		}
		if s.ended && s.given == s.held.Rows {
			s.memory.release()
			return nil, io.EOF
		}
		if err := s.advance(ctx); err != nil {
			return nil, err
		}
	}
}

func (s *windowStream) close() {}

// advance reads on, computes the calls and lets go of rows.
func (s *windowStream) advance(ctx context.Context) error {
	if err := s.read(ctx); err != nil || s.held.Rows == 0 {
		return err
	}
	w := s.rows()
	reaches, err := s.reaches(w)
	if err != nil {
		return err
	}
	end := s.settled(reaches)
	if end == s.given {
		s.target = s.held.Rows + s.op.partRows() // no frame has ended
		return nil
	}
	out, err := s.compute(ctx, w)
	if err != nil {
		return err
	}
	s.output = &sliceReader{batch: out.slice(s.given, end), size: s.op.run.engine.options.BatchRows}
	return s.forget(w, reaches, end)
}

// read brings the rows held to the target, or to what there is room for.
func (s *windowStream) read(ctx context.Context) error {
	pieces := []*Batch{s.held}
	rows, bytes := s.held.Rows, batchBytes(s.held)
	for !s.ended && rows < s.target {
		batch, err := s.in.next(ctx)
		if errors.Is(err, io.EOF) {
			s.ended = true
			break
		}
		if err != nil {
			return err
		}
		batch = batch.first(s.op.sorter.columns)
		pieces = append(pieces, batch)
		rows += batch.Rows
		bytes += batchBytes(batch)
		// Laying the rows end to end holds each of them twice.
		needs := 2*bytes + int64(rows)*(placeBytes+s.op.workBytes())
		if !s.memory.fits(needs) {
			if err := s.memory.resize(needs); err != nil {
				return err
			}
			break
		}
	}
	if s.held.Rows == 0 {
		pieces = pieces[1:]
	}
	if len(pieces) == 0 {
		return nil
	}
	var err error
	s.held, err = joinBatches(pieces)
	return err
}

// rows are those held, as the calls see them.
func (s *windowStream) rows() *windowRows {
	o := s.op
	w := &windowRows{run: o.run, node: o.node, count: s.held.Rows, starts: o.runStarts(s.held), memory: &s.memory, stretch: s.last}
	_, w.keys = o.split(s.held.Columns)
	w.columns = w.spread(o.kept, s.held.Columns, nil)
	w.least = s.memory.held
	w.base = 2 * batchBytes(s.held)
	return w
}

func (s *windowStream) compute(ctx context.Context, w *windowRows) (*Batch, error) {
	o := s.op
	out := &Batch{Columns: make([]arrow.Array, len(o.kept)+len(o.calls)), Rows: w.count}
	for i, column := range w.columns {
		if o.used[i] {
			out.Columns[i] = column
		}
	}
	for i := range o.calls {
		if !o.computes(i) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out.Columns[len(o.kept)+i], err = w.call(ctx, &o.calls[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
