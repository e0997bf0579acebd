package ast

import "github.com/tidemarkdb/tidemark/event"

// Array is ARRAY[a, b]; inside another it may come without the word.
type Array struct {
	Pos   event.Position
	Items []Expr
}

// ArrayQuery is ARRAY(query).
type ArrayQuery struct {
	Pos   event.Position
	Query *Select
}

// QuantifiedArray is x op ANY (array) or x op ALL (array).
type QuantifiedArray struct {
	Pos          event.Position
	Op           string
	All          bool
	Input, Array Expr
}

// Unnest is unnest(array, ...) as a table. Alias is nil where none is given.
type Unnest struct {
	Function   Name
	Args       []Expr
	Ordinality bool
	Alias      *Name
	Columns    []Name
}

func (*Array) expr()           {}
func (*ArrayQuery) expr()      {}
func (*QuantifiedArray) expr() {}
func (*Unnest) table()         {}

// Position is that of ARRAY.
func (e *Array) Position() event.Position { return e.Pos }

// Position is that of ARRAY.
func (e *ArrayQuery) Position() event.Position { return e.Pos }

// Position is that of the operator.
func (e *QuantifiedArray) Position() event.Position { return e.Pos }

// Position is that of the function's name.
func (t *Unnest) Position() event.Position { return t.Function.Pos }

// String prints the elements in brackets.
func (e *Array) String() string { return "ARRAY[" + list(e.Items) + "]" }

// String prints ARRAY and the query.
func (e *ArrayQuery) String() string { return "ARRAY(" + e.Query.String() + ")" }

// String prints the comparison in parentheses.
func (e *QuantifiedArray) String() string {
	word := " ANY ("
	if e.All {
		word = " ALL ("
	}
	return "(" + e.Input.String() + " " + e.Op + word + e.Array.String() + "))"
}

// String prints the call with its alias.
func (t *Unnest) String() string {
	out := t.Function.String() + "(" + list(t.Args) + ")"
	if t.Ordinality {
		out += " WITH ORDINALITY"
	}
	return out + as(t.Alias) + columnNames(t.Columns)
}
