package optimize

import (
	"slices"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// bottomUp rebuilds a tree from its leaves: f gets each node with its inputs already rewritten.
func bottomUp(n plan.Node, f func(plan.Node) (plan.Node, error)) (plan.Node, error) {
	inputs := n.Inputs()
	var rewritten []plan.Node // nil while all are as they were, which most are
	for i, in := range inputs {
		out, err := bottomUp(in, f)
		if err != nil {
			return nil, err
		}
		if out != in && rewritten == nil {
			rewritten = slices.Clone(inputs)
		}
		if rewritten != nil {
			rewritten[i] = out
		}
	}
	if rewritten != nil {
		n = plan.Over(n, rewritten...)
	}
	return f(n)
}

// mapExpressions rebuilds a node with f applied to each of its expressions as a whole; it is n itself where f leaves all of them as they are,
// at least of the kinds of node that plans are mostly made of.
func mapExpressions(n plan.Node, f func(plan.Expr) plan.Expr) plan.Node {
	switch n := n.(type) {
	case *plan.Scan:
		filter := mapAll(n.Filter, f)
		if sameList(filter, n.Filter) {
			return n
		}
		out := *n
		out.Filter = filter
		return &out
	case *plan.Filter:
		predicate := f(n.Predicate)
		if predicate == n.Predicate {
			return n
		}
		return &plan.Filter{Input: n.Input, Predicate: predicate}
	case *plan.Project:
		exprs := mapAll(n.Exprs, f)
		if sameList(exprs, n.Exprs) {
			return n
		}
		return &plan.Project{Input: n.Input, Exprs: exprs, Names: n.Names}
	case *plan.Aggregate:
		groups, calls := mapAll(n.Groups, f), mapCalls(n.Aggregates, f)
		if sameList(groups, n.Groups) && sameList(calls, n.Aggregates) {
			return n
		}
		out := *n
		out.Groups, out.Aggregates = groups, calls
		return &out
	case *plan.Window:
		return n.Map(f)
	case *plan.Assign:
		return assignOver(n, n.Input, f(n.Time))
	case *plan.Sort:
		keys := mapKeys(n.Keys, f)
		if sameList(keys, n.Keys) {
			return n
		}
		return &plan.Sort{Input: n.Input, Keys: keys, Limit: n.Limit}
	case *plan.FirstRows:
		return &plan.FirstRows{Input: n.Input, By: mapAll(n.By, f), Keys: mapKeys(n.Keys, f)}
	case *plan.Join:
		return mapJoin(n, f)
	case *plan.Apply:
		return mapApply(n, f)
	case *plan.AsofJoin:
		return mapAsofJoin(n, f)
	case *plan.Unnest:
		out := *n
		out.Arrays = mapAll(n.Arrays, f)
		return &out
	case *plan.Series:
		return &plan.Series{From: f(n.From), To: f(n.To), Step: f(n.Step), Name: n.Name}
	case *plan.Repeat:
		return &plan.Repeat{Input: n.Input, Times: f(n.Times)}
	case *plan.Values:
		rows := make([][]plan.Expr, len(n.Rows))
		for i, row := range n.Rows {
			rows[i] = mapAll(row, f)
		}
		return &plan.Values{Cols: n.Cols, Rows: rows}
	default:
		return n
	}
}

func mapAsofJoin(n *plan.AsofJoin, f func(plan.Expr) plan.Expr) plan.Node {
	out := *n
	out.LeftKeys, out.RightKeys = mapAll(n.LeftKeys, f), mapAll(n.RightKeys, f)
	out.LeftAt, out.RightAt = f(n.LeftAt), f(n.RightAt)
	if n.Within != nil {
		out.Within = f(n.Within)
	}
	return &out
}

// sameList reports whether two lists are one and the same, which mapAll, mapKeys and mapCalls give where nothing changes.
func sameList[E any](a, b []E) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// mapAll is f of each expression; the list itself where all stay as they are.
func mapAll(exprs []plan.Expr, f func(plan.Expr) plan.Expr) []plan.Expr {
	var out []plan.Expr
	for i, e := range exprs {
		mapped := f(e)
		if out == nil && mapped != e {
			out = slices.Clone(exprs)
		}
		if out != nil {
			out[i] = mapped
		}
	}
	if out == nil {
		return exprs
	}
	return out
}

func mapKeys(keys []plan.SortKey, f func(plan.Expr) plan.Expr) []plan.SortKey {
	var out []plan.SortKey
	for i, k := range keys {
		mapped := f(k.Expr)
		if out == nil && mapped != k.Expr {
			out = slices.Clone(keys)
		}
		if out != nil {
			out[i].Expr = mapped
		}
	}
	if out == nil {
		return keys
	}
	return out
}

func mapCalls(calls []plan.Aggregation, f func(plan.Expr) plan.Expr) []plan.Aggregation {
	var out []plan.Aggregation
	for i, a := range calls {
		args, order, filter := mapAll(a.Args, f), mapKeys(a.Order, f), a.Filter
		if filter != nil {
			filter = f(filter)
		}
		same := sameList(args, a.Args) && sameList(order, a.Order) && filter == a.Filter
		if out == nil && !same {
			out = slices.Clone(calls)
		}
		if out != nil {
			out[i].Args, out[i].Order, out[i].Filter = args, order, filter
		}
	}
	if out == nil {
		return calls
	}
	return out
}

// rewriteExpr rebuilds an expression from the inside: f gets each part with its own parts already rewritten. Parts in which f changes
// nothing stay as they are.
func rewriteExpr(e plan.Expr, f func(plan.Expr) plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		if args := rewriteAll(x.Args, f); !sameList(args, x.Args) {
			e = &plan.Call{Fn: x.Fn, Args: args}
		}
	case *plan.Cast:
		if input := rewriteExpr(x.Input, f); input != x.Input {
			e = &plan.Cast{Input: input, To: x.To, Try: x.Try}
		}
	case *plan.Case:
		e = rewriteCase(x, f)
	}
	return f(e)
}

// rewriteAll is mapAll of rewriteExpr.
func rewriteAll(exprs []plan.Expr, f func(plan.Expr) plan.Expr) []plan.Expr {
	return mapAll(exprs, func(e plan.Expr) plan.Expr { return rewriteExpr(e, f) })
}

func rewriteCase(x *plan.Case, f func(plan.Expr) plan.Expr) plan.Expr {
	out := &plan.Case{Whens: make([]plan.When, len(x.Whens)), Typ: x.Typ}
	same := true
	for i, w := range x.Whens {
		out.Whens[i] = plan.When{Condition: rewriteExpr(w.Condition, f), Then: rewriteExpr(w.Then, f)}
		same = same && out.Whens[i] == w
	}
	if x.Else != nil {
		out.Else = rewriteExpr(x.Else, f)
	}
	if same && out.Else == x.Else {
		return x
	}
	return out
}

// ReplaceColumns is an expression with by's in place of its columns.
func ReplaceColumns(e plan.Expr, by func(column *plan.ColumnRef) plan.Expr) plan.Expr {
	return replaceColumns(e, by)
}

// replaceColumns puts by[i] in place of input column i.
func replaceColumns(e plan.Expr, by func(column *plan.ColumnRef) plan.Expr) plan.Expr {
	return rewriteExpr(e, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.ColumnRef); ok {
			return by(c)
		}
		return e
	})
}

// conjunction joins conditions by AND again.
func conjunction(conjuncts []plan.Expr) plan.Expr {
	out := conjuncts[0]
	for _, c := range conjuncts[1:] {
		out = &plan.Call{Fn: andFunction, Args: []plan.Expr{out, c}}
	}
	return out
}

var andFunction = plan.Functions["and"][0]
