package ast

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// CreatePlainView is CREATE VIEW: a name for a query.
type CreatePlainView struct {
	Pos         event.Position
	OrReplace   bool
	IfNotExists bool
	Name        Name
	// Query has the names that the statement gives its columns.
	Query *Select
}

// DropPlainView is DROP VIEW.
type DropPlainView struct {
	Pos      event.Position
	IfExists bool
	Name     Name
}

func (*CreatePlainView) statement() {}
func (*DropPlainView) statement()   {}

// Position is that of CREATE.
func (s *CreatePlainView) Position() event.Position { return s.Pos }

// Position is that of DROP.
func (s *DropPlainView) Position() event.Position { return s.Pos }

// String prints the statement on one line.
func (s *CreatePlainView) String() string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if s.OrReplace {
		b.WriteString("OR REPLACE ")
	}
	b.WriteString("VIEW ")
	if s.IfNotExists {
		b.WriteString("IF NOT EXISTS ")
	}
	return b.String() + s.Name.String() + " AS " + s.Query.String()
}

// String prints the statement.
func (s *DropPlainView) String() string {
	if s.IfExists {
		return "DROP VIEW IF EXISTS " + s.Name.String()
	}
	return "DROP VIEW " + s.Name.String()
}
