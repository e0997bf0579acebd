package optimize

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// bottomUp rebuilds a tree from its leaves: f gets each node with its inputs already rewritten.
func bottomUp(n plan.Node, f func(plan.Node) (plan.Node, error)) (plan.Node, error) {
	inputs := n.Inputs()
	if _, union := n.(*plan.Union); union || len(inputs) > 1 {
		return bottomUpAll(n, f)
	}
	if len(inputs) == 1 {
		input, err := bottomUp(inputs[0], f)
		if err != nil {
			return nil, err
		}
		if n, err = withInput(n, input); err != nil {
			return nil, err
		}
	}
	return f(n)
}

// withInput is n over another input; n itself where that is the one it has.
func withInput(n plan.Node, input plan.Node) (plan.Node, error) {
	if n.Inputs()[0] == input {
		return n, nil
	}
	switch n := n.(type) {
	case *plan.Filter:
		return &plan.Filter{Input: input, Predicate: n.Predicate}, nil
	case *plan.Project:
		return &plan.Project{Input: input, Exprs: n.Exprs, Names: n.Names}, nil
	case *plan.Aggregate:
		out := *n
		out.Input = input
		return &out, nil
	case *plan.Window:
		return windowOver(n, input), nil
	case *plan.Assign:
		return assignOver(n, input, n.Time), nil
	case *plan.Sort:
		return &plan.Sort{Input: input, Keys: n.Keys, Limit: n.Limit}, nil
	case *plan.Fill:
		out := *n
		out.Input = input
		return &out, nil
	case *plan.Unnest:
		out := *n
		out.Input = input
		return &out, nil
	case *plan.FirstRows:
		return &plan.FirstRows{Input: input, By: n.By, Keys: n.Keys}, nil
	case *plan.Limit:
		out := *n
		out.Input = input
		return &out, nil
	case *plan.Repeat:
		return &plan.Repeat{Input: input, Times: n.Times}, nil
	case *plan.Insert:
		return &plan.Insert{Input: input, Stream: n.Stream, Names: n.Names}, nil
	default:
		return nil, fmt.Errorf("optimize plan: unknown node %T", n)
	}
}

// mapExpressions rebuilds a node with f applied to each of its expressions as a whole.
func mapExpressions(n plan.Node, f func(plan.Expr) plan.Expr) plan.Node {
	switch n := n.(type) {
	case *plan.Scan:
		out := *n
		out.Filter = mapAll(n.Filter, f)
		return &out
	case *plan.Filter:
		return &plan.Filter{Input: n.Input, Predicate: f(n.Predicate)}
	case *plan.Project:
		return &plan.Project{Input: n.Input, Exprs: mapAll(n.Exprs, f), Names: n.Names}
	case *plan.Aggregate:
		out := *n
		out.Groups, out.Aggregates = mapAll(n.Groups, f), mapCalls(n.Aggregates, f)
		return &out
	case *plan.Window:
		return n.Map(f)
	case *plan.Assign:
		return assignOver(n, n.Input, f(n.Time))
	case *plan.Sort:
		return &plan.Sort{Input: n.Input, Keys: mapKeys(n.Keys, f), Limit: n.Limit}
	case *plan.FirstRows:
		return &plan.FirstRows{Input: n.Input, By: mapAll(n.By, f), Keys: mapKeys(n.Keys, f)}
	case *plan.Join:
		return mapJoin(n, f)
	case *plan.Apply:
		return mapApply(n, f)
	case *plan.AsofJoin:
		out := *n
		out.LeftKeys, out.RightKeys = mapAll(n.LeftKeys, f), mapAll(n.RightKeys, f)
		out.LeftAt, out.RightAt = f(n.LeftAt), f(n.RightAt)
		if n.Within != nil {
			out.Within = f(n.Within)
		}
		return &out
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

func mapAll(exprs []plan.Expr, f func(plan.Expr) plan.Expr) []plan.Expr {
	if exprs == nil {
		return nil
	}
	out := make([]plan.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = f(e)
	}
	return out
}

func mapKeys(keys []plan.SortKey, f func(plan.Expr) plan.Expr) []plan.SortKey {
	if keys == nil {
		return nil
	}
	out := make([]plan.SortKey, len(keys))
	for i, k := range keys {
		k.Expr = f(k.Expr)
		out[i] = k
	}
	return out
}

func mapCalls(calls []plan.Aggregation, f func(plan.Expr) plan.Expr) []plan.Aggregation {
	out := make([]plan.Aggregation, len(calls))
	for i, a := range calls {
		a.Args, a.Order = mapAll(a.Args, f), mapKeys(a.Order, f)
		if a.Filter != nil {
			a.Filter = f(a.Filter)
		}
		out[i] = a
	}
	return out
}

// rewriteExpr rebuilds an expression from the inside: f gets each part with its own parts already rewritten.
func rewriteExpr(e plan.Expr, f func(plan.Expr) plan.Expr) plan.Expr {
	inner := func(e plan.Expr) plan.Expr { return rewriteExpr(e, f) }
	switch x := e.(type) {
	case *plan.Call:
		e = &plan.Call{Fn: x.Fn, Args: mapAll(x.Args, inner)}
	case *plan.Cast:
		e = &plan.Cast{Input: inner(x.Input), To: x.To, Try: x.Try}
	case *plan.Case:
		out := &plan.Case{Whens: make([]plan.When, len(x.Whens)), Typ: x.Typ}
		for i, w := range x.Whens {
			out.Whens[i] = plan.When{Condition: inner(w.Condition), Then: inner(w.Then)}
		}
		if x.Else != nil {
			out.Else = inner(x.Else)
		}
		e = out
	}
	return f(e)
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
