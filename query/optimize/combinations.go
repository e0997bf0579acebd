package optimize

import (
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Combinations is how many combinations of values a node can keep rows for, as far as conditions below it name them: of WHERE a IN (1, 2) AND
// b = 'x' LATEST ON ts PARTITION BY a, b two. It is 0 where that is not known, or not at most the limit.
func Combinations(n *plan.FirstRows, limit int) int {
	named, out := namedValues(n.Input), 1
	for _, e := range n.By {
		c, ok := e.(*plan.ColumnRef)
		if !ok || named[c.Index] == 0 {
			return 0
		}
		if out *= named[c.Index]; out > limit {
			return 0
		}
	}
	return out
}

// namedValues is how many values columns can have in the rows of a node, by its conditions.
func namedValues(n plan.Node) map[int]int {
	out := map[int]int{}
	add := func(conditions []plan.Expr) {
		for _, e := range conditions {
			if column, values := alternatives(e); values > 0 && (out[column] == 0 || values < out[column]) {
				out[column] = values
			}
		}
	}
	for {
		switch at := n.(type) {
		case *plan.Filter:
			add(plan.Conjuncts(at.Predicate))
			n = at.Input
		case *plan.Scan:
			add(at.Filter)
			return out
		default:
			return out
		}
	}
}

// alternatives looks at x = a OR x = b ..., which is what x IN (a, b, ...) becomes: how many values it allows a column; 0 for another
// condition.
func alternatives(e plan.Expr) (column, values int) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) != 2 {
		return 0, 0
	}
	switch c.Fn.Name {
	case "or":
		left, n := alternatives(c.Args[0])
		right, m := alternatives(c.Args[1])
		if n == 0 || m == 0 || left != right {
			return 0, 0
		}
		return left, n + m
	case "=":
		for i, arg := range c.Args {
			ref, isColumn := arg.(*plan.ColumnRef)
			if _, isLiteral := c.Args[1-i].(*plan.Literal); isColumn && isLiteral && identified(ref.Typ) {
				return ref.Index, 1
			}
		}
	}
	return 0, 0
}
