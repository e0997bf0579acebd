package exec

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// Batch is rows by column. TEXT and JSONB columns may be dictionaries, and any column may be a slice of a larger array.
// Inside the engine a column that no later operator reads may be nil; in a Result none is.
type Batch struct {
	Columns []arrow.Array
	Rows    int
}

// slice is a view of rows from to before to.
//
// It makes new array headers even for the whole batch: an Arrow dictionary array sets up part of itself on first use, so a
// header must not be shared between goroutines, while the data behind it may.
func (b *Batch) slice(from, to int) *Batch {
	out := &Batch{Columns: make([]arrow.Array, len(b.Columns)), Rows: to - from}
	for i, c := range b.Columns {
		if c != nil {
			out.Columns[i] = array.NewSlice(c, int64(from), int64(to))
		}
	}
	return out
}

// take gathers rows of the columns that keep names, leaving the others nil.
func (b *Batch) take(rows []int32, keep []bool) *Batch {
	out := &Batch{Columns: make([]arrow.Array, len(b.Columns)), Rows: len(rows)}
	for i, c := range b.Columns {
		if keep[i] && c != nil {
			out.Columns[i] = kernel.Take(c, rows)
		}
	}
	return out
}

// sliceReader cuts a batch that is complete in memory into batches of at most size rows.
type sliceReader struct {
	batch *Batch
	size  int
	at    int
}

func (r *sliceReader) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.at >= r.batch.Rows {
		return nil, io.EOF
	}
	end := min(r.at+r.size, r.batch.Rows)
	out := r.batch.slice(r.at, end)
	r.at = end
	return out, nil
}

func (r *sliceReader) close() {}

// all names every one of n columns.
func all(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}
