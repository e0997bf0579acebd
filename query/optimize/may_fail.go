package optimize

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// neverFail are the functions that give a value, or NULL, whatever their arguments.
var neverFail = map[string]bool{
	"=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true, "is distinct from": true, "is not distinct from": true,
	"and": true, "or": true, "not": true, "is_null": true, "is_not_null": true, "coalesce": true, "nullif": true,
	"greatest": true, "least": true, "lower": true, "upper": true, "trim": true, "length": true, "starts_with": true,
	"->": true, "->>": true, "now": true,
}

// widens lists the types that hold every value of another.
var widens = map[event.Kind][]event.Kind{
	event.SmallInt: {event.Integer, event.BigInt, event.Real, event.Double},
	event.Integer:  {event.BigInt, event.Double},
	event.BigInt:   {event.Double},
	event.Real:     {event.Double},
	event.Numeric:  {event.Double},
}

// mayFail reports whether some row could make an expression fail. A condition that cannot fail may be computed for rows that an
// earlier one would have left out. What depends on no column counts as if it did not fail where it only adds to a time: such
// bounds (now() - INTERVAL '1 hour') are what keeps most of a stream from being read.
func mayFail(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.ColumnRef, *plan.Literal:
		return false
	case *plan.Call:
		if !neverFail[e.Fn.Name] && !isTimeBound(e) && !isConstantPattern(e) && !isConstantDivision(e) {
			return true
		}
	case *plan.Case:
	case *plan.Cast:
		if !e.Try && e.To.Kind != event.Text && !holdsAll(e.To, e.Input.Type()) {
			return true
		}
	default:
		return true
	}
	for _, in := range plan.Operands(e) {
		if mayFail(in) {
			return true
		}
	}
	return false
}

// holdsAll reports whether a type of numbers has every value of another, to the nearest where the places behind the point differ.
func holdsAll(t, from event.Type) bool {
	switch {
	case t.Kind != event.Numeric:
		return slices.Contains(widens[from.Kind], t.Kind)
	case from.Kind == event.Numeric || slices.Contains(widens[from.Kind], event.BigInt) || from.Kind == event.BigInt:
		from = plan.AsNumeric(from)
		rounds := int32(0)
		if from.Scale > t.Scale {
			rounds = 1 // 9.99 as a number of one place is 10.0
		}
		return t.Precision-t.Scale >= from.Precision-from.Scale+rounds
	default:
		return false
	}
}

// isConstantPattern holds for LIKE with a pattern that is written out: a bad one has been refused already.
func isConstantPattern(e *plan.Call) bool {
	if e.Fn.Name != "like" && e.Fn.Name != "ilike" {
		return false
	}
	_, ok := e.Args[1].(*plan.Literal)
	return ok
}

// isConstantDivision holds for integers divided by one that is written out and is neither 0 nor -1: x % 1000.
func isConstantDivision(e *plan.Call) bool {
	if (e.Fn.Name != "/" && e.Fn.Name != "%") || len(e.Args) != 2 {
		return false
	}
	by, ok := e.Args[1].(*plan.Literal)
	if !ok || by.Value.IsNull(0) {
		return false
	}
	switch v := by.Value.(type) {
	case *array.Int16:
		return v.Value(0) != 0 && v.Value(0) != -1
	case *array.Int32:
		return v.Value(0) != 0 && v.Value(0) != -1
	case *array.Int64:
		return v.Value(0) != 0 && v.Value(0) != -1
	default:
		return false
	}
}

func isTimeBound(e *plan.Call) bool {
	if (e.Fn.Name != "+" && e.Fn.Name != "-") || len(e.Args) != 2 {
		return false
	}
	if kind := e.Fn.Result.Kind; kind != event.TimestampTZ {
		return false
	}
	constant := true
	plan.Walk(e, func(e plan.Expr) {
		if _, ok := e.(*plan.ColumnRef); ok {
			constant = false
		}
	})
	return constant
}
