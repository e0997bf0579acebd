package bind

import (
	"errors"

	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// coerce brings an argument to a type without being asked to: literals are read as the type, numbers take a wider one.
func coerce(a argument, to event.Type) (plan.Expr, error) {
	from := a.typ()
	if from.Equal(to) {
		return a.expr, nil
	}
	if _, ok := implicitCost(a.expr, to); ok || from.Kind == event.Unknown || isNull(a.expr) {
		return cast(a, to)
	}
	return nil, event.Errorf(event.CodeTypeMismatch, "expected %s, found %s", to, from).At(a.pos).
		WithHint("convert it, as in x::%s, if that is what you mean", to)
}

// castTargets lists what every type can be converted to by CAST, besides itself and TEXT.
var castTargets = map[event.Kind][]event.Kind{
	event.SmallInt: numbers(event.Boolean),
	event.Integer:  numbers(event.Boolean),
	event.BigInt:   numbers(event.Boolean),
	event.Real:     numbers(),
	event.Double:   numbers(),
	event.Numeric:  numbers(),
	event.Boolean:  {event.SmallInt, event.Integer, event.BigInt},
	event.Text: numbers(event.Boolean, event.TimestampTZ, event.Interval, event.JSONB, event.Date, event.UUID,
		event.Bytea, event.Time),
	event.JSONB:       numbers(event.Boolean, event.Date, event.UUID),
	event.Date:        {event.TimestampTZ},
	event.TimestampTZ: {event.Date, event.Time},
	event.Time:        {event.Interval},
	event.Interval:    {event.Time},
}

// numbers is all types of numbers and some more.
func numbers(more ...event.Kind) []event.Kind {
	return append(more, event.SmallInt, event.Integer, event.BigInt, event.Real, event.Double, event.Numeric)
}

// cast converts as CAST does. Literals are converted at once where that is only a matter of reading them.
func cast(a argument, to event.Type) (plan.Expr, error) {
	from := a.typ()
	if from.Equal(to) {
		return asClock(a.expr, to), nil
	}
	if isNull(a.expr) {
		return nullLiteral(to), nil
	}
	if s, ok := literalText(a.expr); ok {
		return readLiteral(s, to, a.pos)
	}
	if !castable(from, to) {
		err := event.Errorf(event.CodeTypeMismatch, "%s cannot be converted to %s", from, to).At(a.pos)
		if from.Kind == event.BigInt && to.Kind == event.TimestampTZ {
			err = err.WithHint("to_timestamp(x) takes seconds since 1970")
		}
		return nil, err
	}
	if lit, ok := convertedNumber(a.expr, to); ok {
		return lit, nil
	}
	return &plan.Cast{Input: a.expr, To: to}, nil
}

func castable(from, to event.Type) bool {
	switch {
	case to.Kind == event.Text, (from.Kind == event.Text || from.Kind == event.JSONB) && to.Kind == event.Array:
		return true
	case from.Kind == event.Array && to.Kind == event.Array:
		return from.Elem.Equal(*to.Elem) || castable(*from.Elem, *to.Elem)
	case from.Kind == event.Array:
		return to.Kind == event.JSONB
	default:
		return slices.Contains(castTargets[from.Kind], to.Kind)
	}
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
	if rounded := roundedTime(e, to); rounded != nil {
		return x.bind(rounded)
	}
	if e.Try {
		return x.tryCast(e, to)
	}
	if list, ok := e.Input.(*ast.Array); ok && to.Kind == event.Array {
		return x.arrayAs(list, to)
	}
	a, err := x.argument(e.Input)
	if err != nil {
		return nil, err
	}
	return cast(a, to)
}

// tryCast gives NULL for what cannot be converted; types between which there is no conversion stay an error.
func (x *scalars) tryCast(e *ast.Cast, to event.Type) (plan.Expr, error) {
	a, err := x.argument(e.Input)
	if err != nil {
		return nil, err
	}
	out, err := cast(a, to)
	var fault *event.Error
	if errors.As(err, &fault) && fault.Code == event.CodeInvalidValue {
		return nullLiteral(to), nil
	}
	if c, ok := out.(*plan.Cast); ok && err == nil && c != a.expr {
		return &plan.Cast{Input: c.Input, To: c.To, Try: true}, nil
	}
	return out, err
}

// unify brings expressions to the one type that all of them can take.
func unify(args []argument, what string) (event.Type, []plan.Expr, error) {
	common, err := commonType(args, what)
	if err != nil {
		return common, nil, err
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
