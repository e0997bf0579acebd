package ast

import "github.com/tidemarkdb/tidemark/event"

// ShowTable is SHOW of something other than streams and views: the rows of the system table of that name.
type ShowTable struct {
	Pos  event.Position
	What Name
}

// KillQuery is KILL QUERY id.
type KillQuery struct {
	Pos event.Position
	ID  Expr
}

// Summarize is SUMMARIZE query, or stream, which is the same as a query for all of it.
type Summarize struct {
	Pos   event.Position
	Query *Select
}

func (*ShowTable) statement() {}
func (*Summarize) statement() {}
func (*KillQuery) statement() {}

// Position is that of SHOW.
func (s *ShowTable) Position() event.Position { return s.Pos }

// Position is that of KILL.
func (s *KillQuery) Position() event.Position { return s.Pos }

// String prints the statement.
func (s *ShowTable) String() string { return "SHOW " + s.What.String() }

// Position is that of SUMMARIZE.
func (s *Summarize) Position() event.Position { return s.Pos }

// String prints the statement.
func (s *Summarize) String() string { return "SUMMARIZE " + s.Query.String() }

// String prints the statement.
func (s *KillQuery) String() string { return "KILL QUERY " + s.ID.String() }
