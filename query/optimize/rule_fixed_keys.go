package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// dropFixedKeys takes the first row of each combination of fewer values where a condition below holds some to one value: of WHERE key = 'a'
// LATEST ON ts PARTITION BY key one row is left, and a scan that knows so need only look for that.
func dropFixedKeys(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		f, ok := n.(*plan.FirstRows)
		if !ok || len(f.By) == 0 {
			return n, nil
		}
		fixed := fixedColumns(f.Input)
		kept := slices.DeleteFunc(slices.Clone(f.By), func(e plan.Expr) bool {
			c, ok := e.(*plan.ColumnRef)
			return ok && fixed[c.Index]
		})
		if len(kept) == len(f.By) {
			return n, nil
		}
		out := *f
		out.By = kept
		return &out, nil
	})
}

// fixedColumns are those that have one value in all rows of a node, as its conditions say.
func fixedColumns(n plan.Node) map[int]bool {
	out := map[int]bool{}
	for {
		switch at := n.(type) {
		case *plan.Filter:
			addFixed(out, plan.Conjuncts(at.Predicate))
			n = at.Input
		case *plan.Scan:
			addFixed(out, at.Filter)
			return out
		default:
			return out
		}
	}
}

func addFixed(to map[int]bool, conditions []plan.Expr) {
	for _, e := range conditions {
		c, ok := e.(*plan.Call)
		if !ok || c.Fn.Name != "=" || len(c.Args) != 2 {
			continue
		}
		for i, arg := range c.Args {
			ref, isColumn := arg.(*plan.ColumnRef)
			if _, isLiteral := c.Args[1-i].(*plan.Literal); isColumn && isLiteral && identified(ref.Typ) {
				to[ref.Index] = true
			}
		}
	}
}
