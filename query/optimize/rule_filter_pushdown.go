package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// pushFilters moves conditions towards the data: through projections, by putting in what the projection computes, and through
// sorts that keep all rows, until they meet a scan or a node that they cannot pass. Conditions move all together and keep their
// order, those nearer to the data first: none is computed for a row that it was not computed for before.
func pushFilters(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		switch n := n.(type) {
		case *plan.Filter:
			return pushInto(n.Input, plan.Conjuncts(n.Predicate)), nil
		case *plan.Join:
			return pushIntoJoin(n, nil), nil
		default:
			return n, nil
		}
	})
}

// pushInto is n with conjuncts applied to its rows, as near to the data as they get.
func pushInto(n plan.Node, conjuncts []plan.Expr) plan.Node {
	if isolated(n, conjuncts) {
		return &plan.Filter{Input: n, Predicate: conjunction(conjuncts)}
	}
	switch n := n.(type) {
	case *plan.Scan:
		out := *n
		out.Filter = append(append([]plan.Expr(nil), n.Filter...), conjuncts...)
		return &out
	case *plan.Filter:
		return pushInto(n.Input, append(plan.Conjuncts(n.Predicate), conjuncts...))
	case *plan.Project:
		below := mapAll(conjuncts, func(e plan.Expr) plan.Expr {
			return replaceColumns(e, func(c *plan.ColumnRef) plan.Expr { return n.Exprs[c.Index] })
		})
		return &plan.Project{Input: pushInto(n.Input, splitAll(below)), Exprs: n.Exprs, Names: n.Names}
	case *plan.Join:
		return pushIntoJoin(n, conjuncts)
	case *plan.AsofJoin:
		return pushIntoAsof(n, conjuncts)
	case *plan.Apply:
		return pushIntoApply(n, conjuncts)
	case *plan.Union:
		return pushIntoUnion(n, conjuncts)
	case *plan.Window:
		return pushIntoWindow(n, conjuncts)
	case *plan.Aggregate:
		return pushIntoAggregate(n, conjuncts)
	case *plan.FirstRows:
		return pushIntoFirstRows(n, conjuncts)
	case *plan.Unnest:
		return pushIntoUnnest(n, conjuncts)
	case *plan.Assign:
		return pushIntoAssign(n, conjuncts)
	case *plan.Sort:
		if n.Limit < 0 {
			return &plan.Sort{Input: pushInto(n.Input, conjuncts), Keys: n.Keys, Limit: n.Limit}
		}
	}
	return &plan.Filter{Input: n, Predicate: conjunction(conjuncts)}
}

// isolated reports that conditions stay above a node, since they, or what it computes, are volatile: a value that is computed for the
// condition is not the one that comes out.
func isolated(n plan.Node, conjuncts []plan.Expr) bool {
	switch n := n.(type) {
	case *plan.Scan, *plan.Filter:
		return false
	case *plan.Project:
		if slices.ContainsFunc(n.Exprs, plan.Volatile) {
			return true
		}
	}
	return slices.ContainsFunc(conjuncts, plan.Volatile)
}

// splitAll splits conditions that have become ANDs.
func splitAll(conditions []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, c := range conditions {
		out = append(out, plan.Conjuncts(c)...)
	}
	return out
}
