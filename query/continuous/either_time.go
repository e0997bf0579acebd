package continuous

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// eitherTime are two columns of which one may be NULL, and what is not follows the watermark: the times of both sides of a full join. Their coalesce
// is a time of every row.
type eitherTime struct {
	columns [2]int
	lag     int64
}

// eitherTimes are those of the pairs of a full join, and of its rows without a pair: a row comes or goes because one of either side does.
func eitherTimes(gaps []timeGap, bounds map[int]int64, width int) []eitherTime {
	var out []eitherTime
	for _, g := range gaps {
		left, leftOK := bounds[g.left]
		right, rightOK := bounds[width+g.right]
		if leftOK && rightOK {
			out = append(out, eitherTime{[2]int{g.left, width + g.right}, max(left, right)})
		}
	}
	return out
}

// boundOf is how far an expression's value may lag behind the watermark: it follows one column, or is the coalesce of two that do together. What
// stands behind those two in the coalesce is never taken.
func (t *traits) boundOf(e plan.Expr) (int64, bool) {
	if lag, ok := boundOf(e, t.bounds); ok {
		return lag, true
	}
	c, ok := e.(*plan.Call)
	if !ok || c.Fn.Name != "coalesce" || len(c.Args) < 2 {
		return 0, false
	}
	first, firstOK := c.Args[0].(*plan.ColumnRef)
	second, secondOK := c.Args[1].(*plan.ColumnRef)
	if !firstOK || !secondOK {
		return 0, false
	}
	for _, either := range t.either {
		if either.columns == [2]int{first.Index, second.Index} || either.columns == [2]int{second.Index, first.Index} {
			return either.lag, true
		}
	}
	return 0, false
}

// pickedEither are those whose columns are both still among columns that are expressions over those before.
func pickedEither(times []eitherTime, exprs []plan.Expr) []eitherTime {
	find := func(column int) int {
		for i, e := range exprs {
			if ref, ok := e.(*plan.ColumnRef); ok && ref.Index == column {
				return i
			}
		}
		return -1
	}
	var out []eitherTime
	for _, t := range times {
		if moved := [2]int{find(t.columns[0]), find(t.columns[1])}; moved[0] >= 0 && moved[1] >= 0 {
			out = append(out, eitherTime{moved, t.lag})
		}
	}
	return out
}

// timeHint says which time a query may show that the watermark passes.
func timeHint(n plan.Node) string {
	hint := "select window_start or window_end of a window table function, or the event time"
	if hasFullJoin(n) {
		hint += "; of a FULL JOIN that of both sides: COALESCE(a.window_end, b.window_end), or join USING (key, window_start, window_end)"
	}
	return hint
}

func hasFullJoin(n plan.Node) bool {
	if join, ok := n.(*plan.Join); ok && join.Kind == plan.FullJoin {
		return true
	}
	for _, in := range n.Inputs() {
		if hasFullJoin(in) {
			return true
		}
	}
	return false
}
