package ast

import "github.com/tidemarkdb/tidemark/event"

// Query is a query in parentheses used as a value.
type Query struct {
	Pos   event.Position
	Query *Select
}

// Exists is EXISTS (query).
type Exists struct {
	Pos   event.Position
	Query *Select
}

// InQuery is x IN (query).
type InQuery struct {
	Pos   event.Position
	Input Expr
	Query *Select
}

// Quantified is x op ANY (query) or x op ALL (query).
type Quantified struct {
	Pos   event.Position
	Op    string
	All   bool
	Input Expr
	Query *Select
}

func (*Query) expr()      {}
func (*Exists) expr()     {}
func (*InQuery) expr()    {}
func (*Quantified) expr() {}

// Position is that of the opening parenthesis.
func (e *Query) Position() event.Position { return e.Pos }

// Position is that of EXISTS.
func (e *Exists) Position() event.Position { return e.Pos }

// Position is that of IN.
func (e *InQuery) Position() event.Position { return e.Pos }

// Position is that of the operator.
func (e *Quantified) Position() event.Position { return e.Pos }

// String prints the query in parentheses.
func (e *Query) String() string { return "(" + e.Query.String() + ")" }

// String prints EXISTS and the query.
func (e *Exists) String() string { return "EXISTS (" + e.Query.String() + ")" }

// String prints the test in parentheses.
func (e *InQuery) String() string {
	return "(" + e.Input.String() + " IN (" + e.Query.String() + "))"
}

// String prints the comparison in parentheses.
func (e *Quantified) String() string {
	word := " ANY ("
	if e.All {
		word = " ALL ("
	}
	return "(" + e.Input.String() + " " + e.Op + word + e.Query.String() + "))"
}
