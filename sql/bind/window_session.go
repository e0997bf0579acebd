package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// bindSession binds a window whose frames are sessions: OVER (PARTITION BY customer ORDER BY ts SESSION WITH GAP '10 minutes'). Functions that have
// no frame do not see them.
func (x *scalars) bindSession(call *windowCall, w *ast.Window) error {
	if len(call.order) != 1 || call.order[0].Descending || call.order[0].Expr.Type().Kind != event.TimestampTZ {
		return event.Errorf(event.CodeBadRequest, "SESSION WITH GAP needs ORDER BY a TIMESTAMPTZ").At(w.Pos).
			WithHint("as in OVER (PARTITION BY customer ORDER BY ts SESSION WITH GAP INTERVAL '10 minutes')")
	}
	gap, err := x.binder.width("SESSION WITH GAP", w.Session)
	if err != nil {
		return err
	}
	call.Frame = plan.WholePartition
	if call.Fn == nil || call.Fn.Framed() {
		call.gap = gap
	}
	return nil
}

// inSessions puts the bounds of sessions on top of the input of a window, which with its partition are that of the calls.
func (c windowCall) inSessions(input plan.Node) (node plan.Node, partition []plan.Expr) {
	width := plan.Width(input)
	out := &plan.Window{Input: input, Partition: c.partition, Order: c.order}
	partition = slices.Clone(c.partition)
	for i, fn := range []*plan.Function{plan.SessionStart, plan.SessionEnd} {
		call := plan.WindowCall{Fn: fn, Args: []plan.Expr{c.order[0].Expr, c.gap}, Frame: plan.WholePartition}
		out.Calls, out.Names = append(out.Calls, call), append(out.Names, plan.OverSessions[i])
		partition = append(partition, &plan.ColumnRef{Index: width + i, Name: plan.OverSessions[i], Typ: timestamptz})
	}
	return out, partition
}

func sameGap(a, b *plan.Literal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return sameExpr(a, b)
}

// bySession puts windows of sessions behind others.
func bySession(a, b windowCall) int {
	switch {
	case a.gap == nil && b.gap != nil:
		return -1
	case a.gap != nil && b.gap == nil:
		return 1
	default:
		return 0
	}
}
