package continuous

import "github.com/tidemarkdb/tidemark/query/plan"

// semiJoins turns the test of a mark join into a condition where only rows are kept for which the mark is true: whether it is false or
// NULL otherwise does not matter then, and an equality can be the join's key. `x IN (SELECT ...)` in WHERE is this.
func semiJoins(n plan.Node) plan.Node {
	n = overInputs(n, semiJoins)
	f, ok := n.(*plan.Filter)
	if !ok {
		return n
	}
	j, ok := f.Input.(*plan.Join)
	if !ok || j.Kind != plan.MarkJoin || j.Test == nil {
		return n
	}
	mark := plan.Width(j.Left)
	for _, c := range plan.Conjuncts(f.Predicate) {
		if ref, ok := c.(*plan.ColumnRef); ok && ref.Index == mark {
			out := *j
			out.On, out.Test = append(append([]plan.Expr(nil), j.On...), plan.Conjuncts(j.Test)...), nil
			return &plan.Filter{Input: &out, Predicate: f.Predicate}
		}
	}
	return n
}
