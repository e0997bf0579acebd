package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileJoin makes the operator of a join.
func (c *compiler) compileJoin(n *plan.Join) (node, error) {
	ins, err := c.compileAll(n.Inputs())
	if err != nil {
		return nil, err
	}
	width := plan.Width(n.Left)
	keys := make([][]plan.Expr, 2)
	for _, e := range n.On {
		left, right, ok := plan.SplitEquality(e, width)
		if ok && hasJoinKey(left.Type()) && left.Type().Equal(right.Type()) {
			keys[0], keys[1] = append(keys[0], left), append(keys[1], shiftColumns(right, 0, -width))
		}
	}
	out, err := c.recompute(n, ins, keys)
	if err != nil {
		return nil, err
	}
	return out, c.boundedRecompute(out, n)
}

// hasJoinKey tells types whose equal values have equal bits, once they are canonical.
func hasJoinKey(t event.Type) bool { return t.Kind != event.JSONB && t.Kind != event.Interval }
