package views

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// A view that its query stops can be told to leave out the event at which it did. Which events a view leaves out belongs to its definition:
// its content stays a function of that and of its marks.

// placedInput reads a stream with two more columns at the end, where each row lies, and leaves some rows out.
type placedInput struct {
	*streamInput
	skip []catalog.SkippedEvent
	// bare takes the two columns away again.
	bare bool
}

// placed is an input of a stream with the place of each row.
func (s *streamInput) placed(skip []catalog.SkippedEvent, bare bool) *placedInput {
	wide := *s
	wide.want.Fields = append(slices.Clip(s.want.Fields), event.FieldPartition, event.FieldOffset)
	return &placedInput{streamInput: &wide, skip: skip, bare: bare}
}

// pull implements input.
func (in *placedInput) pull(ctx context.Context, from Mark, to *Mark) (*portion, error) {
	p, err := in.streamInput.pull(ctx, from, to)
	if err != nil || p == nil {
		return nil, err
	}
	for i := range p.pieces {
		read := p.pieces[i].read
		p.pieces[i].read = func(ctx context.Context) (continuous.Delta, error) {
			d, err := read(ctx)
			if err != nil {
				return d, err
			}
			return in.without(d), nil
		}
	}
	return p, nil
}

// without leaves out the rows that are to be skipped.
func (in *placedInput) without(d continuous.Delta) continuous.Delta {
	width := len(d.Columns) - 2
	if width < 0 {
		return d // no rows
	}
	partitions, offsets := d.Columns[width].(*array.Int64), d.Columns[width+1].(*array.Int64)
	var kept []int32
	for i := range d.Rows {
		at := catalog.SkippedEvent{Stream: in.want.Name, Partition: event.Partition(partitions.Value(i)), Offset: event.Offset(offsets.Value(i))}
		if !slices.Contains(in.skip, at) {
			kept = append(kept, int32(i))
		}
	}
	if in.bare {
		d.Columns = d.Columns[:width:width]
	}
	if len(kept) < d.Rows {
		r := rows{columns: d.Columns, count: d.Rows}.take(kept)
		d.Columns, d.Rows = r.columns, r.count
	}
	return d
}

// skipping is an input of the view less the events that it leaves out.
func (s *Set) skipping(definition *catalog.View, in input) input {
	stream, ok := in.(*streamInput)
	if !ok || !slices.ContainsFunc(definition.Skipped, func(e catalog.SkippedEvent) bool { return e.Stream == stream.want.Name }) {
		return in
	}
	return stream.placed(definition.Skipped, true)
}

// culprit finds the event that the query fails over, from where the runtime is. It goes over what the inputs have gained in the order in
// which the view does, and halves the piece that fails. nil where no single event of a stream is to blame.
func (r *runtime) culprit(ctx context.Context) (*catalog.SkippedEvent, error) {
	for i := range r.inputs {
		if stream := streamOf(r.inputs[i]); stream != nil {
			stream.want = r.program.Inputs()[i]
			r.inputs[i] = stream.placed(r.definition.Skipped, false)
		}
	}
	if !r.started {
		if _, err := r.machine.Step(ctx, continuous.Step{}); err != nil {
			return nil, err
		}
	}
	for took := true; took; {
		took = false
		for i := range r.inputs {
			var found *catalog.SkippedEvent
			var before continuous.InputStep
			before.Closed, before.Final = r.inputs[i].watermarks(r.marks[i])
			more, err := r.take(ctx, i, nil, func(inputs map[string]continuous.InputStep) (err error) {
				if found, err = r.attempt(ctx, r.marks[i].Name, inputs, before); found != nil {
					return errFound
				}
				before = inputs[r.marks[i].Name]
				return err
			})
			if found != nil || err != nil {
				if errors.Is(err, errFound) {
					err = nil
				}
				return found, err
			}
			took = took || more
		}
	}
	return nil, nil
}

// streamOf is the stream that an input reads, nil for a view's.
func streamOf(in input) *streamInput {
	switch in := in.(type) {
	case *streamInput:
		return in
	case *placedInput:
		return in.streamInput
	default:
		return nil
	}
}

// isView reports whether an input is a view, whose changes have no place of their own.
func (r *runtime) isView(name string) bool {
	_, ok := r.set.options.Catalog.Stream(name)
	return !ok
}

// errFound ends a search.
var errFound = errors.New("found")

// attempt makes a step as the view would, and finds out which of its rows fails, if one does. last is the step before it.
func (r *runtime) attempt(
	ctx context.Context, stream string, inputs map[string]continuous.InputStep, last continuous.InputStep,
) (*catalog.SkippedEvent, error) {
	in := inputs[stream]
	width := len(in.Rows.Columns) - 2
	if width < 0 || r.isView(stream) {
		_, err := r.machine.Step(ctx, continuous.Step{Inputs: inputs})
		return nil, err
	}
	places := in.Rows.Columns[width:]
	in.Rows.Columns = in.Rows.Columns[:width:width]
	var state bytes.Buffer
	if err := r.machine.Snapshot(&state); err != nil {
		return nil, err
	}
	fails := func(n int) error {
		machine, err := r.program.Restore(bytes.NewReader(state.Bytes()))
		if err != nil {
			return err
		}
		some := in
		all := make([]int32, n)
		for i := range all {
			all[i] = int32(i)
		}
		some.Rows.Columns, some.Rows.Rows = rows{columns: in.Rows.Columns, count: in.Rows.Rows}.take(all).columns, n
		if n < in.Rows.Rows { // the watermark at the end is not that in the middle
			some.Closed, some.Final = last.Closed, last.Final
		}
		if _, err = machine.Step(ctx, continuous.Step{Inputs: map[string]continuous.InputStep{stream: some}}); n == in.Rows.Rows && err == nil {
			r.machine = machine
		}
		return err
	}
	err := fails(in.Rows.Rows)
	if err == nil || !blamesAnEvent(err) {
		return nil, err
	}
	n := sort.Search(in.Rows.Rows, func(n int) bool { return fails(n) != nil })
	if n == 0 {
		return nil, err
	}
	return &catalog.SkippedEvent{
		Stream: stream, Partition: event.Partition(places[0].(*array.Int64).Value(n - 1)), Offset: event.Offset(places[1].(*array.Int64).Value(n - 1)),
	}, nil
}

// blamesAnEvent tells failures over the value of an event from those that another event would meet as well.
func blamesAnEvent(err error) bool {
	var fault *event.Error
	ofValues := errors.As(err, &fault) && fault.Code != event.CodeMemoryLimit && fault.Code != event.CodeInternal
	return isQuery(err) && ofValues && !errors.Is(err, errOutgrown) && !errors.Is(err, errWouldLose)
}

// blame finds the event at which a view has stopped, and says so in the error.
func (v *View) blame(failure error) (*catalog.SkippedEvent, error) {
	if !blamesAnEvent(failure) || v.ctx.Err() != nil {
		return nil, failure
	}
	var found *catalog.SkippedEvent
	err := protected(func() error {
		r, err := v.set.newRuntime(v)
		if err != nil {
			return err
		}
		if r.definition.Ready {
			err = r.restore(v.ctx)
		} else {
			err = r.begin()
		}
		if err == nil {
			found, err = r.culprit(v.ctx)
		}
		return errors.Join(err, r.close(false))
	})
	if err != nil && v.ctx.Err() == nil {
		v.set.options.Logger.Warn("it cannot be found out at which event a view stopped", "view", v.Definition().Name, "error", err)
	}
	var fault *event.Error
	if err != nil || found == nil || !errors.As(failure, &fault) {
		return nil, failure
	}
	out := *fault
	reason, _, _ := strings.Cut(fault.Detail, stoppedBetween)
	out.Detail = fmt.Sprintf("%s; it stopped at %s", reason, found)
	out.Hint = "ALTER MATERIALIZED VIEW " + v.Definition().Name + " RESUME SKIP goes on without that event"
	return found, &out
}

// Skip lets a view that has failed go on without the event at which it stopped.
func (v *View) Skip() (*catalog.SkippedEvent, error) {
	v.mu.Lock()
	state, found, definition := v.mu.state, v.mu.culprit, v.mu.definition
	v.mu.Unlock()
	if state != Failed {
		return nil, event.Errorf(event.CodeConflict, "view %q has not stopped", definition.Name)
	}
	if found == nil {
		return nil, event.Errorf(event.CodeConflict, "view %q has not stopped at one event of a stream, which could be left out", definition.Name).
			WithHint("SHOW VIEWS says why it stopped; CREATE OR REPLACE MATERIALIZED VIEW with a query that does not")
	}
	skipping, err := v.set.options.Catalog.SkipEvent(definition, *found)
	if err != nil {
		return nil, err
	}
	v.update(func() { v.mu.definition, v.mu.culprit = skipping, nil })
	v.Resume()
	return found, nil
}
