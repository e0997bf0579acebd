package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pruneUnnest drops columns of the input that nobody reads. The arrays stay, since they say how many rows there are.
func pruneUnnest(n *plan.Unnest, used []bool) (plan.Node, places, error) {
	width := plan.Width(n.Input)
	input, at, err := pruneInput(n.Input, used[:width], n.Arrays...)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	out.Input, out.Arrays = input, mapAll(n.Arrays, at.move)
	at = slices.Clone(at)
	for i := range plan.Width(n) - width {
		at = append(at, plan.Width(input)+i)
	}
	return &out, at, nil
}

// unnestBeside turns an Apply that computes arrays of each row, and unnests these, into an Unnest of the rows themselves; nil where its
// right side has another form.
func unnestBeside(a *plan.Apply) plan.Node {
	u, ok := a.Right.(*plan.Unnest)
	if !ok || a.Kind != plan.InnerJoin || plan.Width(u.Input) > 0 {
		return nil
	}
	if v, ok := u.Input.(*plan.Values); !ok || len(v.Rows) != 1 {
		return nil
	}
	out := plan.Node(&plan.Unnest{Input: a.Left, Arrays: joinedAll(a, u.Arrays, 0), Ordinality: u.Ordinality, Names: u.Names})
	if len(a.On) > 0 {
		out = &plan.Filter{Input: out, Predicate: conjunction(a.On)}
	}
	return out
}
