package optimize

import "github.com/tidemarkdb/tidemark/query/plan"

// pruneRecursive leaves all columns of a recursion, since each step may read any of the rows before, and prunes what is below.
func pruneRecursive(n *plan.Recursive) (plan.Node, places, error) {
	base, err := pruneColumns(n.Base)
	if err != nil {
		return nil, nil, err
	}
	step, err := pruneColumns(n.Step)
	if err != nil {
		return nil, nil, err
	}
	out := *n
	out.Base, out.Step = base, step
	return &out, identity(plan.Width(n)), nil
}
