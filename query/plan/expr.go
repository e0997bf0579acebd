package plan

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// Expr is one typed scalar expression over the columns of a node's input.
type Expr interface {
	Type() event.Type
	// String prints the expression as SQL-like text.
	String() string
	expr()
}

// ColumnRef is the value of the input's column Index.
type ColumnRef struct {
	Index int
	Name  string
	Typ   event.Type
}

// Literal is a constant. Value is an array of one element, of Typ's Arrow type; NULL is a null element.
type Literal struct {
	Value arrow.Array
	Typ   event.Type
}

// Call applies a scalar function; operators are functions named by their symbol. The arguments have exactly the function's types.
type Call struct {
	Fn   *Function
	Args []Expr
}

// Cast converts to another type as `::` does; a value that cannot be converted is an error, or NULL where Try is set.
type Cast struct {
	Input Expr
	To    event.Type
	Try   bool
}

// Case is CASE WHEN ... THEN ... ELSE ... END in its searched form. Else may be nil, meaning NULL. Branches have the type Typ
// and are computed only for the rows that take them.
type Case struct {
	Whens []When
	Else  Expr
	Typ   event.Type
}

// When is one branch of a Case.
type When struct {
	Condition Expr
	Then      Expr
}

func (*ColumnRef) expr() {}
func (*Literal) expr()   {}
func (*Call) expr()      {}
func (*Cast) expr()      {}
func (*Case) expr()      {}

// Type is the column's type.
func (e *ColumnRef) Type() event.Type { return e.Typ }

// Type is the literal's type.
func (e *Literal) Type() event.Type { return e.Typ }

// Type is the function's result type.
func (e *Call) Type() event.Type { return e.Fn.Result }

// Type is the target type.
func (e *Cast) Type() event.Type { return e.To }

// Type is the common type of the branches.
func (e *Case) Type() event.Type { return e.Typ }

// Range is a necessary condition on a column, for pruning: every matching row has Low <= value <= High and is not NULL. Bounds
// are inclusive arrays of one element of the column's Arrow type; nil means unbounded.
type Range struct {
	Field event.FieldID
	Low   arrow.Array
	High  arrow.Array
	// Values, if there are any, are all that a matching row can have, an array of one element each.
	Values []arrow.Array
}
