package ast

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// CreateView is CREATE MATERIALIZED VIEW.
type CreateView struct {
	Pos         event.Position
	OrReplace   bool
	IfNotExists bool
	Name        Name
	Options     []Option
	Query       *Select
	// Emit is nil where the clause is not given.
	Emit *Emit
	// Late is that of the view as a whole; it is nil where the clause is not given.
	Late *Late
}

// Renamed is the query under other names of its columns.
func (s *Select) Renamed(columns []Name) *Select {
	table := &Subquery{Pos: s.Pos, Query: s, Alias: &Name{Text: "query", Quoted: true, Pos: s.Pos}, Columns: columns}
	return &Select{Pos: s.Pos, Items: []Item{{Expr: &Star{Pos: s.Pos}}}, From: table}
}

// Emit says when a view gives rows.
type Emit struct {
	Pos event.Position
	// OnClose tells that a row is given once its window is closed, else at every change.
	OnClose bool
	// Interval is the least time between two changes; it is nil where not given.
	Interval Expr
}

// Late says what becomes of rows that came too late for their window. Without Within they are left out: LATE DROP.
type Late struct {
	Pos event.Position
	// Within is how long after its end a window still takes them: LATE RECOMPUTE WITHIN.
	Within Expr
	// Into is the stream that the rest goes to, nil where not given.
	Into *Name
}

// DropView is DROP MATERIALIZED VIEW.
type DropView struct {
	Pos      event.Position
	IfExists bool
	Name     Name
}

// AlterView is ALTER MATERIALIZED VIEW name RESUME or SET (option = value, ...).
type AlterView struct {
	Pos  event.Position
	Name Name
	// Skip tells to leave out the rows at which the view stopped.
	Skip bool
	// Options are those of SET; none for RESUME.
	Options []Option
}

// Show is SHOW of what has to do with views: VIEWS, WATERMARKS, LATE or STATE.
type Show struct {
	Pos  event.Position
	What string
}

// ExplainWatermark is EXPLAIN WATERMARK name.
type ExplainWatermark struct {
	Pos  event.Position
	Name Name
}

// ExplainView is EXPLAIN CREATE MATERIALIZED VIEW.
type ExplainView struct {
	Pos  event.Position
	View *CreateView
}

// Subscribe is SUBSCRIBE TO (query).
type Subscribe struct {
	Pos     event.Position
	Query   *Select
	Options []Option
}

func (*CreateView) statement()       {}
func (*Subscribe) statement()        {}
func (*DropView) statement()         {}
func (*AlterView) statement()        {}
func (*Show) statement()             {}
func (*ExplainWatermark) statement() {}
func (*ExplainView) statement()      {}

// Position is that of CREATE.
func (s *CreateView) Position() event.Position { return s.Pos }

// Position is that of DROP.
func (s *DropView) Position() event.Position { return s.Pos }

// Position is that of ALTER.
func (s *AlterView) Position() event.Position { return s.Pos }

// Position is that of SHOW.
func (s *Show) Position() event.Position { return s.Pos }

// Position is that of EXPLAIN.
func (s *ExplainWatermark) Position() event.Position { return s.Pos }

// Position is that of EXPLAIN.
func (s *ExplainView) Position() event.Position { return s.Pos }

// String prints the statement on one line.
func (s *CreateView) String() string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if s.OrReplace {
		b.WriteString("OR REPLACE ")
	}
	b.WriteString("MATERIALIZED VIEW ")
	if s.IfNotExists {
		b.WriteString("IF NOT EXISTS ")
	}
	b.WriteString(s.Name.String())
	if len(s.Options) > 0 {
		b.WriteString(" WITH (" + list(s.Options) + ")")
	}
	b.WriteString(" AS " + s.Query.String())
	if s.Emit != nil {
		b.WriteString(" " + s.Emit.String())
	}
	if s.Late != nil {
		b.WriteString(" " + s.Late.String())
	}
	return b.String()
}

// String prints the clause.
func (e *Emit) String() string {
	out := "EMIT ON UPDATE"
	if e.OnClose {
		out = "EMIT ON WINDOW CLOSE"
	}
	if e.Interval != nil {
		out += " WITH BATCH " + e.Interval.String()
	}
	return out
}

// String prints the clause.
func (l *Late) String() string {
	out := "LATE DROP"
	if l.Within != nil {
		out = "LATE RECOMPUTE WITHIN " + l.Within.String()
	}
	if l.Into != nil {
		out += " ELSE INTO " + l.Into.String()
	}
	return out
}

// String prints the statement.
func (s *DropView) String() string {
	if s.IfExists {
		return "DROP MATERIALIZED VIEW IF EXISTS " + s.Name.String()
	}
	return "DROP MATERIALIZED VIEW " + s.Name.String()
}

// String prints the statement.
func (s *AlterView) String() string {
	if len(s.Options) > 0 {
		return "ALTER MATERIALIZED VIEW " + s.Name.String() + " SET (" + list(s.Options) + ")"
	}
	if s.Skip {
		return "ALTER MATERIALIZED VIEW " + s.Name.String() + " RESUME SKIP"
	}
	return "ALTER MATERIALIZED VIEW " + s.Name.String() + " RESUME"
}

// String prints the statement.
func (s *Show) String() string { return "SHOW " + s.What }

// String prints the statement.
func (s *ExplainWatermark) String() string { return "EXPLAIN WATERMARK " + s.Name.String() }

// String prints the statement.
func (s *ExplainView) String() string { return "EXPLAIN " + s.View.String() }

// Position is that of SUBSCRIBE.
func (s *Subscribe) Position() event.Position { return s.Pos }

// String prints the statement on one line.
func (s *Subscribe) String() string {
	out := "SUBSCRIBE TO (" + s.Query.String() + ")"
	if len(s.Options) > 0 {
		out += " WITH (" + list(s.Options) + ")"
	}
	return out
}
