package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushIntoUnion applies conditions to each part.
func pushIntoUnion(n *plan.Union, conjuncts []plan.Expr) plan.Node {
	out := &plan.Union{}
	for _, part := range n.Parts {
		out.Parts = append(out.Parts, pushInto(part, conjuncts))
	}
	return out
}

// pruneUnion drops the same columns from every part. What a part cannot leave out itself is dropped by a projection over it, so
// that the columns of all parts stay in line.
func pruneUnion(n *plan.Union, used []bool) (plan.Node, places, error) {
	out, at := &plan.Union{}, compact(used)
	for _, part := range n.Parts {
		pruned, below, err := prune(part, slices.Clone(used))
		if err != nil {
			return nil, nil, err
		}
		out.Parts = append(out.Parts, inLine(pruned, below, used))
	}
	return out, at, nil
}

// inLine leaves the used columns, which are where places says.
func inLine(n plan.Node, at places, used []bool) plan.Node {
	columns := n.Columns()
	p := &plan.Project{Input: n}
	for i, u := range used {
		if u {
			c := columns[at[i]]
			p.Exprs = append(p.Exprs, &plan.ColumnRef{Index: at[i], Name: c.Name, Typ: c.Type})
			p.Names = append(p.Names, c.Name)
		}
	}
	if isNoop(p) {
		return n
	}
	return p
}
