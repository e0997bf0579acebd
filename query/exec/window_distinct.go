package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// distinctRows bounds how many rows frames without a common start are spread to at once.
const distinctRows = 1 << 20

// aggregateDistinct computes an aggregate over the distinct arguments in each frame: of rows with the same ones, the first in the frame
// counts. A row is that in all frames that begin behind the one before it with the same arguments.
func (w *windowRows) aggregateDistinct(call kernel.FrameCall, exprs []plan.Expr) (arrow.Array, error) {
	columns := make([]arrow.Array, len(call.Args))
	for i, a := range call.Args {
		columns[i] = a.Expand(call.Rows)
	}
	ids := make([]uint32, call.Rows)
	values := newGroupTable(typesOf(exprs))
	values.assign(columns, ids)
	before := make([]int32, call.Rows) // by row, the one before it with the same arguments, or -1
	last := make([]int32, values.count())
	fill(last, -1)
	for row, id := range ids {
		before[row], last[id] = last[id], int32(row)
	}
	if kept, ok := firstsOfStretches(call.Pieces, before); ok {
		for i, c := range columns {
			call.Args[i] = kernel.Operand{Array: kernel.Take(c, kept)}
		}
		call.Pieces, call.Rows = sharesOf(call.Pieces, kept, call.Rows), len(kept)
		return kernel.AggregateFrames(call)
	}
	return aggregateSpread(call, columns, before)
}

// firstsOfStretches are the rows that count where frames that begin at different rows share none, as those do that begin where their
// partition does; ok is false where frames are of another kind.
func firstsOfStretches(pieces []kernel.Frames, before []int32) (kept []int32, ok bool) {
	if len(pieces) > 1 {
		return nil, false
	}
	low, high := pieces[0].Low, pieces[0].High
	for from := 0; from < len(low); {
		to, end := from, low[from]
		for ; to < len(low) && low[to] == low[from]; to++ {
			end = max(end, high[to])
		}
		for row := low[from]; row < end; row++ {
			if before[row] < low[from] {
				kept = append(kept, row)
			}
		}
		if to < len(low) && low[to] < end {
			return nil, false
		}
		from = to
	}
	return kept, true
}

// aggregateSpread lays the rows that count in each frame side by side, some frames at a time.
func aggregateSpread(call kernel.FrameCall, columns []arrow.Array, before []int32) (arrow.Array, error) {
	var out []arrow.Array
	results := len(call.Pieces[0].Low)
	for from := 0; from < results; {
		var rows []int32
		f := kernel.Frames{}
		for ; from < results && len(rows) < distinctRows; from++ {
			f.Low = append(f.Low, int32(len(rows)))
			rows = appendFirsts(rows, call.Pieces, from, before)
			f.High = append(f.High, int32(len(rows)))
		}
		part := call
		part.Args, part.Rows, part.Pieces = make([]kernel.Operand, len(columns)), len(rows), []kernel.Frames{f}
		for i, c := range columns {
			part.Args[i] = kernel.Operand{Array: kernel.Take(c, rows)}
		}
		values, err := kernel.AggregateFrames(part)
		if err != nil {
			return nil, err
		}
		out = append(out, values)
	}
	return kernel.Concat(out)
}

// appendFirsts appends the rows that count in a frame. A row before a hole in the frame hides those behind it, one in the hole does not.
func appendFirsts(rows []int32, pieces []kernel.Frames, frame int, before []int32) []int32 {
	for p, piece := range pieces {
		for row := piece.Low[frame]; row < piece.High[frame]; row++ {
			seen := before[row]
			for !inPieces(pieces[:p+1], frame, seen) && seen >= pieces[0].Low[frame] {
				seen = before[seen]
			}
			if seen < pieces[0].Low[frame] {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func inPieces(pieces []kernel.Frames, frame int, row int32) bool {
	for _, p := range pieces {
		if row >= p.Low[frame] && row < p.High[frame] {
			return true
		}
	}
	return false
}
