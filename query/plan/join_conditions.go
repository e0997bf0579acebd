package plan

import "github.com/tidemarkdb/tidemark/event"

// JoinConditions are the conditions of a join by how rows are found that meet them. Each list keeps the order of the conditions.
type JoinConditions struct {
	// Keys are equalities of a value of each side, whose equal values have equal bytes: rows are looked up by them.
	Keys []Expr
	// Ranges compare a value of each side by order: rows are found by halving.
	Ranges []Expr
	// Rest are the others, which pairs are tested by.
	Rest []Expr
}

// PartConditions tells the conditions of a join apart whose left side has width columns.
func PartConditions(on []Expr, width int) JoinConditions {
	var out JoinConditions
	for _, e := range on {
		switch {
		case isKey(e, width):
			out.Keys = append(out.Keys, e)
		case isRange(e, width):
			out.Ranges = append(out.Ranges, e)
		default:
			out.Rest = append(out.Rest, e)
		}
	}
	return out
}

// isKey holds for an equality by which rows can be looked up. A NUMERIC of two scales is equal in value but not in its bytes, and so are
// intervals and JSONB.
func isKey(e Expr, width int) bool {
	l, r, ok := SplitLookup(e, width)
	if !ok || !l.Type().Equal(r.Type()) {
		return false
	}
	switch l.Type().Kind {
	case event.Unknown, event.Interval, event.JSONB, event.Array:
		return false
	default:
		return true
	}
}

// IsTestKey holds for the test of a mark join by which rows can be looked up: one whose values are compared as they are, since what is not true
// may be false or NULL there.
func IsTestKey(e Expr, width int) bool {
	_, _, ok := SplitEquality(e, width)
	return ok && isKey(e, width)
}

// isRange holds for a comparison by the one order of the values of its type.
func isRange(e Expr, width int) bool {
	l, r, _, ok := SplitInequality(e, width)
	if !ok || l.Type().Kind != r.Type().Kind || Volatile(e) {
		return false
	}
	switch l.Type().Kind {
	case event.Unknown, event.JSONB, event.Array:
		return false
	default:
		return true
	}
}

// way names how a join finds its pairs, where that is not by keys alone: "ranges", "keys, ranges", or "pairs" where it has to try all.
func (n *Join) way() string {
	width := Width(n.Left)
	parts := PartConditions(n.On, width)
	switch {
	case len(parts.Keys) > 0 && len(parts.Ranges) > 0:
		return "keys, ranges"
	case len(parts.Ranges) > 0:
		return "ranges"
	case len(parts.Keys) > 0, len(n.On) == 0 && (n.Test == nil || IsTestKey(n.Test, width)):
		return ""
	default:
		return "pairs"
	}
}
