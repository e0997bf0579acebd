package plan

import "fmt"

// Union gives the rows of all its parts, which have the same number of columns with the same types. The names are the first's.
type Union struct{ Parts []Node }

// Repeat gives each row of its input as often as Times says, a BIGINT; not at all where that is NULL or less than one.
type Repeat struct {
	Input Node
	Times Expr
}

func (*Union) node()  {}
func (*Repeat) node() {}

// Columns are those of the first part.
func (n *Union) Columns() []Column { return n.Parts[0].Columns() }

// Inputs are the parts.
func (n *Union) Inputs() []Node { return n.Parts }

func (n *Union) over(inputs []Node) Node {
	out := *n
	out.Parts = inputs
	return &out
}

// Columns are the input's.
func (n *Repeat) Columns() []Column { return n.Input.Columns() }

// Inputs is the node whose rows are repeated.
func (n *Repeat) Inputs() []Node { return []Node{n.Input} }

func (n *Repeat) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

func describeUnion(n *Union) string { return fmt.Sprintf("Union parts=%d", len(n.Parts)) }
