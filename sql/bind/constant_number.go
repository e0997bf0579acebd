package bind

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// computed is the literal that sums and products of whole numbers and intervals come to, where they are known before the query runs. Every
// other expression, and one whose result is beyond its type, stays as it is.
func computed(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Cast:
		if literal, ok := convertedNumber(computed(x.Input), x.To); ok {
			return literal
		}
	case *plan.Call:
		args := make([]plan.Expr, len(x.Args))
		for i, a := range x.Args {
			args[i] = widened(computed(a))
		}
		if literal := computedCall(x.Fn.Name, args); literal != nil {
			return literal
		}
	}
	return e
}

func computedCall(op string, args []plan.Expr) *plan.Literal {
	if len(args) != 2 {
		return nil
	}
	a, first := bigintValue(args[0])
	b, second := bigintValue(args[1])
	if first && second {
		if v, ok := computedBigint(op, a, b); ok {
			return bigintLiteral(v)
		}
		return nil
	}
	u, left := intervalValue(args[0])
	v, right := intervalValue(args[1])
	switch {
	case op == "+" && left && right:
		return intervalSum(u, v)
	case op == "*" && left && second:
		return intervalProduct(u, b)
	case op == "*" && first && right:
		return intervalProduct(v, a)
	default:
		return nil
	}
}

// computedBigint is one operation of 64 bits; ok is false where it has no result.
func computedBigint(op string, a, b int64) (v int64, ok bool) {
	switch op {
	case "+":
		v = a + b
		return v, (v > a) == (b > 0)
	case "-":
		v = a - b
		return v, (v < a) == (b > 0)
	case "*":
		high, low := bits.Mul64(magnitude(a), magnitude(b))
		return a * b, high == 0 && low <= math.MaxInt64
	case "/":
		if b == 0 || a == math.MinInt64 {
			return 0, false
		}
		return a / b, true
	default:
		return 0, false
	}
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func intervalValue(e plan.Expr) (v arrow.MonthDayNanoInterval, ok bool) {
	literal, ok := e.(*plan.Literal)
	if !ok || literal.Typ.Kind != event.Interval || literal.Value.IsNull(0) {
		return v, false
	}
	return literal.Value.(*array.MonthDayNanoInterval).Value(0), true
}

func intervalSum(a, b arrow.MonthDayNanoInterval) *plan.Literal {
	months, days := int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days)
	nanos, ok := computedBigint("+", a.Nanoseconds, b.Nanoseconds)
	return intervalOf(months, days, nanos, ok)
}

func intervalProduct(a arrow.MonthDayNanoInterval, n int64) *plan.Literal {
	months, first := computedBigint("*", int64(a.Months), n)
	days, second := computedBigint("*", int64(a.Days), n)
	nanos, third := computedBigint("*", a.Nanoseconds, n)
	return intervalOf(months, days, nanos, first && second && third)
}

func intervalOf(months, days, nanos int64, ok bool) *plan.Literal {
	if !ok || months != int64(int32(months)) || days != int64(int32(days)) {
		return nil
	}
	return intervalLiteral(arrow.MonthDayNanoInterval{Months: int32(months), Days: int32(days), Nanoseconds: nanos})
}
