package kernel

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// Compare orders value i of a and value j of b, both of type t and not NULL: below 0, 0 or above 0. It is the total order of
// ORDER BY and of the comparison operators: NaN is equal to itself and above all numbers, text, BYTEA and UUID go by bytes, intervals by
// length with months of 30 days, JSONB by kind and then value. Loops should use Comparer instead.
func Compare(a arrow.Array, i int, b arrow.Array, j int, t event.Type) int {
	return Comparer(a, b, t)(i, j)
}

// Comparer is Compare with the types looked at once.
func Comparer(a, b arrow.Array, t event.Type) func(i, j int) int {
	return ordering(Operand{Array: a}, Operand{Array: b}, t)
}

// ordering compares row i of a with row j of b. A constant's row is always the same.
func ordering(a, b Operand, t event.Type) func(i, j int) int {
	switch t.Kind {
	case event.Boolean:
		x, y := a.Array.(*array.Boolean), b.Array.(*array.Boolean)
		xm, ym := a.mask(), b.mask()
		return func(i, j int) int { return compareBooleans(x.Value(i&xm), y.Value(j&ym)) }
	case event.BigInt, event.TimestampTZ, event.Time:
		x, y := fixed[int64](a), fixed[int64](b)
		return func(i, j int) int { return cmp.Compare(x.at(i), y.at(j)) }
	case event.Double:
		x, y := fixed[float64](a), fixed[float64](b)
		return func(i, j int) int { return compareDoubles(x.at(i), y.at(j)) }
	case event.SmallInt:
		x, y := fixed[int16](a), fixed[int16](b)
		return func(i, j int) int { return cmp.Compare(x.at(i), y.at(j)) }
	case event.Integer, event.Date:
		x, y := fixed[int32](a), fixed[int32](b)
		return func(i, j int) int { return cmp.Compare(x.at(i), y.at(j)) }
	case event.Real:
		x, y := fixed[float32](a), fixed[float32](b)
		return func(i, j int) int { return compareDoubles(float64(x.at(i)), float64(y.at(j))) }
	case event.Numeric:
		return numericOrdering(a, b)
	case event.UUID:
		x, y := fixed[decimal128.Num](a), fixed[decimal128.Num](b)
		return func(i, j int) int { return event.CompareUUIDs(x.at(i), y.at(j)) }
	case event.Interval:
		x, y := fixed[arrow.MonthDayNanoInterval](a), fixed[arrow.MonthDayNanoInterval](b)
		return func(i, j int) int { return compareIntervals(x.at(i), y.at(j)) }
	case event.Text, event.Bytea:
		x, y := textsOf(a), textsOf(b)
		return func(i, j int) int { return strings.Compare(x.at(i), y.at(j)) }
	case event.JSONB:
		x, y := textsOf(a), textsOf(b)
		return func(i, j int) int { return compareJSON(x.at(i), y.at(j)) }
	case event.Array:
		return arrayOrdering(a, b, *t.Elem)
	default:
		panic(fmt.Sprintf("kernel: values of type %s have no order", t))
	}
}

func compareBooleans(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// compareDoubles puts NaN last, unlike cmp.Compare, which puts it first.
func compareDoubles(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	default:
		return compareBooleans(a != a, b != b)
	}
}

// compareIntervals goes by length. Days and the rest are kept apart, since months in nanoseconds exceed 64 bits.
func compareIntervals(a, b arrow.MonthDayNanoInterval) int {
	aDays, aRest := intervalLength(a)
	bDays, bRest := intervalLength(b)
	if c := cmp.Compare(aDays, bDays); c != 0 {
		return c
	}
	return cmp.Compare(aRest, bRest)
}

// intervalLength is an interval as whole days and the nanoseconds beyond them, from 0 to a day.
func intervalLength(v arrow.MonthDayNanoInterval) (days, nanos int64) {
	days, nanos = floorDivide(v.Nanoseconds, nanosPerDay)
	return days + int64(v.Months)*daysPerMonth + int64(v.Days), nanos
}
