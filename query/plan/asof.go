package plan

// AsofJoin pairs each row of Left with at most one row of Right: of those with equal keys, the one whose RightAt is nearest to LeftAt on
// the side that Op says. Right comes ordered by RightAt, upwards; of rows with the same one, the last counts where Op looks back and the
// first where it looks ahead.
type AsofJoin struct {
	Left, Right Node
	// Kind is InnerJoin, or LeftJoin for rows of Left without a partner beside NULLs.
	Kind JoinKind
	// LeftKeys and LeftAt are over Left, RightKeys and RightAt over Right.
	LeftKeys, RightKeys []Expr
	LeftAt, RightAt     Expr
	// Op stands between LeftAt and RightAt: >= and > look back, <= and < ahead.
	Op string
	// Within, if not nil, is a condition over the columns of both sides without which the nearest row is no partner.
	Within Expr
}

func (*AsofJoin) node() {}

// Columns are those of Left, then those of Right.
func (n *AsofJoin) Columns() []Column { return joinedColumns(n.Left, n.Right, n.Kind, "") }

// Inputs are the two sides.
func (n *AsofJoin) Inputs() []Node { return []Node{n.Left, n.Right} }

func (n *AsofJoin) over(inputs []Node) Node {
	out := *n
	out.Left, out.Right = inputs[0], inputs[1]
	return &out
}

// SplitInequality takes apart a condition <, <=, > or >= between a value of the first width columns and one of those after them; op is
// the one that stands between them in that order.
func SplitInequality(e Expr, width int) (left, right Expr, op string, ok bool) {
	c, isCall := e.(*Call)
	if !isCall || len(c.Args) != 2 {
		return nil, nil, "", false
	}
	turned := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
	op, known := turned[c.Fn.Name]
	a, b := sideOf(c.Args[0], width), sideOf(c.Args[1], width)
	switch {
	case known && a == leftSide && b == rightSide:
		return c.Args[0], c.Args[1], c.Fn.Name, true
	case known && a == rightSide && b == leftSide:
		return c.Args[1], c.Args[0], op, true
	default:
		return nil, nil, "", false
	}
}

func describeAsof(n *AsofJoin) string {
	out := "AsofJoin " + n.Kind.String() + " on=[" + n.LeftAt.String() + " " + n.Op + " " + n.RightAt.String()
	for i, k := range n.LeftKeys {
		out += ", " + k.String() + " = " + n.RightKeys[i].String()
	}
	out += "]"
	if n.Within != nil {
		out += " within=" + n.Within.String()
	}
	return out
}
