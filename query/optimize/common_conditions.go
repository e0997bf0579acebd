package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// factored takes out of each OR what all of its sides ask for: (a.id = b.id AND x) OR (a.id = b.id AND y) becomes a.id = b.id AND
// (x OR y), which finds pairs by their id. What may fail stays where it is, behind the conditions that keep rows from it.
func factored(conditions []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, c := range conditions {
		out = append(out, factors(c)...)
	}
	return out
}

func factors(e plan.Expr) []plan.Expr {
	or, ok := e.(*plan.Call)
	if !ok || or.Fn.Name != "or" || plan.Volatile(e) {
		return []plan.Expr{e}
	}
	sides := disjuncts(e)
	var common []plan.Expr
	for _, c := range plan.Conjuncts(sides[0]) {
		if !mayFail(c) && !slices.ContainsFunc(sides[1:], func(side plan.Expr) bool { return !asksFor(side, c) }) {
			common = append(common, c)
		}
	}
	if len(common) == 0 {
		return []plan.Expr{e}
	}
	var rest plan.Expr
	for _, side := range sides {
		more := slices.DeleteFunc(plan.Conjuncts(side), func(c plan.Expr) bool { return isAmong(common, c) })
		switch {
		case len(more) == 0:
			return common // which is all that this side asks for
		case rest == nil:
			rest = conjunction(more)
		default:
			rest = &plan.Call{Fn: or.Fn, Args: []plan.Expr{rest, conjunction(more)}}
		}
	}
	return append(common, rest)
}

// disjuncts are the sides of an OR of ORs, from left to right.
func disjuncts(e plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Fn.Name == "or" {
		return append(disjuncts(c.Args[0]), disjuncts(c.Args[1])...)
	}
	return []plan.Expr{e}
}

func asksFor(side, condition plan.Expr) bool { return isAmong(plan.Conjuncts(side), condition) }

func isAmong(conditions []plan.Expr, c plan.Expr) bool {
	return slices.ContainsFunc(conditions, func(other plan.Expr) bool { return plan.Same(other, c) })
}
