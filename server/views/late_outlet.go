package views

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// lateOutlet sends the late rows of a view to their stream, each once.
//
// Which rows are late is a function of the rows alone, so what has to be sent between two marks can be computed at any time: a step that
// counts late rows reads its rows once more. A checkpoint says up to which marks all has been sent. What was sent after it and before a
// crash lies in the stream itself under the view's name; it is read from there after a start, and not sent again. The same goes for a
// view that takes another's place: it sends only what the other had not.
type lateOutlet struct {
	set     *Set
	target  *lateTarget
	sources []lateSource
	// sent are the marks up to which the rows have been sent, by input; counted is how many late rows the view had left out by then.
	sent    []Mark
	counted int64
	// even tells that counted belongs to sent.
	even bool
	// before are the rows that were in the stream, beyond sent, when the outlet began; nil until they are asked for.
	before map[lateKey]bool
}

// lateSource gives the late rows of one stream, for one place of the view's query that leaves them out.
type lateSource struct {
	rows continuous.LateRows
	in   *streamInput
}

// lateKey is where a row lies.
type lateKey struct {
	stream            string
	partition, offset int64
}

// newOutlet prepares the stream of late rows; nil where the view has none.
func (r *runtime) newOutlet() (*lateOutlet, error) {
	if r.definition.LateInto == "" {
		return nil, nil
	}
	target, sources, err := r.set.lateTarget(r.definition, r.program)
	if err != nil {
		return nil, err
	}
	if err := r.set.prepare(target); err != nil {
		return nil, err
	}
	o := &lateOutlet{set: r.set, sent: slices.Clone(r.marks)}
	return o, o.aim(target, sources)
}

// aim has the outlet take late rows from their streams, as those are now, to a target.
func (o *lateOutlet) aim(target *lateTarget, sources []continuous.LateRows) error {
	o.target, o.sources = target, nil
	for _, rows := range sources {
		in, ok := o.set.input(rows.Program.Inputs()[0]).(*streamInput)
		if !ok {
			return event.Errorf(event.CodeInternal, "late rows of %q, which is no stream", rows.Stream)
		}
		o.sources = append(o.sources, lateSource{rows: rows, in: in})
	}
	return nil
}

// followSources has the outlet know the columns that the sources have got, or that have changed their types, since it was aimed.
func (r *runtime) followSources() error {
	current := func(stream string, version int) bool {
		present, ok := r.set.options.Catalog.Stream(stream)
		return ok && present.Schema.Version == version
	}
	for stream, version := range r.outlet.target.versions {
		if current(stream, version) {
			continue
		}
		target, sources, err := r.set.lateTarget(r.definition, r.program)
		if err == nil {
			err = r.set.prepare(target)
		}
		if err != nil {
			return err
		}
		return r.outlet.aim(target, sources)
	}
	return nil
}

// sendLate brings the stream of late rows to where the view is. It comes before the view's own rows show: whoever sees those finds the
// late ones in their stream.
func (r *runtime) sendLate(ctx context.Context) error {
	o := r.outlet
	if o == nil {
		return nil
	}
	if !o.even || o.counted != r.late {
		if err := r.sendAll(ctx); err != nil {
			return fmt.Errorf("send late rows to %s: %w", o.target.into, err)
		}
	}
	o.sent, o.counted, o.even = slices.Clone(r.marks), r.late, true
	return nil
}

// sendAll sends the late rows of all sources. Where a column changes its type meanwhile that the query does not read, it looks again.
func (r *runtime) sendAll(ctx context.Context) error {
	o, seen := r.outlet, map[lateKey]bool{}
	for {
		if err := r.followSources(); err != nil {
			return err
		}
		before, i := o.target, 0
		for ; i < len(o.sources); i++ {
			if err := o.send(ctx, o.sources[i], r.marks, seen); err != nil {
				if !errors.Is(err, errInputChanged) {
					return err
				}
				break
			}
		}
		if i == len(o.sources) {
			return nil
		}
		if err := r.followSources(); err != nil {
			return err
		}
		if o.target == before {
			return errInputChanged // it was not that
		}
	}
}

// send sends the late rows of a source up to the marks, less those that another source has given already.
func (o *lateOutlet) send(ctx context.Context, source lateSource, marks []Mark, seen map[lateKey]bool) error {
	ours := func(m Mark) bool { return m.Name == source.rows.Stream }
	i := slices.IndexFunc(marks, ours)
	machine := source.rows.Program.Start()
	return eachPiece(ctx, source.in, o.sent[i], &marks[i], func(rows continuous.Delta) error {
		step := continuous.Step{Inputs: map[string]continuous.InputStep{source.rows.Stream: {Rows: rows, Closed: continuous.NoWatermark}}}
		change, err := machine.Step(ctx, step)
		if err != nil || change.Rows == 0 {
			return err
		}
		return o.insert(ctx, source, change.Delta, seen)
	})
}

// eachPiece gives the rows of a stream between two marks to fn, up to where the stream is now where the second is nil.
func eachPiece(ctx context.Context, in *streamInput, from Mark, to *Mark, fn func(continuous.Delta) error) (err error) {
	for {
		p, err := in.pull(ctx, from, to)
		if err != nil || p == nil {
			return err
		}
		for _, piece := range p.pieces {
			var rows continuous.Delta
			if rows, err = piece.read(ctx); err == nil && rows.Rows > 0 {
				err = fn(rows)
			}
			if err != nil {
				break
			}
		}
		if err = errors.Join(err, p.close()); err != nil || to != nil {
			return err
		}
		from = p.to
	}
}

// insert adds the rows to the stream that are not there yet.
func (o *lateOutlet) insert(ctx context.Context, source lateSource, late continuous.Delta, seen map[lateKey]bool) error {
	width := len(source.in.want.Schema.Columns)
	partitions, offsets := late.Columns[width].(*array.Int64), late.Columns[width+1].(*array.Int64)
	if err := o.readBefore(ctx); err != nil {
		return err
	}
	var first []int32
	windows := map[lateKey]int64{}
	for i := range late.Rows {
		key := lateKey{source.rows.Stream, partitions.Value(i), offsets.Value(i)}
		if seen[key] || o.before[key] {
			continue
		}
		if windows[key] == 0 {
			first = append(first, int32(i))
		}
		windows[key]++
	}
	if len(first) == 0 {
		return nil
	}
	var columns []event.Column
	var values []arrow.Array
	for i, c := range source.in.want.Schema.Columns {
		columns, values = append(columns, c), append(values, plain(event.Take(late.Columns[i], first)))
	}
	counts := make([]int64, len(first))
	for i, row := range first {
		key := lateKey{source.rows.Stream, partitions.Value(int(row)), offsets.Value(int(row))}
		counts[i], seen[key] = windows[key], true
	}
	for _, c := range lateColumns {
		columns = append(columns, event.Column{Name: c.Name, Type: c.Type})
	}
	values = append(values, same(o.target.view, len(first)), same(source.rows.Stream, len(first)), event.Take(partitions, first),
		event.Take(offsets, first), event.Take(late.Columns[width+2], first), event.NewInt64s(counts, nil))
	return o.set.options.Insert(ctx, o.target.into, columns, values)
}

// same is a column of one value.
func same(text string, rows int) arrow.Array {
	offsets, data := make([]int32, rows+1), make([]byte, 0, rows*len(text))
	for i := range rows {
		data = append(data, text...)
		offsets[i+1] = int32(len(data))
	}
	return event.NewStrings(offsets, data, nil)
}

// readBefore finds the view's rows in the stream that lie beyond what is known to be sent.
func (o *lateOutlet) readBefore(ctx context.Context) error {
	if o.before != nil {
		return nil
	}
	stream, ok := o.set.options.Catalog.Stream(o.target.into)
	if !ok {
		return event.Errorf(event.CodeNotFound, "there is no stream %q", o.target.into)
	}
	want := continuous.Input{Name: stream.Name, Schema: stream.Schema}
	for _, c := range lateColumns[:4] {
		column, err := stream.Schema.Resolve(c.Name)
		if err != nil {
			return fmt.Errorf("stream %q: %w", stream.Name, err)
		}
		want.Fields = append(want.Fields, column.ID)
	}
	before := map[lateKey]bool{}
	in := &streamInput{engine: o.set.options.Ingest, store: o.set.options.Segments, want: want, reads: o.set.reads}
	err := eachPiece(ctx, in, Mark{Name: stream.Name}, nil, func(rows continuous.Delta) error {
		partitions, offsets := rows.Columns[2].(*array.Int64), rows.Columns[3].(*array.Int64)
		for i := range rows.Rows {
			if rows.Columns[0].IsNull(i) || event.StringAt(rows.Columns[0], i) != o.target.view || rows.Columns[1].IsNull(i) {
				continue
			}
			key := lateKey{event.StringAt(rows.Columns[1], i), partitions.Value(i), offsets.Value(i)}
			if !o.isSent(key) {
				before[key] = true
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", stream.Name, err)
	}
	o.before = before
	return nil
}

func (o *lateOutlet) isSent(key lateKey) bool {
	i := slices.IndexFunc(o.sent, func(m Mark) bool { return m.Name == key.stream })
	return i >= 0 && event.Offset(key.offset) < o.sent[i].Vector.At(event.Partition(key.partition))
}
