package plan

import "strings"

// Unnest gives, for each row of its input, a row for each place in the arrays, which are over the input's columns: the input's columns,
// then an element of each array, NULL beyond its end. A row whose arrays are all NULL or empty gives none.
type Unnest struct {
	Input  Node
	Arrays []Expr
	// Ordinality adds the place, counted from 1, as a BIGINT.
	Ordinality bool
	// Names are those of the columns added.
	Names []string `shape:"-"`
}

func (*Unnest) node() {}

// Columns are the input's, then those of the elements.
func (n *Unnest) Columns() []Column {
	out := append([]Column(nil), n.Input.Columns()...)
	for i, a := range n.Arrays {
		out = append(out, Column{Name: n.Names[i], Type: *a.Type().Elem})
	}
	if n.Ordinality {
		out = append(out, Column{Name: n.Names[len(n.Arrays)], Type: bigint})
	}
	return out
}

// Inputs is the node whose rows are multiplied.
func (n *Unnest) Inputs() []Node { return []Node{n.Input} }

func (n *Unnest) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

func describeUnnest(n *Unnest) string {
	out := "Unnest " + join(n.Arrays, ", ") + " as=[" + strings.Join(n.Names, ", ") + "]"
	if n.Ordinality {
		out += " ordinality"
	}
	return out
}
