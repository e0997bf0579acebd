package plan

import "github.com/tidemarkdb/tidemark/event"

// SessionStart and SessionEnd are the bounds of the session that a row belongs to: rows of one partition, in order of time, of which
// each comes before the gap after the one before it has passed. They take the time, which is also the order, and the gap. SQL
// reaches them by the table function SESSION only.
var (
	SessionStart = sessionFunction("session_start")
	SessionEnd   = sessionFunction("session_end")
)

func sessionFunction(name string) *Function {
	return &Function{Name: name, Args: []event.Type{timestamptz, interval}, Result: timestamptz, Window: true}
}

// windowFunctions stand in a Window only. The first five and ntile rank rows by the order; lag and lead fetch a value from a row
// some rows away, or the default given; the rest fetch one from the frame. What there is no row for is NULL.
func windowFunctions() []*Function {
	window := func(name string, result event.Type, args ...event.Type) *Function {
		return &Function{Name: name, Args: args, Result: result, Window: true}
	}
	out := []*Function{
		window("row_number", bigint), window("rank", bigint), window("dense_rank", bigint),
		window("percent_rank", double), window("cume_dist", double), window("ntile", bigint, bigint),
	}
	for _, t := range ValueTypes {
		for _, name := range []string{"lag", "lead"} {
			out = append(out, window(name, t, t), window(name, t, t, bigint), window(name, t, t, bigint, t))
		}
		out = append(out, window("first_value", t, t), window("last_value", t, t), window("nth_value", t, t, bigint))
	}
	return out
}

// FetchesValue tells the window functions that give the value of another row: those that can ignore NULLs.
func (f *Function) FetchesValue() bool {
	switch f.Name {
	case "lag", "lead", "first_value", "last_value", "nth_value":
		return f.Window
	default:
		return false
	}
}

// OverSessions are the columns that window functions over sessions go by.
var OverSessions = [2]string{"_session_start", "_session_end"}

// Framed tells the functions that look at a frame.
func (f *Function) Framed() bool {
	switch f.Name {
	case "first_value", "last_value", "nth_value":
		return true
	default:
		return f.Aggregate
	}
}
