package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileLimit makes the operator of ORDER BY with LIMIT: the chain from the limit down to the order is computed as a whole, since
// what lies between two operators has no order.
func (c *compiler) compileLimit(n plan.Node) (node, error) {
	sort := sortBelow(n)
	if sort == nil {
		return nil, event.Errorf(event.CodeNotSupported, "LIMIT without ORDER BY in a continuous query").
			WithHint("which rows it keeps would be left to chance: add an ORDER BY")
	}
	input, err := c.compile(sort.Input)
	if err != nil {
		return nil, err
	}
	out, err := c.recompute(sort, []node{input}, [][]plan.Expr{nil})
	if err != nil {
		return nil, err
	}
	out.plan, out.cols = overSort(n, out.plan), n.Columns()
	return out, c.boundedRecompute(out, n)
}

// sortBelow finds the order of a limit, through projections; nil where there is none.
func sortBelow(n plan.Node) *plan.Sort {
	switch n := n.(type) {
	case *plan.Sort:
		return n
	case *plan.Limit:
		return sortBelow(n.Input)
	case *plan.Project:
		return sortBelow(n.Input)
	default:
		return nil
	}
}

// overSort is the chain down to its order, with that replaced.
func overSort(n, sort plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Limit:
		return &plan.Limit{Input: overSort(n.Input, sort), Count: n.Count, Offset: n.Offset}
	case *plan.Project:
		return &plan.Project{Input: overSort(n.Input, sort), Exprs: n.Exprs, Names: n.Names}
	default:
		return sort
	}
}
