package continuous

import "github.com/tidemarkdb/tidemark/query/plan"

// compileFirstRows makes the operator of LATEST ON and DISTINCT ON.
func (c *compiler) compileFirstRows(n *plan.FirstRows) (node, error) {
	input, err := c.compileApart(n.Input)
	switch {
	case err != nil:
		return nil, err
	case input.traits().provisional:
		if input, err = c.firstSoFar(n.Input, input, n.By, n.Keys, 1); err != nil {
			return nil, err
		}
	case input.traits().appendOnly:
		return c.compileTop(n, input, n.By, n.Keys, 1)
	}
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{n.By})
	if err != nil {
		return nil, err
	}
	out.tr, out.parts = partTraits(n.By, input.traits()), plainColumns(n.By)
	return out, c.boundedRecompute(out, n)
}
