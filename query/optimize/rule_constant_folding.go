package optimize

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// foldConstants computes what depends on constants alone. What fails stays, so that it fails only if a row needs it; now() and
// what contains it stays, since a plan may run later than it is made. Conditions that are decided disappear: a filter that is
// always true, and all rows of one that never is.
func foldConstants(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		n = knownBounds(mapExpressions(n, foldExpr))
		f, ok := n.(*plan.Filter)
		if !ok {
			return n, nil
		}
		switch value, known := constantCondition(f.Predicate); {
		case !known:
			return n, nil
		case value:
			return f.Input, nil
		default:
			return &plan.Values{Cols: f.Columns()}, nil
		}
	})
}

func foldExpr(e plan.Expr) plan.Expr { return rewriteExpr(e, foldOne) }

// foldOne folds an expression whose parts are folded already.
func foldOne(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Call:
		if x.Fn.Name == "and" || x.Fn.Name == "or" {
			return foldLogic(x)
		}
		if x.Fn.Strict && slices.ContainsFunc(x.Args, isNullLiteral) {
			return &plan.Literal{Value: event.NewNulls(e.Type(), 1), Typ: e.Type()}
		}
		if x.Fn.Stable || x.Fn.Volatile {
			return e
		}
	case *plan.Cast, *plan.Case:
	default:
		return e
	}
	for _, part := range plan.Operands(e) {
		if _, ok := part.(*plan.Literal); !ok {
			return e
		}
	}
	return evaluate(e)
}

// evaluate is the value of a constant expression, or the expression where computing it fails.
func evaluate(e plan.Expr) plan.Expr {
	value, err := kernel.EvalConst(e, &kernel.Context{})
	if err != nil {
		return e
	}
	if value.DataType().ID() == arrow.NULL {
		value = event.NewNulls(e.Type(), 1)
	}
	return &plan.Literal{Value: value, Typ: e.Type()}
}

// foldLogic drops a side that does not matter, and the other where one side decides.
func foldLogic(e *plan.Call) plan.Expr {
	decides := e.Fn.Name == "or" // the value that decides
	for i, side := range e.Args {
		value, known := constantCondition(side)
		switch {
		case !known || isNullLiteral(side):
			continue
		case value == decides:
			return side
		default:
			return e.Args[1-i]
		}
	}
	if isNullLiteral(e.Args[0]) && isNullLiteral(e.Args[1]) {
		return e.Args[0]
	}
	return e
}

// constantCondition is the outcome of a condition that is a literal; NULL counts as false, as it does in WHERE.
func constantCondition(e plan.Expr) (value, known bool) {
	literal, ok := e.(*plan.Literal)
	if !ok {
		return false, false
	}
	if isNullLiteral(e) {
		return false, true
	}
	b, ok := literal.Value.(*array.Boolean)
	return ok && b.Value(0), ok
}

func isNullLiteral(e plan.Expr) bool {
	literal, ok := e.(*plan.Literal)
	return ok && (literal.Value.DataType().ID() == arrow.NULL || literal.Value.IsNull(0))
}
