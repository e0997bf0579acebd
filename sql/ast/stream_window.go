package ast

import "github.com/tidemarkdb/tidemark/event"

// StreamWindow is WINDOW TUMBLING, HOPPING or SESSION behind FROM, as ksqlDB has it: the query groups by the windows as well, by event time.
type StreamWindow struct {
	Pos event.Position
	// Kind is TUMBLING, HOPPING or SESSION.
	Kind string
	// Size is the width of a window, of SESSION the gap, and Advance, which HOPPING has, the time between two of them.
	Size, Advance Expr
}

// String prints the clause.
func (w *StreamWindow) String() string {
	switch w.Kind {
	case "SESSION":
		return "WINDOW SESSION (" + w.Size.String() + ")"
	case "HOPPING":
		return "WINDOW HOPPING (SIZE " + w.Size.String() + ", ADVANCE BY " + w.Advance.String() + ")"
	default:
		return "WINDOW " + w.Kind + " (SIZE " + w.Size.String() + ")"
	}
}

// Within bounds the time between the rows of a join: that of the right side lies from Before before that of the left side to After behind it.
type Within struct {
	Pos           event.Position
	Before, After Expr
}

// String prints the clause.
func (w *Within) String() string {
	return "WITHIN (" + w.Before.String() + ", " + w.After.String() + ")"
}
