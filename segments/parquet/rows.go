package parquet

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Rows are sorted rows to be written, given column by column so that no more than one has to be in memory beside where they come
// from. Columns are those of the schema's All.
type Rows interface {
	Len() int
	// Advance says that rows from..to are asked for next, or as many of them from the first on as suit a row group. Calls go up.
	Advance(ctx context.Context, from, to int) error
	// Column gives rows from..to of a column. The array is good until the next call.
	Column(ctx context.Context, column, from, to int) (arrow.Array, error)
	// TextBytes is the size of the text in those rows or a bound above it; 0 for a column without text.
	TextBytes(column, from, to int) int
}

// arrays are Rows that are there as a whole.
type arrays []arrow.Array

func (a arrays) Len() int { return a[0].Len() }

func (a arrays) Advance(context.Context, int, int) error { return nil }

func (a arrays) Column(_ context.Context, column, from, to int) (arrow.Array, error) {
	return array.NewSlice(a[column], int64(from), int64(to)), nil
}

func (a arrays) TextBytes(column, from, to int) int {
	text, ok := a[column].(*array.String)
	if !ok {
		return 0
	}
	offsets := text.ValueOffsets()
	return int(offsets[to] - offsets[from])
}

// checkColumn makes sure that an array may be written as rows of a column.
func checkColumn(c event.Column, values arrow.Array, rows int) error {
	switch {
	case values.Len() != rows:
		return fmt.Errorf("%d rows instead of %d", values.Len(), rows)
	case c.NotNull && values.NullN() > 0:
		return fmt.Errorf("NOT NULL, but %d NULLs", values.NullN())
	case !arrow.TypeEqual(values.DataType(), c.Type.Arrow()) && !arrow.TypeEqual(values.DataType(), event.DictionaryType):
		return fmt.Errorf("is %s, not %s", values.DataType(), c.Type)
	}
	return nil
}

// groupEnd decides after which row the row group ends that begins with row from: after so many rows, or earlier where text is long, of
// which a column of a row group has to fit into memory.
func groupEnd(rows Rows, columns, from int, layout Layout) int {
	end := min(rows.Len(), from+layout.RowGroupRows)
	for i := range columns {
		// One row is always taken.
		for end-from > 1 && rows.TextBytes(i, from, end) > layout.GroupText {
			end = from + (end-from)/2
		}
	}
	return end
}

// pageCuts decides after which rows of a row group pages end, the same for all columns: after so many rows, or earlier where text is long.
func pageCuts(rows Rows, columns, from, to int, layout Layout) []int {
	var cuts []int
	for at := from; at < to; {
		end := min(to, at+layout.PageRows)
		for i := range columns {
			// One row is always taken.
			for end-at > 1 && rows.TextBytes(i, at, end) > layout.PageText {
				end = at + (end-at)/2
			}
		}
		cuts = append(cuts, end-from)
		at = end
	}
	return cuts
}
