package ast

import "github.com/tidemarkdb/tidemark/event"

// Grouping is an element of GROUP BY that stands for several columns: ROLLUP (...), CUBE (...), GROUPING SETS (...) or, with an
// empty Kind, a list in parentheses. It stands nowhere else, also where other expressions can.
type Grouping struct {
	Pos   event.Position
	Kind  string
	Items []Expr
}

// Latest is LATEST ON time PARTITION BY keys, or LATEST BY keys, whose On is nil: the event time.
type Latest struct {
	Pos event.Position
	On  Expr
	By  []Expr
}

func (*Grouping) expr() {}

// Position is that of the first word or of the parenthesis.
func (e *Grouping) Position() event.Position { return e.Pos }

// String prints the element.
func (e *Grouping) String() string {
	out := "(" + list(e.Items) + ")"
	if e.Kind != "" {
		out = e.Kind + " " + out
	}
	return out
}

// String prints the clause.
func (l *Latest) String() string {
	if l.On == nil {
		return "LATEST BY " + list(l.By)
	}
	out := "LATEST ON " + l.On.String()
	if len(l.By) > 0 {
		out += " PARTITION BY " + list(l.By)
	}
	return out
}
