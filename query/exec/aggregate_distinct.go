package exec

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// splitDistinct turns an aggregate all of whose calls take the same distinct values into one of two steps: group by these values too,
// and then compute the calls over the groups. Groups can spill where the values that a single call has met cannot. It gives nil where
// that is not what the aggregate is.
func splitDistinct(n *plan.Aggregate) *plan.Aggregate {
	if n.Sets != nil || len(n.Aggregates) == 0 {
		return nil
	}
	first := n.Aggregates[0]
	for _, a := range n.Aggregates {
		simple := a.Distinct && a.Filter == nil && len(a.Order) == 0 && slices.Contains([]string{"count", "sum", "avg"}, a.Fn.Name)
		if !simple || !slices.EqualFunc(a.Args, first.Args, plan.Same) {
			return nil
		}
	}
	values := &plan.Aggregate{Input: n.Input, Groups: slices.Concat(n.Groups, first.Args)}
	for _, e := range values.Groups {
		values.Names = append(values.Names, e.String())
	}
	column := func(i int) plan.Expr {
		return &plan.ColumnRef{Index: i, Name: values.Names[i], Typ: values.Groups[i].Type()}
	}
	out := &plan.Aggregate{Input: values, Names: n.Names}
	for i := range n.Groups {
		out.Groups = append(out.Groups, column(i))
	}
	for _, a := range n.Aggregates {
		call := plan.Aggregation{Fn: a.Fn}
		for i := range a.Args {
			call.Args = append(call.Args, column(len(n.Groups)+i))
		}
		out.Aggregates = append(out.Aggregates, call)
	}
	return out
}
