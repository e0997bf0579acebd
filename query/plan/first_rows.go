package plan

// FirstRows keeps, for each combination of the values of By (NULL is a value), the row that comes first by Keys; of rows equal in
// all keys, any one. Without By it keeps one row in all.
type FirstRows struct {
	Input Node
	By    []Expr
	Keys  []SortKey
}

func (*FirstRows) node() {}

// Columns are the input's.
func (n *FirstRows) Columns() []Column { return n.Input.Columns() }

// Inputs is the node whose rows are compared.
func (n *FirstRows) Inputs() []Node { return []Node{n.Input} }

func (n *FirstRows) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Exprs are all expressions of the node: By, then those of Keys.
func (n *FirstRows) Exprs() []Expr {
	out := append([]Expr(nil), n.By...)
	for _, k := range n.Keys {
		out = append(out, k.Expr)
	}
	return out
}

func describeFirstRows(n *FirstRows) string {
	out := "FirstRows"
	if len(n.By) > 0 {
		out += " by=[" + join(n.By, ", ") + "]"
	}
	return out + " order=[" + joinKeys(n.Keys) + "]"
}
