package ast

import "github.com/tidemarkdb/tidemark/event"

// DropStream is DROP STREAM.
type DropStream struct {
	Pos      event.Position
	IfExists bool
	Name     Name
}

func (*DropStream) statement() {}

// Position is that of DROP.
func (s *DropStream) Position() event.Position { return s.Pos }

// String prints the statement.
func (s *DropStream) String() string {
	if s.IfExists {
		return "DROP STREAM IF EXISTS " + s.Name.String()
	}
	return "DROP STREAM " + s.Name.String()
}
