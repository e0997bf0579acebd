package bind

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// coerce brings an argument to a type without being asked to: literals are read as the type, BIGINT becomes DOUBLE PRECISION.
func coerce(a argument, to event.Type) (plan.Expr, error) {
	from := a.typ()
	switch {
	case from.Equal(to):
		return a.expr, nil
	case from.Kind == event.Unknown, isNull(a.expr), from.Kind == event.BigInt && to.Kind == event.Double:
		return cast(a, to)
	default:
		return nil, event.Errorf(event.CodeTypeMismatch, "expected %s, found %s", to, from).At(a.pos).
			WithHint("convert it, as in x::%s, if that is what you mean", to)
	}
}

// castTargets lists what every type can be converted to by CAST, besides itself and TEXT.
var castTargets = map[event.Kind][]event.Kind{
	event.BigInt:  {event.Double, event.Boolean},
	event.Double:  {event.BigInt},
	event.Boolean: {event.BigInt},
	event.Text:    {event.BigInt, event.Double, event.Boolean, event.TimestampTZ, event.Interval, event.JSONB},
	event.JSONB:   {event.BigInt, event.Double, event.Boolean},
}

// cast converts as CAST does. Literals are converted at once where that is only a matter of reading them.
func cast(a argument, to event.Type) (plan.Expr, error) {
	from := a.typ()
	if from.Equal(to) {
		return a.expr, nil
	}
	if isNull(a.expr) {
		return nullLiteral(to), nil
	}
	if s, ok := literalText(a.expr); ok {
		return readLiteral(s, to, a.pos)
	}
	if !castable(from.Kind, to.Kind) {
		err := event.Errorf(event.CodeTypeMismatch, "%s cannot be converted to %s", from, to).At(a.pos)
		if from.Kind == event.BigInt && to.Kind == event.TimestampTZ {
			err = err.WithHint("to_timestamp(x) takes seconds since 1970")
		}
		return nil, err
	}
	if v, ok := bigintValue(a.expr); ok && to.Kind == event.Double {
		return doubleLiteral(float64(v)), nil
	} else if ok && to.Kind == event.Text {
		return stringLiteral(strconv.FormatInt(v, 10), text), nil
	}
	return &plan.Cast{Input: a.expr, To: to}, nil
}

func castable(from, to event.Kind) bool {
	if to == event.Text {
		return true
	}
	for _, k := range castTargets[from] {
		if k == to {
			return true
		}
	}
	return false
}

// bigintValue is the value of a BIGINT literal that is not NULL.
func bigintValue(e plan.Expr) (int64, bool) {
	lit, ok := e.(*plan.Literal)
	if !ok || lit.Typ.Kind != event.BigInt || lit.Value.IsNull(0) {
		return 0, false
	}
	return lit.Value.(*array.Int64).Value(0), true
}

func (x *scalars) cast(e *ast.Cast) (plan.Expr, error) {
	to, err := valueType(e.Type)
	if err != nil {
		return nil, err
	}
	a, err := x.argument(e.Input)
	if err != nil {
		return nil, err
	}
	return cast(a, to)
}

// unify brings expressions to the one type that all of them can take.
func unify(args []argument, what string) (event.Type, []plan.Expr, error) {
	common := unknown
	for _, a := range args {
		t := a.typ()
		switch {
		case t.Kind == event.Unknown, t.Equal(common), t.Kind == event.BigInt && common.Kind == event.Double:
		case common.Kind == event.Unknown, common.Kind == event.BigInt && t.Kind == event.Double:
			common = t
		default:
			return common, nil, event.Errorf(event.CodeTypeMismatch, "%s has values of %s and of %s", what, common, t).At(a.pos).
				WithHint("convert one of them, as in x::TEXT")
		}
	}
	if common.Kind == event.Unknown {
		common = text
	}
	out := make([]plan.Expr, len(args))
	for i, a := range args {
		e, err := coerce(a, common)
		if err != nil {
			return common, nil, err
		}
		out[i] = e
	}
	return common, out, nil
}
