package ast

import "github.com/tidemarkdb/tidemark/event"

// WindowTable is a window table function: TUMBLE, HOP, CUMULATE or SESSION of the rows of a table.
type WindowTable struct {
	// Function is the name in upper case.
	Function string
	Pos      event.Position
	Input    Table
	// PartitionBy is empty where not given.
	PartitionBy []Expr
	Time        Expr
	// Widths are the intervals, in order.
	Widths  []NamedArg
	Alias   *Name
	Columns []Name
}

// NamedArg is an argument; Name is nil where it is given by its place.
type NamedArg struct {
	Name  *Name
	Value Expr
}

func (*WindowTable) table() {}

// Position is that of the function's name.
func (t *WindowTable) Position() event.Position { return t.Pos }

// String prints the long form.
func (t *WindowTable) String() string {
	out := t.Function + "(TABLE " + t.Input.String()
	if len(t.PartitionBy) > 0 {
		out += " PARTITION BY (" + list(t.PartitionBy) + ")"
	}
	if out += ", DESCRIPTOR(" + t.Time.String() + ")"; len(t.Widths) > 0 { // TUMBLE(t, width) has its width in the place of the time
		out += ", " + list(t.Widths)
	}
	return out + ")" + as(t.Alias) + columnNames(t.Columns)
}

// String prints the argument with its name.
func (a NamedArg) String() string {
	if a.Name == nil {
		return a.Value.String()
	}
	return a.Name.String() + " => " + a.Value.String()
}
