package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pruneWindow drops the calls that nobody reads, and the whole node where none is left: it neither adds nor removes rows.
func pruneWindow(n *plan.Window, used []bool) (plan.Node, places, error) {
	width := plan.Width(n.Input)
	out := &plan.Window{Partition: n.Partition, Order: n.Order, Ties: n.Ties}
	for i, c := range n.Calls {
		if used[width+i] {
			out.Calls, out.Names = append(out.Calls, c), append(out.Names, n.Names[i])
		}
	}
	if len(out.Calls) == 0 {
		input, at, err := prune(n.Input, used[:width])
		return input, append(slices.Clip(at), dropped(len(n.Calls))...), err
	}
	input, at, err := pruneInput(n.Input, used[:width], out.Exprs()...)
	if err != nil {
		return nil, nil, err
	}
	out.Input = input
	at, next := slices.Clip(at), plan.Width(input)
	for i := range n.Calls {
		if !used[width+i] {
			at = append(at, -1)
			continue
		}
		at = append(at, next)
		next++
	}
	return out.Map(at[:width].move), at, nil
}

func dropped(n int) places {
	out := make(places, n)
	for i := range out {
		out[i] = -1
	}
	return out
}

// pushIntoWindow moves conditions below a window that hold for all rows of a partition or for none: those on its partition's
// columns. A partition is then left out as a whole, and the others are computed as before. A condition passes others that stay
// only if it can never fail.
func pushIntoWindow(n *plan.Window, conjuncts []plan.Expr) plan.Node {
	below, above := parted(conjuncts, func(c plan.Expr) bool { return onColumns(n.Partition, c) })
	if len(below) == 0 {
		return where(n, above)
	}
	return where(plan.Over(n, pushInto(n.Input, below)), above)
}

// oneSpelling names the types whose equal values are the same in every respect. Of the others, conditions that tell equal values
// apart, as a cast to TEXT can, might split a partition.
func oneSpelling(t event.Type) bool {
	switch t.Kind {
	case event.Boolean, event.SmallInt, event.Integer, event.BigInt, event.Text, event.TimestampTZ, event.Date, event.UUID:
		return true
	default:
		return false
	}
}

// ofValues are functions whose results are the same for equal arguments, however these are written.
var ofValues = map[string]bool{
	"=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true, "is distinct from": true, "is not distinct from": true,
	"and": true, "or": true, "not": true, "is_null": true, "is_not_null": true,
}

func sameForEqual(e plan.Expr) bool {
	same := true
	plan.Walk(e, func(e plan.Expr) {
		switch e := e.(type) {
		case *plan.ColumnRef, *plan.Literal:
		case *plan.Call:
			same = same && ofValues[e.Fn.Name]
		default:
			same = false
		}
	})
	return same
}
