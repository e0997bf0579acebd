package bind

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// Branches that constants rule out are left out as soon as they are bound: what they name need not be grouped then, as in
// COALESCE(3, ungrouped), and programs that write SQL write such things. Their types have had their say by that time.

// reachable is a CASE without the branches that are never taken.
func reachable(e *plan.Case) plan.Expr {
	var whens []plan.When
	for _, w := range e.Whens {
		holds, known := constantTest(w.Condition)
		switch {
		case known && holds:
			e.Whens, e.Else = whens, w.Then
			return chosen(e)
		case !known:
			whens = append(whens, w)
		}
	}
	e.Whens = whens
	return chosen(e)
}

// chosen is ELSE where there is nothing else to choose.
func chosen(e *plan.Case) plan.Expr {
	switch {
	case len(e.Whens) > 0:
		return e
	case e.Else != nil:
		return e.Else
	default:
		return nullLiteral(e.Typ)
	}
}

// constantTest is whether a condition over constants holds, where that can be seen without computing anything.
func constantTest(e plan.Expr) (holds, known bool) {
	if isNull(e) {
		return false, true
	}
	if literal, ok := e.(*plan.Literal); ok {
		v, ok := literal.Value.(*array.Boolean)
		return ok && v.Value(0), ok
	}
	call, ok := e.(*plan.Call)
	if !ok || call.Fn.Name != "=" {
		return false, false
	}
	if isNull(call.Args[0]) || isNull(call.Args[1]) {
		return false, true
	}
	a, first := bigintValue(call.Args[0])
	b, second := bigintValue(call.Args[1])
	return a == b, first && second
}

// firstKnown is COALESCE without what stands behind a constant.
func firstKnown(e plan.Expr) plan.Expr {
	call, ok := e.(*plan.Call)
	if !ok || call.Fn.Name != "coalesce" {
		return e
	}
	for i, a := range call.Args {
		if !neverNull(a) {
			continue
		}
		if i == 0 {
			return a
		}
		return &plan.Call{Fn: call.Fn, Args: call.Args[:i+1]}
	}
	return e
}

// neverNull reports whether an expression is made of constants, and is not NULL.
func neverNull(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Literal:
		return !e.Value.IsNull(0)
	case *plan.Cast:
		return !e.Try && neverNull(e.Input)
	case *plan.Call:
		switch e.Fn.Name {
		case "+", "-", "*", "/", "%":
			return !slices.ContainsFunc(e.Args, func(a plan.Expr) bool { return !neverNull(a) })
		}
	}
	return false
}

// certain is NULL for a comparison with NULL, whatever is on its other side.
func certain(e *plan.Call) plan.Expr {
	if isComparison(e.Fn.Name) && e.Fn.Strict && slices.ContainsFunc(e.Args, isNull) {
		return nullLiteral(e.Fn.Result)
	}
	return e
}
