package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Frames are stretches of rows, one for each result: those from Low[i] to before High[i].
type Frames struct{ Low, High []int32 }

// FrameCall computes an aggregate over frames of rows that lie side by side, at a cost per frame that does not grow with its size
// where the aggregate allows that: constant while both ends only move forward, else the logarithm of the number of rows.
type FrameCall struct {
	Fn   *plan.Function
	Args []Operand
	// Rows is the number of rows that the frames speak of.
	Rows int
	// Pieces make up the frame of result i together, without overlap and in order: frames with a hole have several. There is at
	// least one.
	Pieces []Frames
	// Before, if not nil, has one group: what rows before the first one add to the frames of the first Continued results, all of which begin
	// at row 0. It has been updated at least once, and stays as it is.
	Before    Accumulator
	Continued int
	// Reserve is told how much memory is held from time to time; its error stops the work.
	Reserve func(bytes int64) error
}

// AggregateFrames gives the aggregate of each frame.
func AggregateFrames(c FrameCall) (arrow.Array, error) {
	switch {
	case c.Fn.Name == "count":
		return countFrames(c), nil
	case c.isBigintSum():
		return sumBigintFrames(c)
	case c.isDoubleSum():
		return sumDoubleFrames(c)
	case c.Fn.Name == "min" || c.Fn.Name == "max":
		return extremeFrames(c)
	default:
		return mergeFrames(c)
	}
}

func (c FrameCall) isBigintSum() bool {
	return (c.Fn.Name == "sum" || c.Fn.Name == "avg") && len(c.Args) == 1 && c.Fn.Args[0].Kind == event.BigInt
}

func (c FrameCall) isDoubleSum() bool {
	return (c.Fn.Name == "sum" || c.Fn.Name == "avg") && len(c.Args) == 1 && c.Fn.Args[0].Kind == event.Double
}

// results is the number of frames.
func (c FrameCall) results() int { return len(c.Pieces[0].Low) }

// forward reports whether neither end ever moves back.
func (f Frames) forward() bool {
	for i := 1; i < len(f.Low); i++ {
		if f.Low[i] < f.Low[i-1] || f.High[i] < f.High[i-1] {
			return false
		}
	}
	return true
}

// states makes and joins the states of one aggregate over rows. The zero state is that of no rows.
type states[S any] interface {
	// of is the state of one row.
	of(row int) S
	// join adds to a what follows it; b stays as it is.
	join(a, b *S)
	// drop is told of a state that is not needed any more.
	drop(s *S)
}

// foldedAtOnce is how many frames are computed before Reserve may stop the work.
const foldedAtOnce = 1 << 15

// stateBytes is a generous guess at what the states of a row take beside what they point to.
const stateBytes = 64

// continued joins what came before row 0 to the frames that begin with it: it calls f for each of their results.
func (c FrameCall) continued(f func(result int)) {
	if c.Before == nil {
		return
	}
	for i := range c.Continued {
		f(i)
	}
}

// fold joins, for each result, the states of its frame to what out holds, in the order of rows.
func fold[S any, A states[S]](c FrameCall, a A, out []S) error {
	rows := int64(c.Rows)
	if err := c.Reserve(stateBytes * (rows + int64(len(out)))); err != nil {
		return err
	}
	for _, piece := range c.Pieces {
		folder := newFolder[S](a, piece, c.Rows)
		for from := 0; from < len(out); from += foldedAtOnce {
			if err := c.Reserve(stateBytes * (rows + int64(len(out)))); err != nil {
				return err
			}
			folder.fold(from, out[from:min(from+foldedAtOnce, len(out))])
		}
	}
	return nil
}

// folder joins the states of frames to what out holds, out[0] being for the frame from. Frames are asked for once each, in order.
type folder[S any] interface{ fold(from int, out []S) }

func newFolder[S any, A states[S]](a A, frames Frames, rows int) folder[S] {
	if frames.forward() {
		return &slider[S, A]{states: a, frames: frames}
	}
	return newTree[S](a, frames, rows)
}
