package ast

import "github.com/tidemarkdb/tidemark/event"

// Series is generate_series(from, to [, step]) as a table.
type Series struct {
	Function Name
	Args     []Expr
	Alias    *Name
	Columns  []Name
}

func (*Series) table() {}

// String prints the call with its alias.
func (t *Series) String() string {
	return t.Function.String() + "(" + list(t.Args) + ")" + as(t.Alias) + columnNames(t.Columns)
}

// Position is that of the function's name.
func (t *Series) Position() event.Position { return t.Function.Pos }
