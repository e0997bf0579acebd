package plan

import "strings"

// Assign gives each row of its input once for each time window that it falls into, with two more columns, where the window starts
// and where it ends: a window holds the times from its start to before its end. Rows without a time fall into none. Windows lie as
// the buckets of time_bucket do.
type Assign struct {
	Input Node
	Kind  AssignKind
	Time  Expr
	// Step is how far apart the windows start or, for Cumulate, end. Size is how long they are at most. Both are positive INTERVALs,
	// of months or of other units. Tumble has no Step.
	Step, Size *Literal
	// Names are those of the start and the end.
	Names [2]string `shape:"-"`
}

// AssignKind says how windows lie to each other.
type AssignKind uint8

// The kinds of windows of fixed size.
const (
	Tumble   AssignKind = iota // side by side
	Hop                        // a new one each step, overlapping
	Cumulate                   // all that start together, each a step longer, up to the size
)

// String is the name of the table function.
func (k AssignKind) String() string { return [...]string{"TUMBLE", "HOP", "CUMULATE"}[k] }

func (*Assign) node() {}

// Columns are the input's, then the window's start and end.
func (n *Assign) Columns() []Column {
	out := append([]Column(nil), n.Input.Columns()...)
	return append(out, Column{Name: n.Names[0], Type: timestamptz}, Column{Name: n.Names[1], Type: timestamptz})
}

// Inputs is the node whose rows are assigned.
func (n *Assign) Inputs() []Node { return []Node{n.Input} }

func (n *Assign) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

func (n *Assign) describe() string {
	parts := []string{"Assign " + n.Kind.String() + " time=" + n.Time.String()}
	if n.Step != nil {
		parts = append(parts, "step="+n.Step.String())
	}
	return strings.Join(append(parts, "size="+n.Size.String()), " ")
}
