package continuous

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// withInputs is a plan node over other inputs of the same number, whose columns begin with those of its own.
func withInputs(n plan.Node, inputs []plan.Node) (plan.Node, error) {
	switch n := n.(type) {
	case *plan.Filter:
		return &plan.Filter{Input: inputs[0], Predicate: n.Predicate}, nil
	case *plan.Project:
		return &plan.Project{Input: inputs[0], Exprs: n.Exprs, Names: n.Names}, nil
	case *plan.Repeat:
		return &plan.Repeat{Input: inputs[0], Times: n.Times}, nil
	case *plan.Unnest:
		out := *n
		out.Input = inputs[0]
		return &out, nil
	case *plan.Union:
		return &plan.Union{Parts: inputs}, nil
	case *plan.Aggregate:
		out := *n
		out.Input = inputs[0]
		return &out, nil
	case *plan.Window:
		out := *n
		out.Input = inputs[0]
		return &out, nil
	case *plan.Assign:
		out := *n
		out.Input = inputs[0]
		return &out, nil
	case *plan.FirstRows:
		return &plan.FirstRows{Input: inputs[0], By: n.By, Keys: n.Keys}, nil
	case *plan.Sort:
		return &plan.Sort{Input: inputs[0], Keys: n.Keys, Limit: n.Limit}, nil
	case *plan.Limit:
		return &plan.Limit{Input: inputs[0], Count: n.Count, Offset: n.Offset}, nil
	case *plan.Fill:
		out := *n
		out.Input = inputs[0]
		return &out, nil
	case *plan.Join:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	case *plan.AsofJoin:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	case *plan.Apply:
		out := *n
		out.Left, out.Right = inputs[0], inputs[1]
		return &out, nil
	default:
		return nil, event.Errorf(event.CodeNotSupported, "%s in a continuous query", firstWord(n))
	}
}
