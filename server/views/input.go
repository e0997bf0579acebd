package views

import (
	"context"
	"errors"

	"github.com/tidemarkdb/tidemark/query/continuous"
)

// pieceRows is how many rows a machine is given at a time, about.
const pieceRows = 64 << 10

// errInputChanged says that an input has changed its columns, or that its content is another one: the view has to be built anew.
var errInputChanged = errors.New("an input was replaced or has changed")

// input is one stream or view that a view reads.
type input interface {
	// changed returns a channel that is closed when there may be more than there was when it was taken.
	changed() <-chan struct{}
	// watermarks are the closed and the final one of a mark, as a machine wants them.
	watermarks(m Mark) (closed, final int64)
	// behind reports whether much is to be read before the mark is where the input is now.
	behind(m Mark) bool
	// reaches fails for a mark of an earlier process that the input had not come to when this one began.
	reaches(m Mark) error
	// pull gives what came since the mark: up to another one, or up to where the input is now where that is nil. It gives nil where
	// there is nothing.
	pull(ctx context.Context, from Mark, to *Mark) (*portion, error)
}

// portion is what an input gained between two marks, in pieces that follow each other about in the order of event time.
type portion struct {
	to Mark
	// closed is the input's watermark at the end.
	closed int64
	// rows is how many rows there are, about.
	rows   int64
	pieces []piece
	// lost are the rows that should be among these and are gone.
	lost  []Loss
	close func() error
}

// piece is some rows of a portion.
type piece struct {
	rows int
	read func(ctx context.Context) (continuous.Delta, error)
	// after is a time before which no row comes in the pieces that follow; continuous.NoWatermark where that is not known.
	after int64
	// end is where the input stands after the piece, if that is a place to go on from; nil for none.
	end *Mark
}

// closedAfter is the watermark once a piece has been taken. Between pieces it rises with the order of event time, so that of a long
// history only those windows are held that are open at one time; at the end it is the portion's.
func (p *portion) closedAfter(i int, before int64) int64 {
	if i == len(p.pieces)-1 {
		return max(before, p.closed)
	}
	return max(before, min(p.pieces[i].after, p.closed))
}
