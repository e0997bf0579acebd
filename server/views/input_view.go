package views

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/segments"
)

// viewInput reads another view: its content once, then its changelog.
type viewInput struct {
	set  *Set
	want continuous.Input
}

// changed implements input.
func (v *viewInput) changed() <-chan struct{} {
	view, err := v.set.find(v.want.Name)
	if err != nil {
		return nil
	}
	return view.Changed()
}

// pull implements input. Frames are numbered from 1, so a mark at 0 has read nothing yet.
func (v *viewInput) pull(ctx context.Context, from Mark, to *Mark) (*portion, error) {
	view, err := v.set.find(v.want.Name)
	if err != nil {
		return nil, err
	}
	if to != nil { // after a start the other view comes back first
		if err := view.back(ctx); err != nil {
			return nil, err
		}
	}
	snapshot := view.snapshot()
	if snapshot == nil {
		return nil, nil // it is being built; when it can be read, that is a change
	}
	generation := view.Definition().Generation
	switch changed := from.Generation != 0 && from.Generation != generation; {
	case to == nil && generation < v.want.Generation:
		return nil, nil // the one that is meant is about to take its place, which is a change
	case changed || to == nil && generation > v.want.Generation:
		return nil, fmt.Errorf("view %s: %w", v.want.Name, errInputChanged)
	case to == nil && from.Vector.At(0) == 0:
		return v.pullContent(ctx, view)
	}
	end := snapshot.mark()
	if to != nil {
		end = *to
	}
	// A watermark that rose without rows is in no frame: a view that was killed begins behind what it had told, and gets there again.
	end.Watermarks = rising(from.Watermarks, end.Watermarks)
	if from.Vector.Covers(end.Vector) && slices.Equal(from.Watermarks, end.Watermarks) && from.Fault == end.Fault {
		return nil, nil
	}
	p := v.portion(end)
	if err := v.addFrames(ctx, p, view, from); err != nil {
		return nil, err
	}
	return p, nil
}

// portion begins one that ends at a mark.
func (v *viewInput) portion(end Mark) *portion {
	closed, _ := v.watermarks(end)
	return &portion{to: end, closed: closed, close: func() error { return nil }}
}

// watermarks implements input. A machine wants to know the first time that may still come.
func (v *viewInput) watermarks(m Mark) (closed, final int64) {
	if len(m.Watermarks) != 2 {
		return continuous.NoWatermark, continuous.NoWatermark
	}
	return following(m.Watermarks[0]), following(m.Watermarks[1])
}

// reaches implements input. A changelog that lacks its end is found where it is read.
func (v *viewInput) reaches(Mark) error { return nil }

// behind implements input.
func (v *viewInput) behind(m Mark) bool { return m.Vector.At(0) == 0 }

// following is the time after one, of a view that may have none yet.
func following(t int64) int64 {
	if t == continuous.NoWatermark {
		return t
	}
	return t + 1
}

// pullContent gives the rows that the view has now.
func (v *viewInput) pullContent(ctx context.Context, view *View) (*portion, error) {
	pinned, err := view.Pin()
	if err != nil {
		return nil, err
	}
	p := v.portion(pinned.mark())
	p.close = pinned.Close
	morsels, err := pinned.Morsels(ctx, v.want.Schema, v.want.Fields, nil)
	if errors.Is(err, segments.ErrSchemaChanged) {
		err = errInputChanged // another view has the name since the query was bound
	}
	if err != nil {
		return nil, errors.Join(err, pinned.Close())
	}
	for _, m := range morsels.Morsels {
		p.rows += int64(m.Rows())
		p.pieces = append(p.pieces, piece{rows: m.Rows(), after: continuous.NoWatermark, read: func(ctx context.Context) (continuous.Delta, error) {
			columns, _, err := m.Read(ctx, nil, nil)
			return continuous.Delta{Columns: columns, Rows: m.Rows()}, err
		}})
	}
	return p, nil
}

// addFrames adds the changes of the frames behind a mark and before the portion's. Each of them must be there.
func (v *viewInput) addFrames(ctx context.Context, p *portion, view *View, begin Mark) error {
	from, end := uint64(max(begin.Vector.At(0), 1)), uint64(p.to.Vector.At(0))
	at := make([]int, len(v.want.Fields))
	for i, id := range v.want.Fields {
		at[i] = slices.IndexFunc(v.want.Schema.Columns, func(c event.Column) bool { return c.ID == id })
	}
	errEnough := errors.New("enough")
	next := from
	err := view.readFrames(ctx, from, func(f *Frame) error {
		switch {
		case f.Number >= end:
			return errEnough
		case f.Number != next:
			return event.Errorf(event.CodeInternal, "view %s gave frame %d where %d follows", v.want.Name, f.Number, next)
		}
		next++
		if f.Rows == 0 {
			return nil
		}
		delta := continuous.Delta{Columns: make([]arrow.Array, len(at)), Weights: f.Weights, Rows: f.Rows}
		for i, column := range at {
			delta.Columns[i] = f.Columns[column]
		}
		p.rows += int64(f.Rows)
		end := Mark{
			Name: v.want.Name, Generation: p.to.Generation, Vector: event.Vector{event.Offset(f.Number + 1)},
			Watermarks: rising(begin.Watermarks, []int64{f.Closed, f.Final}),
		}
		p.pieces = append(p.pieces, piece{
			rows: f.Rows, after: continuous.NoWatermark, end: &end, read: func(context.Context) (continuous.Delta, error) { return delta, nil },
		})
		return nil
	})
	if errors.Is(err, errTrimmed) {
		return fmt.Errorf("view %s has forgotten its changes from frame %d on: %w", v.want.Name, from, errInputChanged)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if next < end {
		return event.Errorf(event.CodeInternal, "view %s has frames up to %d only, not up to %d", v.want.Name, next, end)
	}
	return nil
}
