package ast

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// Over is OVER: exactly one of Name, that of a window of the WINDOW clause, and Window is set.
type Over struct {
	Pos    event.Position
	Name   *Name
	Window *Window
}

// Window says which rows a window function sees from each row. Base names the window that it adds to; it is nil where none is given.
type Window struct {
	Pos         event.Position
	Base        *Name
	PartitionBy []Expr
	OrderBy     []Order
	Frame       *Frame
	// Session is what follows SESSION WITH GAP, which stands in the place of a frame; nil where it does not.
	Session Expr
}

// NamedWindow is one entry of the WINDOW clause.
type NamedWindow struct {
	Name   Name
	Window *Window
}

// Frame is ROWS, RANGE or GROUPS with its bounds. End is nil where only a start is given. Exclude is the text after EXCLUDE, in
// upper case, or empty.
type Frame struct {
	Pos     event.Position
	Unit    string
	Start   FrameBound
	End     *FrameBound
	Exclude string
}

// FrameBound is one end of a frame: CURRENT ROW, or PRECEDING or FOLLOWING. Offset is nil where UNBOUNDED stands before those.
type FrameBound struct {
	Pos       event.Position
	Direction string
	Offset    Expr
}

// String prints what follows OVER.
func (o *Over) String() string {
	if o.Name != nil {
		return o.Name.String()
	}
	return o.Window.String()
}

// String prints the window in parentheses.
func (w *Window) String() string {
	var parts []string
	if w.Base != nil {
		parts = append(parts, w.Base.String())
	}
	if len(w.PartitionBy) > 0 {
		parts = append(parts, "PARTITION BY "+list(w.PartitionBy))
	}
	if len(w.OrderBy) > 0 {
		parts = append(parts, "ORDER BY "+list(w.OrderBy))
	}
	if w.Frame != nil {
		parts = append(parts, w.Frame.String())
	}
	if w.Session != nil {
		parts = append(parts, "SESSION WITH GAP "+w.Session.String())
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// String prints the name and the window.
func (w NamedWindow) String() string { return w.Name.String() + " AS " + w.Window.String() }

// String prints the frame.
func (f *Frame) String() string {
	out := f.Unit + " "
	if f.End == nil {
		out += f.Start.String()
	} else {
		out += "BETWEEN " + f.Start.String() + " AND " + f.End.String()
	}
	if f.Exclude != "" {
		out += " EXCLUDE " + f.Exclude
	}
	return out
}

// String prints the bound.
func (b FrameBound) String() string {
	switch {
	case b.Direction == "CURRENT ROW":
		return b.Direction
	case b.Offset == nil:
		return "UNBOUNDED " + b.Direction
	default:
		return b.Offset.String() + " " + b.Direction
	}
}

// over prints what a call has besides its arguments and filter.
func (e *Call) over() string {
	out := ""
	if e.IgnoreNulls {
		out = " IGNORE NULLS"
	}
	if e.Over != nil {
		out += " OVER " + e.Over.String()
	}
	return out
}

// windows prints the clauses WINDOW, QUALIFY and LATE.
func (s *Select) windows() string {
	var b strings.Builder
	if len(s.Windows) > 0 {
		b.WriteString(" WINDOW " + list(s.Windows))
	}
	clause(&b, " QUALIFY ", s.Qualify)
	if s.Late != nil {
		b.WriteString(" " + s.Late.String())
	}
	return b.String()
}
