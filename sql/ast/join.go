package ast

import (
	"github.com/tidemarkdb/tidemark/event"
)

// JoinKind says which rows of its two tables a Join keeps.
type JoinKind uint8

// The kinds of join.
const (
	CrossJoin JoinKind = iota // every pair; also what a comma in FROM means
	InnerJoin
	LeftJoin
	RightJoin
	FullJoin
)

var joinWords = [...]string{"CROSS JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"}

// String is the words of the join.
func (k JoinKind) String() string { return joinWords[k] }

// Join is two tables side by side. At most one of On, Using and Natural is set, and none in a CrossJoin.
type Join struct {
	// Pos is where the comma or the first word of the join stands.
	Pos         event.Position
	Kind        JoinKind
	Left, Right Table
	On          Expr
	Using       []Name
	Natural     bool
	// Asof joins each row with the nearest of the right side alone, at most as far as Tolerance, if that is not nil.
	Asof      bool
	Tolerance Expr
	// Within is nil where not given.
	Within *Within
}

func (*Join) table() {}

// Position is that of the left table.
func (t *Join) Position() event.Position { return t.Left.Position() }

// String prints the join; a join on its right side stands in parentheses.
func (t *Join) String() string {
	out := t.Left.String() + " "
	if t.Natural {
		out += "NATURAL "
	}
	if t.Asof {
		out += "ASOF "
	}
	out += joinWords[t.Kind] + " "
	if _, nested := t.Right.(*Join); nested {
		out += "(" + t.Right.String() + ")"
	} else {
		out += t.Right.String()
	}
	if t.Within != nil {
		out += " " + t.Within.String()
	}
	switch {
	case t.On != nil:
		out += " ON " + t.On.String()
	case len(t.Using) > 0:
		out += " USING (" + list(t.Using) + ")"
	}
	if t.Tolerance != nil {
		out += " TOLERANCE " + t.Tolerance.String()
	}
	return out
}
