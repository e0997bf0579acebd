package continuous

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Where a frame reaches a number of rows ahead, no watermark says when it is complete: those rows may be long in coming. Such a row is given
// when the watermark has passed that many rows of its partition behind it, which nothing can come between any more. EMIT ON UPDATE shows it at
// once instead, and changes it.

// awaits tells whether rows may wait for those that their frames reach ahead to.
func (c *compiler) awaits(far reach) bool { return c.options.Emit == OnWindowClose && far.after == 0 }

// awaited is a window whose rows wait for so many rows ahead. Only rows whose time lies by lag behind the watermark count.
type awaited struct{ lag, ahead int64 }

// at is what the window has given once the watermark has come to a time.
func (a awaited) at(n *plan.Window, watermark int64) plan.Node {
	at := &plan.Literal{Value: event.NewTimestamps([]int64{behind(watermark, a.lag)}, nil), Typ: event.Type{Kind: event.TimestampTZ}}
	counted, complete := withRowsBehind(n, &plan.Filter{Input: n.Input, Predicate: call("<=", n.Order[0].Expr, at)}, a.ahead)
	return pick(&plan.Filter{Input: counted, Predicate: complete}, upTo(plan.Width(n)))
}

// withRowsBehind is a window over another input that counts, in one more column, the rows behind each, and the condition that there are enough.
func withRowsBehind(n *plan.Window, input plan.Node, enough int64) (*plan.Window, plan.Expr) {
	out := *n
	out.Input = input
	out.Calls, out.Names = append(slices.Clip(n.Calls), rowsBehind(enough)), append(slices.Clip(n.Names), "_behind")
	count := &plan.ColumnRef{Index: plan.Width(input) + len(n.Calls), Name: "_behind", Typ: event.Type{Kind: event.BigInt}}
	return &out, call("=", count, countLiteral(enough))
}

// markedWindow computes the window over rows of which some are marked, and gives those.
func markedWindow(n *plan.Window, columns []plan.Column) plan.Node {
	due := plan.Column{Name: "_due", Type: event.Type{Kind: event.Boolean}}
	w := *n
	w.Input = tableScan("0", append(slices.Clone(columns), due))
	marked := &plan.Filter{Input: &w, Predicate: &plan.ColumnRef{Index: len(columns), Name: due.Name, Typ: due.Type}}
	return pick(marked, append(upTo(len(columns)), from(len(columns)+1, len(n.Calls))...))
}

// awaitedWindow is markedWindow of rows that wait for others ahead. It gives those that have enough behind them, each with its slot, which is one
// more column of the input, as the last column.
func awaitedWindow(n *plan.Window, columns []plan.Column, ahead int64) plan.Node {
	width := len(columns)
	due := plan.Column{Name: "_due", Type: event.Type{Kind: event.Boolean}}
	input := append(slices.Clone(columns), due, plan.Column{Name: "_slot", Type: event.Type{Kind: event.BigInt}})
	w, complete := withRowsBehind(n, tableScan("0", input), ahead)
	complete = call("and", &plan.ColumnRef{Index: width, Name: due.Name, Typ: due.Type}, complete)
	order := append(upTo(width), from(width+2, len(n.Calls))...)
	return pick(&plan.Filter{Input: w, Predicate: complete}, append(order, width+1))
}

// rowsBehind counts the rows behind each, so many of them at most.
func rowsBehind(most int64) plan.WindowCall {
	count := slices.IndexFunc(plan.Functions["count"], func(f *plan.Function) bool { return len(f.Args) == 0 })
	return plan.WindowCall{Fn: plan.Functions["count"][count], Frame: plan.Frame{
		Unit:  plan.FrameRows,
		Start: plan.FrameBound{Kind: plan.Following, Offset: countLiteral(1)}, End: plan.FrameBound{Kind: plan.Following, Offset: countLiteral(most)},
	}}
}

func countLiteral(n int64) *plan.Literal {
	return &plan.Literal{Value: event.NewInt64s([]int64{n}, nil), Typ: event.Type{Kind: event.BigInt}}
}

// giveAwaited gives the rows of partitions that enough rows have come behind. What the watermark has not passed is not there for them.
func (o *rollingOp) giveAwaited(ctx context.Context, keys, slots []uint32, passed int64) (Delta, error) {
	slots = slices.DeleteFunc(slots, func(s uint32) bool { return o.times[s] > passed })
	waiting, places := event.NewBitmap(len(slots)), make([]int64, len(slots))
	for i, s := range slots {
		places[i] = int64(s)
		if !o.given[s] {
			waiting.Set(i)
		}
	}
	table := o.rows.gather(slots)
	table.Columns = append(table.Columns, event.NewBooleans(waiting, len(slots), nil), event.NewInt64s(places, nil))
	out, err := answer(ctx, o.node.plan, tables{"0": table})
	if err != nil {
		return Delta{}, err
	}
	last := len(out.Columns) - 1
	for _, s := range arrow.GetValues[int64](out.Columns[last].Data(), 1) {
		o.noteGiven(uint32(s))
	}
	out.Columns = out.Columns[:last]
	o.trimAll(keys, passed)
	return out, nil
}
