package optimize

import (
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// shareExpressions computes what the expressions of a projection or of a grouping have in common once, in a projection below. It takes
// only what some row would have had computed in any case: an expression in the branch of a CASE or behind an AND alone stays there,
// since it may fail on rows that never come so far.
func shareExpressions(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		for range maxShared {
			shared := sharedExpression(n)
			if shared == nil {
				break
			}
			n = withShared(n, shared)
		}
		return n, nil
	})
}

const (
	// maxShared bounds the projections that are put below one node.
	maxShared = 16
	// maxCounted bounds the expressions that are looked at, parts included. Where there are more, as in long lists of constants, nothing is
	// shared.
	maxCounted = 1000
)

// occurrence counts an expression in a node.
type occurrence struct {
	expr  plan.Expr
	count int
	// always tells that one of the places is computed for every row.
	always bool
}

// occurrences are the distinct expressions of a node that are worth sharing, each after those that are parts of it.
type occurrences struct {
	all     []*occurrence
	like    map[uint64][]*occurrence // by fingerprint; nil before there is any
	counted int
}

// sharedExpression is an expression that the node computes more than once and of which no part is to be shared first; nil if there is none.
func sharedExpression(n plan.Node) plan.Expr {
	var found occurrences
	switch n := n.(type) {
	case *plan.Project:
		for _, e := range n.Exprs {
			found.add(e, true)
		}
	case *plan.Aggregate:
		for _, e := range n.Groups {
			found.add(e, true)
		}
		for _, call := range n.Aggregates {
			found.addCall(call)
		}
	}
	if found.counted > maxCounted {
		return nil
	}
	for _, o := range found.all {
		if o.count > 1 && o.always && !found.partOfAnother(o) {
			return o.expr
		}
	}
	return nil
}

func (f *occurrences) addCall(call plan.Aggregation) {
	for _, e := range call.Args {
		f.add(e, call.Filter == nil)
	}
	for _, key := range call.Order {
		f.add(key.Expr, call.Filter == nil)
	}
	if call.Filter != nil {
		f.add(call.Filter, true)
	}
}

// add counts an expression and its parts, the parts first. always tells that it is computed for every row.
func (f *occurrences) add(e plan.Expr, always bool) {
	if f.counted++; f.counted > maxCounted || !sharable(e) {
		return
	}
	for i, part := range plan.Operands(e) {
		f.add(part, always && (i == 0 || !lazy(e)))
	}
	o := f.of(e)
	o.count++
	o.always = o.always || always
}

// of is the occurrence of an expression.
func (f *occurrences) of(e plan.Expr) *occurrence {
	key := plan.Fingerprint(e)
	for _, o := range f.like[key] {
		if plan.Same(o.expr, e) {
			return o
		}
	}
	if f.like == nil {
		f.like = map[uint64][]*occurrence{}
	}
	o := &occurrence{expr: e}
	f.all, f.like[key] = append(f.all, o), append(f.like[key], o)
	return o
}

// partOfAnother reports that all places of an expression are in places of another, which is then the one to share.
func (f *occurrences) partOfAnother(o *occurrence) bool {
	return slices.ContainsFunc(f.all, func(other *occurrence) bool {
		return other != o && other.always && other.count == o.count && contains(other.expr, o.expr)
	})
}

func contains(e, part plan.Expr) bool {
	found := false
	plan.Walk(e, func(inner plan.Expr) { found = found || plan.Same(inner, part) })
	return found
}

// lazy reports that operands after the first are not computed for every row.
func lazy(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Case:
		return true
	case *plan.Call:
		return e.Fn.Name == "and" || e.Fn.Name == "or" || e.Fn.Name == "coalesce"
	default:
		return false
	}
}

// sharable reports that an expression costs something, reads a column and gives the same wherever it stands.
func sharable(e plan.Expr) bool {
	switch e.(type) {
	case *plan.Call, *plan.Cast, *plan.Case:
	default:
		return false
	}
	reads, steady := false, true
	plan.Walk(e, func(e plan.Expr) {
		switch e := e.(type) {
		case *plan.ColumnRef:
			reads = true
		case *plan.Call:
			steady = steady && !e.Fn.Volatile && (len(e.Args) > 0 || e.Fn.Stable)
		case *plan.Subquery:
			steady = false
		}
	})
	return reads && steady
}

// withShared is the node over a projection that adds the expression to the columns of its input.
func withShared(n plan.Node, shared plan.Expr) plan.Node {
	input := n.Inputs()[0]
	columns := input.Columns()
	below := &plan.Project{Input: input}
	for i, c := range columns {
		below.Exprs = append(below.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		below.Names = append(below.Names, c.Name)
	}
	name := fmt.Sprintf("shared%d", len(columns))
	below.Exprs, below.Names = append(below.Exprs, shared), append(below.Names, name)
	column := &plan.ColumnRef{Index: len(columns), Name: name, Typ: shared.Type()}
	out := mapExpressions(n, func(e plan.Expr) plan.Expr {
		return rewriteExpr(e, func(e plan.Expr) plan.Expr {
			if plan.Same(e, shared) {
				return column
			}
			return e
		})
	})
	return plan.Over(out, below)
}
