package exec

import (
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// frames are the rows that a call sees from each row, as one stretch or, around an exclusion, as several.
func (w *windowRows) frames(f plan.Frame) ([]kernel.Frames, error) {
	low, err := w.bound(f, f.Start, false)
	if err != nil {
		return nil, err
	}
	high, err := w.bound(f, f.End, true)
	if err != nil {
		return nil, err
	}
	for i, l := range low {
		high[i] = max(high[i], l) // a frame that ends before it starts is empty
	}
	return w.exclude(kernel.Frames{Low: low, High: high}, f.Exclude), nil
}

// bound is, for each row, where its frame starts or, for an end, the row after the frame's last.
func (w *windowRows) bound(f plan.Frame, b plan.FrameBound, end bool) ([]int32, error) {
	out := make([]int32, w.count)
	switch {
	case b.Kind == plan.UnboundedPreceding:
		w.partitions(func(from, to int32) { fill(out[from:to], from) })
	case b.Kind == plan.UnboundedFollowing:
		w.partitions(func(from, to int32) { fill(out[from:to], to) })
	case f.Unit == plan.FrameRows:
		w.rowBound(out, rowOffset(b), end)
	case f.Unit == plan.FrameGroups || b.Kind == plan.CurrentRow:
		w.groupBound(out, rowOffset(b), end)
	default:
		return out, w.rangeBound(out, b, end)
	}
	return out, nil
}

// rowOffset is how many rows or groups a bound lies after the current one.
func rowOffset(b plan.FrameBound) int64 {
	switch b.Kind {
	case plan.Preceding:
		return -b.Offset.Value.(*array.Int64).Value(0)
	case plan.Following:
		return b.Offset.Value.(*array.Int64).Value(0)
	default:
		return 0
	}
}

// exclude cuts a hole into frames. The pieces keep the order of rows, and each moves forward if the frames do.
func (w *windowRows) exclude(f kernel.Frames, what plan.FrameExclusion) []kernel.Frames {
	switch what {
	case plan.ExcludeRow:
		before, after := w.around(f, func(i int) (int32, int32) { return int32(i), int32(i + 1) })
		return []kernel.Frames{before, after}
	case plan.ExcludeGroup, plan.ExcludeTies:
		starts, numbers := w.peers(), w.peerNumbers()
		before, after := w.around(f, func(i int) (int32, int32) { return starts[numbers[i]], starts[numbers[i]+1] })
		if what == plan.ExcludeGroup {
			return []kernel.Frames{before, after}
		}
		self := kernel.Frames{Low: make([]int32, w.count), High: make([]int32, w.count)}
		for i := range w.count {
			at := int32(i)
			self.Low[i] = min(max(f.Low[i], at), f.High[i])
			self.High[i] = max(min(f.High[i], at+1), self.Low[i])
		}
		return []kernel.Frames{before, self, after}
	default:
		return []kernel.Frames{f}
	}
}

// around is what frames hold before and after a hole that may lie in them.
func (w *windowRows) around(f kernel.Frames, hole func(i int) (from, to int32)) (before, after kernel.Frames) {
	before = kernel.Frames{Low: f.Low, High: make([]int32, w.count)}
	after = kernel.Frames{Low: make([]int32, w.count), High: f.High}
	for i := range w.count {
		from, to := hole(i)
		before.High[i] = max(min(f.High[i], from), f.Low[i])
		after.Low[i] = min(max(f.Low[i], to), f.High[i])
	}
	return before, after
}

// distinct joins rows that see the same frame: it gives the frames without repetition and, for each row, which of them is its own;
// nil where every row has one of its own. Rows with equal frames that do not follow each other keep one each.
func distinct(pieces []kernel.Frames) ([]kernel.Frames, []int32) {
	rows := len(pieces[0].Low)
	same := func(i int) bool {
		for _, p := range pieces {
			if p.Low[i] != p.Low[i-1] || p.High[i] != p.High[i-1] {
				return false
			}
		}
		return true
	}
	number, firsts := make([]int32, rows), make([]int32, 0, rows)
	for i := range rows {
		if i == 0 || !same(i) {
			firsts = append(firsts, int32(i))
		}
		number[i] = int32(len(firsts) - 1)
	}
	if len(firsts) == rows {
		return pieces, nil
	}
	out := make([]kernel.Frames, len(pieces))
	for p, piece := range pieces {
		for _, row := range firsts {
			out[p].Low, out[p].High = append(out[p].Low, piece.Low[row]), append(out[p].High, piece.High[row])
		}
	}
	return out, number
}

// errOffset is the failure of a frame whose bounds the values of a key do not allow.
func errOffset(t event.Type) error {
	return event.Errorf(event.CodeNotSupported, "RANGE with an offset over %s: not supported yet", t)
}
