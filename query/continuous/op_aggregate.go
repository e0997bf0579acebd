package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// compileAggregate makes the operator of a grouping.
func (c *compiler) compileAggregate(n *plan.Aggregate) (node, error) {
	late := len(c.late)
	if sessions, ok, err := c.compileSessions(n); ok || err != nil {
		return sessions, err
	}
	c.forgetLate(late)
	input, err := c.compileInput(n.Input)
	if err != nil {
		return nil, err
	}
	if canAccumulate(n, input.traits()) {
		return c.compileAccumulate(n, input)
	}
	if retract, ok, err := c.compileRetract(n, input); ok || err != nil {
		return retract, err
	}
	common := commonGroups(n)
	out, err := c.recompute(n, []node{input}, [][]plan.Expr{pickExprs(n.Groups, common)})
	if err != nil {
		return nil, err
	}
	out.tr = groupTraits(n, common, input.traits())
	return out, c.boundedRecompute(out, n)
}

// commonGroups are the groups that are part of all sets, by index.
func commonGroups(n *plan.Aggregate) []int {
	var out []int
	for g := range n.Groups {
		if !slices.ContainsFunc(n.SetsOfGroups(), func(set []int) bool { return !slices.Contains(set, g) }) {
			out = append(out, g)
		}
	}
	return out
}

func pickExprs(exprs []plan.Expr, at []int) []plan.Expr {
	out := make([]plan.Expr, len(at))
	for i, c := range at {
		out[i] = exprs[c]
	}
	return out
}

// groupTraits are those of rows whose first columns are groups: rows of a group change when a row comes to it.
func groupTraits(n *plan.Aggregate, common []int, input *traits) traits {
	out := traits{bounds: map[int]int64{}, recomputes: input.recomputes}
	for _, g := range common {
		if lag, ok := input.boundOf(n.Groups[g]); ok {
			out.bounds[g] = lag
		}
	}
	if len(common) == len(n.Groups) {
		out.windows = pickedWindows(input.windows, n.Groups)
	}
	return out
}
