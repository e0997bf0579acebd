package plan

// Series gives the values from From to To, both included as far as steps of Step meet them: BIGINT by BIGINT, or TIMESTAMPTZ by
// INTERVAL. The expressions read no columns. A NULL among them gives no rows; a Step of nothing is an error.
type Series struct {
	From, To, Step Expr
	Name           string `shape:"-"`
}

func (*Series) node() {}

// Columns is the one column of values.
func (n *Series) Columns() []Column { return []Column{{Name: n.Name, Type: n.From.Type()}} }

// Inputs is empty: a series is a leaf.
func (n *Series) Inputs() []Node { return nil }

func (n *Series) over([]Node) Node { return n }

func describeSeries(n *Series) string {
	return "Series from=" + n.From.String() + " to=" + n.To.String() + " step=" + n.Step.String()
}
