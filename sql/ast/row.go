package ast

import "github.com/tidemarkdb/tidemark/event"

// Row is (a, b) or ROW(a, b): several values that are compared as one.
type Row struct {
	Pos   event.Position
	Items []Expr
}

func (*Row) expr() {}

// Position is that of the opening parenthesis or of ROW.
func (e *Row) Position() event.Position { return e.Pos }

// String prints the form with ROW.
func (e *Row) String() string { return "ROW(" + list(e.Items) + ")" }
