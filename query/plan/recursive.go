package plan

import "fmt"

// Recursive gives the rows of Base, then those that Step makes of the rows given last, again and again until it makes none. In Step a
// WorkTable with the same ID stands for the rows given last. Both sides have the columns of Base.
type Recursive struct {
	Base, Step Node
	// Distinct gives each row once, whichever step it comes from: UNION without ALL.
	Distinct bool
	ID       int
}

// WorkTable is, in the Step of a Recursive, the rows that the step before gave, and in the AtOnce of an Apply the values that it asks for. No
// Recursive and Apply around each other have the same ID: those of an Apply are negative.
type WorkTable struct {
	Cols []Column
	ID   int
}

func (*Recursive) node() {}
func (*WorkTable) node() {}

// Columns are those of Base.
func (n *Recursive) Columns() []Column { return n.Base.Columns() }

// Inputs are both sides.
func (n *Recursive) Inputs() []Node { return []Node{n.Base, n.Step} }

func (n *Recursive) over(inputs []Node) Node {
	out := *n
	out.Base, out.Step = inputs[0], inputs[1]
	return &out
}

// Columns are as given.
func (n *WorkTable) Columns() []Column { return n.Cols }

// Inputs is empty: a work table is a leaf.
func (n *WorkTable) Inputs() []Node { return nil }

func (n *WorkTable) over([]Node) Node { return n }

func describeRecursive(n *Recursive) string {
	out := fmt.Sprintf("Recursive #%d", n.ID)
	if n.Distinct {
		out += " distinct"
	}
	return out
}

func describeWorkTable(n *WorkTable) string { return fmt.Sprintf("WorkTable #%d", n.ID) }
