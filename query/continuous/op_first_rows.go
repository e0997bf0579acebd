package continuous

import "github.com/tidemarkdb/tidemark/query/plan"

// compileFirstRows makes the operator of LATEST ON and DISTINCT ON.
func (c *compiler) compileFirstRows(n *plan.FirstRows) (node, error) {
	input, err := c.compile(n.Input)
	if err != nil {
		return nil, err
	}
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{n.By})
	if err != nil {
		return nil, err
	}
	out.tr = partTraits(n.By, input.traits())
	return out, c.boundedRecompute(out, n)
}
