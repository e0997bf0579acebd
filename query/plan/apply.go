package plan

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
)

// Apply is a Join whose right side depends on the row of the left one: for each row of Left, Right is computed with the values of
// Args, and its rows are paired with that row. Inside Right, OuterRef i stands for the value of Args[i].
//
// AtOnce, if it is not nil, gives the rows of Right for many rows of Left together. In it a WorkTable whose ID is Domain has a row for each
// combination of values of Args: its number, a BIGINT, and the values. The columns of AtOnce are those of Right and then the number of the
// combination that a row belongs to.
type Apply struct {
	Left, Right Node
	Kind        JoinKind // not RightJoin or FullJoin
	Args        []Expr   // over Left
	On          []Expr   // as in a Join
	Test        Expr     // as in a Join
	Mark        string   `shape:"-"`
	AtOnce      Node
	Domain      int
}

func (*Apply) node() {}

// Columns are those of a Join of the same kind.
func (n *Apply) Columns() []Column { return joinedColumns(n.Left, n.Right, n.Kind, n.Mark) }

// Inputs are the two sides and, where it is there, what stands for the right one.
func (n *Apply) Inputs() []Node {
	if n.AtOnce == nil {
		return []Node{n.Left, n.Right}
	}
	return []Node{n.Left, n.Right, n.AtOnce}
}

func (n *Apply) over(inputs []Node) Node {
	out := *n
	out.Left, out.Right = inputs[0], inputs[1]
	if n.AtOnce != nil {
		out.AtOnce = inputs[2]
	}
	return &out
}

// OuterRef is, inside the right side of an Apply, the value of one of its Args.
type OuterRef struct {
	Index int
	Name  string
	Typ   event.Type
}

// Subquery is the value of a query inside an expression. It stands in expressions while a select is being bound and becomes a Join or
// an Apply, so that no complete plan has it.
type Subquery struct {
	Plan Node
	// Args are the values that the query's OuterRefs stand for.
	Args []Expr
	// Mark asks whether Test is true for a row of the query, or without Test whether there is one. Otherwise the value is that of
	// the query's one column in its one row, NULL if it has none.
	Mark bool
	// Test compares with the query's columns, which are the OuterRefs from SubqueryColumn downwards.
	Test Expr
}

// SubqueryColumn is the index of the OuterRef that stands, in the Test of a Subquery, for the query's own first column; the others follow
// below it.
const SubqueryColumn = -1

func (*OuterRef) expr() {}
func (*Subquery) expr() {}

// Type is the value's type.
func (e *OuterRef) Type() event.Type { return e.Typ }

// Type is that of the query's column, or BOOLEAN.
func (e *Subquery) Type() event.Type {
	if e.Mark {
		return boolean
	}
	return e.Plan.Columns()[0].Type
}

// String names the column of the outer row.
func (e *OuterRef) String() string {
	if e.Index <= SubqueryColumn {
		return e.Name
	}
	return "outer." + e.Name
}

// String says what is asked.
func (e *Subquery) String() string {
	switch {
	case !e.Mark:
		return "(query)"
	case e.Test == nil:
		return "exists(query)"
	default:
		return "any(" + e.Test.String() + ")"
	}
}

func describeApply(n *Apply) string {
	out := "Apply " + n.Kind.String() + " outer=[" + join(n.Args, ", ") + "]"
	if len(n.On) > 0 {
		out += " on=[" + join(n.On, " AND ") + "]"
	}
	if n.Test != nil {
		out += " test=" + n.Test.String()
	}
	if n.AtOnce != nil {
		out += fmt.Sprintf(" at_once=#%d", n.Domain)
	}
	if n.Kind == MarkJoin {
		out += " as " + n.Mark
	}
	return out
}
