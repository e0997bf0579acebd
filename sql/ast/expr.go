package ast

import "github.com/tidemarkdb/tidemark/event"

// Expr is one expression: Number, String, Bool, Null, TypedLiteral, Param, Column, Star, Call, Case, Cast, Unary, Binary, Between,
// In or Is.
type Expr interface {
	// Position is where the expression's own token stands: for an operator between operands, that of the operator.
	Position() event.Position
	// String prints the expression as SQL, with parentheses around every operator.
	String() string
	expr()
}

// Number is a numeric literal as written, with a sign if it is negative.
type Number struct {
	Pos  event.Position
	Text string
}

// String is a quoted literal with quotes and escapes resolved.
type String struct {
	Pos   event.Position
	Value string
}

// Bool is TRUE or FALSE.
type Bool struct {
	Pos   event.Position
	Value bool
}

// Null is NULL.
type Null struct{ Pos event.Position }

// TypedLiteral is a type name followed by a quoted literal: INTERVAL '5 minutes'.
type TypedLiteral struct {
	Type  TypeName
	Value String
}

// Param is a parameter: positional, counted from 1, where Name is empty.
type Param struct {
	Pos   event.Position
	Index int
	Name  string
}

// Column is a name, or names joined by dots.
type Column struct{ Parts []Name }

// Star is *, or table.* where Table is not nil.
type Star struct {
	Pos   event.Position
	Table *Name
	// Exclude are columns to leave out, and Replace those to compute otherwise, under the name of their alias.
	Exclude []Name
	Replace []Item
}

// Call is a function call. Star is that of count(*). EXTRACT(field FROM x) comes as a call with the field as a String.
type Call struct {
	Name     Name
	Args     []Expr
	Star     bool
	Distinct bool
	// OrderBy is what stands at the end of the arguments or, where Within is true, in WITHIN GROUP (ORDER BY ...).
	OrderBy []Order
	Within  bool
	// Filter is nil where FILTER (WHERE ...) is not given.
	Filter Expr
	// IgnoreNulls is that of IGNORE NULLS; Over is nil for a call that is no window function.
	IgnoreNulls bool
	Over        *Over
}

// Case is CASE in both forms; Operand is nil in the searched one, Else where not given.
type Case struct {
	Pos     event.Position
	Operand Expr
	Whens   []When
	Else    Expr
}

// When is one branch of a Case.
type When struct{ Condition, Then Expr }

// Cast is CAST(x AS t), x::t or, with Try, TRY_CAST(x AS t).
type Cast struct {
	Pos   event.Position
	Input Expr
	Type  TypeName
	Try   bool
}

// Unary is an operator before its operand: "-", "~" or "NOT".
type Unary struct {
	Pos   event.Position
	Op    string
	Input Expr
}

// Binary is an operator between operands. Op is a symbol or, in upper case, AND, OR, LIKE, ILIKE, SIMILAR TO, IS DISTINCT FROM or IS
// NOT DISTINCT FROM. != comes as <>, ** as ^.
type Binary struct {
	Pos         event.Position
	Op          string
	Left, Right Expr
}

// Between is x BETWEEN low AND high.
type Between struct {
	Pos              event.Position
	Input, Low, High Expr
}

// In is x IN (list).
type In struct {
	Pos   event.Position
	Input Expr
	List  []Expr
}

// Is is x IS test, where test is NULL, TRUE, FALSE or UNKNOWN.
type Is struct {
	Pos   event.Position
	Input Expr
	Test  string
	Not   bool
}

func (*Number) expr()       {}
func (*String) expr()       {}
func (*Bool) expr()         {}
func (*Null) expr()         {}
func (*TypedLiteral) expr() {}
func (*Param) expr()        {}
func (*Column) expr()       {}
func (*Star) expr()         {}
func (*Call) expr()         {}
func (*Case) expr()         {}
func (*Cast) expr()         {}
func (*Unary) expr()        {}
func (*Binary) expr()       {}
func (*Between) expr()      {}
func (*In) expr()           {}
func (*Is) expr()           {}

// Position is that of the literal.
func (e *Number) Position() event.Position { return e.Pos }

// Position is that of the literal.
func (e *String) Position() event.Position { return e.Pos }

// Position is that of the literal.
func (e *Bool) Position() event.Position { return e.Pos }

// Position is that of the literal.
func (e *Null) Position() event.Position { return e.Pos }

// Position is that of the type name.
func (e *TypedLiteral) Position() event.Position { return e.Type.Pos }

// Position is that of the parameter.
func (e *Param) Position() event.Position { return e.Pos }

// Position is that of the first name.
func (e *Column) Position() event.Position { return e.Parts[0].Pos }

// Position is that of the star or of the name before it.
func (e *Star) Position() event.Position { return e.Pos }

// Position is that of the function's name.
func (e *Call) Position() event.Position { return e.Name.Pos }

// Position is that of CASE.
func (e *Case) Position() event.Position { return e.Pos }

// Position is that of CAST or of the operator.
func (e *Cast) Position() event.Position { return e.Pos }

// Position is that of the operator.
func (e *Unary) Position() event.Position { return e.Pos }

// Position is that of the operator.
func (e *Binary) Position() event.Position { return e.Pos }

// Position is that of BETWEEN.
func (e *Between) Position() event.Position { return e.Pos }

// Position is that of IN.
func (e *In) Position() event.Position { return e.Pos }

// Position is that of IS.
func (e *Is) Position() event.Position { return e.Pos }
