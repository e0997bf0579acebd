package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// settleTies makes every order in a plan that decides something a complete one: rows that the query leaves tied go by what tells them
// apart, _partition and _offset of a stream's rows, the key of a view's, else all their values. Without that the answer would depend
// on how rows were cut into steps.
func settleTies(n plan.Node, inputs map[string]InputInfo) plan.Node {
	n = overInputs(n, func(in plan.Node) plan.Node { return settleTies(in, inputs) })
	switch n := n.(type) {
	case *plan.Limit:
		return settleLimit(n, inputs)
	case *plan.Sort:
		if n.Limit < 0 {
			return n
		}
		input, ties := tiesOf(n.Input, inputs)
		sorted := &plan.Sort{Input: input, Keys: withTies(n.Keys, ties), Limit: n.Limit}
		return pick(sorted, upTo(plan.Width(n.Input)))
	case *plan.FirstRows:
		input, ties := tiesOf(n.Input, inputs)
		first := &plan.FirstRows{Input: input, By: n.By, Keys: withTies(n.Keys, ties)}
		return pick(first, upTo(plan.Width(n.Input)))
	case *plan.Window:
		return settleWindow(n, inputs)
	case *plan.Aggregate:
		return settleAggregate(n, inputs)
	default:
		return n
	}
}

// settleLimit completes the order below a limit, through projections.
func settleLimit(n *plan.Limit, inputs map[string]InputInfo) plan.Node {
	var settle func(n plan.Node) plan.Node
	settle = func(n plan.Node) plan.Node {
		switch n := n.(type) {
		case *plan.Project:
			return &plan.Project{Input: settle(n.Input), Exprs: n.Exprs, Names: n.Names}
		case *plan.Sort:
			input, ties := tiesOf(n.Input, inputs)
			return pick(&plan.Sort{Input: input, Keys: withTies(n.Keys, ties), Limit: n.Limit}, upTo(plan.Width(n.Input)))
		default:
			return n
		}
	}
	return &plan.Limit{Input: settle(n.Input), Count: n.Count, Offset: n.Offset}
}

// tiesOf extends a plan by what tells its rows apart.
func tiesOf(n plan.Node, inputs map[string]InputInfo) (plan.Node, []plan.SortKey) {
	out, key, ok := keyed(n, inputs)
	if !ok {
		out, key = n, upTo(plan.Width(n))
	}
	columns := out.Columns()
	var ties []plan.SortKey
	for _, at := range key {
		if columns[at].Type.Kind != event.Unknown {
			ties = append(ties, plan.SortKey{Expr: &plan.ColumnRef{Index: at, Name: columns[at].Name, Typ: columns[at].Type}})
		}
	}
	return out, ties
}

// withTies completes keys by those of ties that are not among them.
func withTies(keys, ties []plan.SortKey) []plan.SortKey {
	out := slices.Clip(keys)
	for _, tie := range ties {
		if !slices.ContainsFunc(keys, func(k plan.SortKey) bool { return plan.Same(k.Expr, tie.Expr) }) {
			out = append(out, tie)
		}
	}
	return out
}

// settleWindow completes the order of a window with calls that go by single rows. Peers stay what they are.
func settleWindow(n *plan.Window, inputs map[string]InputInfo) plan.Node {
	if !slices.ContainsFunc(n.Calls, plan.WindowCall.GoesByRows) {
		return n
	}
	input, ties := tiesOf(n.Input, inputs)
	width, wider := plan.Width(n.Input), plan.Width(input)
	out := &plan.Window{Input: input, Partition: n.Partition, Order: plan.BreakTies(n.Order, ties), Calls: n.Calls, Names: n.Names}
	out.Ties = n.Ties + len(out.Order) - len(n.Order)
	order := upTo(width)
	for i := range n.Calls {
		order = append(order, wider+i)
	}
	return pick(out, order)
}

// settleAggregate completes the order of calls whose value depends on it.
func settleAggregate(n *plan.Aggregate, inputs map[string]InputInfo) plan.Node {
	if !slices.ContainsFunc(n.Aggregates, func(a plan.Aggregation) bool { return plan.OrdersRows(a.Fn.Name) && !a.Distinct }) {
		return n
	}
	out := *n
	input, ties := tiesOf(n.Input, inputs)
	ties = slices.DeleteFunc(ties, func(k plan.SortKey) bool { // what all rows of a group have in common orders none
		return slices.ContainsFunc(n.Groups, func(e plan.Expr) bool { return plan.Same(e, k.Expr) })
	})
	out.Input, out.Aggregates = input, slices.Clone(n.Aggregates)
	for i, a := range out.Aggregates {
		if plan.OrdersRows(a.Fn.Name) && !a.Distinct {
			out.Aggregates[i].Order = withTies(a.Order, ties)
		}
	}
	return &out
}

// overInputs is a node over its inputs rewritten.
func overInputs(n plan.Node, f func(plan.Node) plan.Node) plan.Node {
	inputs := slices.Clone(n.Inputs())
	for i, in := range inputs {
		inputs[i] = f(in)
	}
	return plan.Over(n, inputs...)
}
