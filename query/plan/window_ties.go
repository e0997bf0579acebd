package plan

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// BreakTies completes the order of a window by keys that tell its rows apart, which make peers of none. Behind a time in descending order they
// descend as well: of rows with the same time the one that came last is the newest.
func BreakTies(order, ties []SortKey) []SortKey {
	newest := false
	if n := len(order); n > 0 {
		newest = order[n-1].Descending && order[n-1].Expr.Type().Kind == event.TimestampTZ
	}
	out := slices.Clip(order)
	for _, tie := range ties {
		if !slices.ContainsFunc(order, func(k SortKey) bool { return Same(k.Expr, tie.Expr) }) {
			tie.Descending = newest
			out = append(out, tie)
		}
	}
	return out
}

// GoesByRows tells calls that can give rows of equal keys different values: the order of peers decides over them.
func (c WindowCall) GoesByRows() bool {
	switch c.Fn.Name {
	case "row_number", "ntile", "lag", "lead":
		return true
	case "first_value", "last_value", "nth_value":
		return c.Fn.Window
	default:
		return c.Fn.Aggregate && (c.Frame.Unit == FrameRows || OrdersRows(c.Fn.Name))
	}
}

// OrdersRows tells aggregates whose value depends on the order of their rows.
func OrdersRows(name string) bool {
	switch name {
	case "first", "last", "any_value", "string_agg", "json_agg", "json_object_agg", "increase", "rate", "delta":
		return true
	default:
		return false
	}
}
