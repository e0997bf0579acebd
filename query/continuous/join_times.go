package continuous

import (
	"math"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// timeGap says how far two times of the rows of a pair may be apart: least <= left - right <= most, in microseconds. The columns are
// those of each side.
type timeGap struct {
	left, right int
	least, most int64
}

const (
	noLeast = math.MinInt64
	noMost  = math.MaxInt64
)

// timeGaps reads what the conditions of a join say of pairs of times.
func timeGaps(on []plan.Expr, width int) []timeGap {
	var out []timeGap
	for _, e := range on {
		if g, ok := timeGapOf(e, width); ok {
			out = withGap(out, g)
		}
	}
	return out
}

// timeGapOf reads a condition that is about how far two times are apart, and nothing else.
func timeGapOf(e plan.Expr, width int) (timeGap, bool) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 || c.Args[0].Type().Kind != event.TimestampTZ || c.Args[1].Type().Kind != event.TimestampTZ {
		return timeGap{}, false
	}
	a, aBy, aOK := shifted(c.Args[0])
	b, bBy, bOK := shifted(c.Args[1])
	if !aOK || !bOK || (a < width) == (b < width) {
		return timeGap{}, false
	}
	// a + aBy op b + bBy, so a - b op gap
	least, most, ok := gapOf(c.Fn.Name, bBy-aBy)
	if !ok {
		return timeGap{}, false
	}
	if a >= width {
		a, b, least, most = b, a, mirrored(most), mirrored(least)
	}
	return timeGap{a, b - width, least, most}, true
}

// gapOf are the bounds of a difference that compares so with a gap.
func gapOf(op string, gap int64) (least, most int64, ok bool) {
	switch op {
	case "=":
		return gap, gap, true
	case ">=":
		return gap, noMost, true
	case ">":
		return gap + 1, noMost, true
	case "<=":
		return noLeast, gap, true
	case "<":
		return noLeast, gap - 1, true
	default:
		return 0, 0, false
	}
}

// mirrored is the bound of the negated difference.
func mirrored(bound int64) int64 {
	switch bound {
	case noLeast:
		return noMost
	case noMost:
		return noLeast
	default:
		return -bound
	}
}

// withGap adds a gap to those of the same columns.
func withGap(gaps []timeGap, g timeGap) []timeGap {
	for i, old := range gaps {
		if old.left == g.left && old.right == g.right {
			gaps[i].least, gaps[i].most = max(old.least, g.least), min(old.most, g.most)
			return gaps
		}
	}
	return append(gaps, g)
}

// both says that neither time can be arbitrarily far from the other.
func (g timeGap) both() bool { return g.least != noLeast && g.most != noMost }

// joinBounds are the bounds of the columns of pairs: a pair comes or goes because one of its rows does, and then the other is no further
// away than the gap.
func joinBounds(gaps []timeGap, left, right *traits, width int) map[int]int64 {
	out := map[int]int64{}
	for _, g := range gaps {
		l, leftOK := left.bounds[g.left]
		r, rightOK := right.bounds[g.right]
		if !leftOK || !rightOK {
			continue
		}
		if g.least != noLeast { // left >= right + least
			out = withBound(out, g.left, max(l, saturated(r, -g.least)))
		}
		if g.most != noMost { // right >= left - most
			out = withBound(out, width+g.right, max(r, saturated(l, g.most)))
		}
	}
	return out
}

// expiry says by which column the rows of one side of a join can be forgotten, and how far behind the watermark.
type expiry struct {
	column int // -1 where they cannot
	lag    int64
}

// joinExpiry finds the expiry of both sides: a row is of no use any more when every row that the other side may still gain is too late
// for it.
func joinExpiry(gaps []timeGap, left, right *traits) (forLeft, forRight expiry) {
	forLeft, forRight = expiry{column: -1}, expiry{column: -1}
	for _, g := range gaps {
		if r, ok := right.bounds[g.right]; ok && g.least != noLeast {
			forLeft = forLeft.sooner(g.left, saturated(r, -g.least))
		}
		if l, ok := left.bounds[g.left]; ok && g.most != noMost {
			forRight = forRight.sooner(g.right, saturated(l, g.most))
		}
	}
	return forLeft, forRight
}

func (e expiry) sooner(column int, lag int64) expiry {
	if e.column >= 0 && e.lag <= lag {
		return e
	}
	return expiry{column, lag}
}
