package ast

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// AlterStream is ALTER STREAM name ADD COLUMN ... or ALTER STREAM name SET (...). One of Add and Options is empty.
type AlterStream struct {
	Pos     event.Position
	Name    Name
	Add     []AddColumn
	Options []Option
}

// AddColumn is one ADD COLUMN.
type AddColumn struct {
	IfNotExists bool
	Column      ColumnDef
}

func (*AlterStream) statement() {}

// Position is that of ALTER.
func (s *AlterStream) Position() event.Position { return s.Pos }

// String prints the statement on one line.
func (s *AlterStream) String() string {
	out := "ALTER STREAM " + s.Name.String() + " "
	if len(s.Options) > 0 {
		return out + "SET (" + list(s.Options) + ")"
	}
	added := make([]string, len(s.Add))
	for i, a := range s.Add {
		added[i] = "ADD COLUMN "
		if a.IfNotExists {
			added[i] += "IF NOT EXISTS "
		}
		added[i] += a.Column.String()
	}
	return out + strings.Join(added, ", ")
}
