package optimize

import (
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// bottomUpAll is bottomUp for a node with several inputs.
func bottomUpAll(n plan.Node, f func(plan.Node) (plan.Node, error)) (plan.Node, error) {
	inputs := slices.Clone(n.Inputs())
	for i, in := range inputs {
		var err error
		if inputs[i], err = bottomUp(in, f); err != nil {
			return nil, err
		}
	}
	n, err := withInputs(n, inputs)
	if err != nil {
		return nil, err
	}
	return f(n)
}

// withInputs is a node of several inputs over others; n itself where they are those that it has.
func withInputs(n plan.Node, inputs []plan.Node) (plan.Node, error) {
	if slices.Equal(n.Inputs(), inputs) {
		return n, nil
	}
	switch n := n.(type) {
	case *plan.Join:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	case *plan.Apply:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	case *plan.AsofJoin:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	case *plan.Recursive:
		out := *n
		out.Base, out.Step = inputs[0], inputs[1]
		return &out, nil
	case *plan.Limit:
		return &plan.Limit{Input: inputs[0], Count: n.Count, Offset: n.Offset, Bounds: inputs[1]}, nil
	case *plan.Union:
		return &plan.Union{Parts: inputs}, nil
	default:
		return nil, fmt.Errorf("optimize plan: unknown node %T", n)
	}
}

func mapJoin(n *plan.Join, f func(plan.Expr) plan.Expr) plan.Node {
	on, test := mapAll(n.On, f), n.Test
	if test != nil {
		test = f(test)
	}
	if sameList(on, n.On) && test == n.Test {
		return n
	}
	out := *n
	out.On, out.Test = on, test
	return &out
}
