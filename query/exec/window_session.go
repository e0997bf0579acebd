package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// sessions gives every row the start or the end of its session. A row begins one if the gap after the row before it has passed: a
// session is open at its start and over at its end, which is the time of its last row plus the gap. Rows without a time are in none.
func (w *windowRows) sessions(name string, args []kernel.Operand) (arrow.Array, error) {
	times := args[0].Expand(w.count).(*array.Timestamp)
	ends, err := w.passed(times, args[1].Expand(w.count))
	if err != nil {
		return nil, err
	}
	values := arrow.GetValues[int64](times.Data(), 1)
	out, valid := make([]int64, w.count), event.NewBitmap(w.count)
	w.partitions(func(start, end int32) {
		for first := start; first < end; {
			last := first
			for last+1 < end && values[last+1] < ends[last] && !times.IsNull(int(last+1)) {
				last++
			}
			bound := values[first]
			if name == "session_end" {
				bound = ends[last]
			}
			for i := first; i <= last && !times.IsNull(int(i)); i++ {
				out[i] = bound
				valid.Set(int(i))
			}
			first = last + 1
		}
	})
	return event.NewTimestamps(out, valid), nil
}

// passed is, for each time, when the gap after it has passed.
func (w *windowRows) passed(times, gaps arrow.Array) ([]int64, error) {
	sum := &plan.Call{Fn: shiftForward, Args: []plan.Expr{
		&plan.ColumnRef{Index: 0, Name: "time", Typ: shiftForward.Args[0]}, &plan.ColumnRef{Index: 1, Name: "gap", Typ: shiftForward.Args[1]},
	}}
	program, err := kernel.Compile(sum)
	if err != nil {
		return nil, err
	}
	out, err := program.Eval(w.run.kernel, []arrow.Array{times, gaps}, w.count)
	if err != nil {
		return nil, err
	}
	return arrow.GetValues[int64](out.Expand(w.count).Data(), 1), nil
}
