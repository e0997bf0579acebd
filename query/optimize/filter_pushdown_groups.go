package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// parted divides conditions into those that may pass a node and the others. A condition passes others that stay only if it can never fail.
func parted(conjuncts []plan.Expr, passes func(plan.Expr) bool) (below, above []plan.Expr) {
	for _, c := range conjuncts {
		if passes(c) && (len(above) == 0 || !mayFail(c)) {
			below = append(below, c)
		} else {
			above = append(above, c)
		}
	}
	return below, above
}

// where is a node with conditions on its rows.
func where(n plan.Node, conjuncts []plan.Expr) plan.Node {
	if len(conjuncts) == 0 {
		return n
	}
	return &plan.Filter{Input: n, Predicate: conjunction(conjuncts)}
}

// pushIntoAggregate moves conditions on keys below the groups: they hold for all rows of a group or for none.
func pushIntoAggregate(n *plan.Aggregate, conjuncts []plan.Expr) plan.Node {
	below, above := parted(conjuncts, func(c plan.Expr) bool { return n.Sets == nil && readsOnly(c, n.Groups) })
	if len(below) == 0 {
		return where(n, above)
	}
	out := *n
	out.Input = pushInto(n.Input, splitAll(mapAll(below, func(e plan.Expr) plan.Expr {
		return replaceColumns(e, func(c *plan.ColumnRef) plan.Expr { return n.Groups[c.Index] })
	})))
	return where(&out, above)
}

// readsOnly reports whether a condition reads some of the first columns, which are these keys of groups, and cannot tell the rows of
// a group apart.
func readsOnly(condition plan.Expr, keys []plan.Expr) bool {
	inside, some, alike := true, false, sameForEqual(condition)
	plan.Walk(condition, func(e plan.Expr) {
		if c, ok := e.(*plan.ColumnRef); ok {
			some, inside = true, inside && c.Index < len(keys) && !plan.Volatile(keys[c.Index]) && (alike || oneSpelling(c.Typ))
		}
	})
	return inside && some
}

// pushIntoFirstRows moves conditions on the columns that rows are compared within.
func pushIntoFirstRows(n *plan.FirstRows, conjuncts []plan.Expr) plan.Node {
	below, above := parted(conjuncts, func(c plan.Expr) bool { return len(n.By) > 0 && onColumns(n.By, c) })
	if len(below) == 0 {
		return where(n, above)
	}
	return where(&plan.FirstRows{Input: pushInto(n.Input, below), By: n.By, Keys: n.Keys}, above)
}

// pushIntoUnnest moves conditions on the input's columns. One that may fail stays: it would be computed for rows without elements, too.
func pushIntoUnnest(n *plan.Unnest, conjuncts []plan.Expr) plan.Node {
	width := plan.Width(n.Input)
	below, above := parted(conjuncts, func(c plan.Expr) bool {
		inside := !mayFail(c)
		plan.Walk(c, func(e plan.Expr) {
			if ref, ok := e.(*plan.ColumnRef); ok {
				inside = inside && ref.Index < width
			}
		})
		return inside
	})
	if len(below) == 0 {
		return where(n, above)
	}
	out := *n
	out.Input = pushInto(n.Input, below)
	return where(&out, above)
}

// onColumns reports whether a condition reads only columns that are among these keys, and cannot tell equal values of them apart.
func onColumns(keys []plan.Expr, condition plan.Expr) bool {
	inside, alike := true, sameForEqual(condition)
	plan.Walk(condition, func(e plan.Expr) {
		c, ok := e.(*plan.ColumnRef)
		if !ok {
			return
		}
		inside = inside && slices.ContainsFunc(keys, func(key plan.Expr) bool {
			k, ok := key.(*plan.ColumnRef)
			return ok && k.Index == c.Index && (alike || oneSpelling(c.Typ))
		})
	})
	return inside
}
