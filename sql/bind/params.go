package bind

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Params are the values of a statement's parameters: Positional[0] is $1, Named["x"] is :x.
type Params struct {
	Positional []Param
	Named      map[string]Param
}

// Param is the value of one parameter. The zero value is NULL.
type Param struct{ literal *plan.Literal }

// Null is NULL, of whatever type its place asks for.
func Null() Param { return Param{} }

// Bool is a BOOLEAN.
func Bool(v bool) Param { return Param{boolLiteral(v)} }

// Number is a number as JSON or SQL writes it, of the type that it would have as a literal. ok is false for text that is not a finite
// number.
func Number(text string) (p Param, ok bool) {
	lit, ok := numberLiteral(text)
	return Param{lit}, ok
}

// String is text that, like a quoted literal, takes the type its place asks for: a string can stand for a TIMESTAMPTZ.
func String(s string) Param { return Param{stringLiteral(s, unknown)} }

// Timestamp is a TIMESTAMPTZ in microseconds since 1970.
func Timestamp(micros int64) Param { return Param{timestampLiteral(micros)} }

// Interval is an INTERVAL.
func Interval(v arrow.MonthDayNanoInterval) Param { return Param{intervalLiteral(v)} }

func boolLiteral(v bool) *plan.Literal {
	bits := event.NewBitmap(1)
	if v {
		bits.Set(0)
	}
	return &plan.Literal{Value: event.NewBooleans(bits, 1, nil), Typ: boolean}
}

func bigintLiteral(v int64) *plan.Literal {
	return &plan.Literal{Value: event.NewInt64s([]int64{v}, nil), Typ: bigint}
}

func doubleLiteral(v float64) *plan.Literal {
	return &plan.Literal{Value: event.NewFloat64s([]float64{v}, nil), Typ: double}
}

func timestampLiteral(micros int64) *plan.Literal {
	return &plan.Literal{Value: event.NewTimestamps([]int64{micros}, nil), Typ: timestamptz}
}

func intervalLiteral(v arrow.MonthDayNanoInterval) *plan.Literal {
	values := []arrow.MonthDayNanoInterval{v}
	return &plan.Literal{Value: event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, values, nil), Typ: interval}
}

// stringLiteral is a literal of one of the types held as text: TEXT, JSONB, and Unknown before it has taken a type.
func stringLiteral(s string, t event.Type) *plan.Literal {
	return &plan.Literal{Value: event.NewStrings([]int32{0, int32(len(s))}, []byte(s), nil), Typ: t}
}

// nullLiteral is NULL. Without a type it is held as text, like other literals without one: arrays of Arrow's own null type do not
// count their values as null.
func nullLiteral(t event.Type) *plan.Literal {
	stored := t
	if t.Kind == event.Unknown {
		stored = text
	}
	return &plan.Literal{Value: event.NewNulls(stored, 1), Typ: t}
}

// numberLiteral reads a number as it is written: an integer that fits is a BIGINT, other numbers of up to 38 digits are NUMERIC and
// so exact, and those with an exponent or more digits are DOUBLE PRECISION.
func numberLiteral(text string) (*plan.Literal, bool) {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return bigintLiteral(v), true
	}
	if d, ok := event.ParseDecimal(text); ok && d.Exact && !strings.ContainsAny(text, "eE") && d.Type().Precision <= event.MaxPrecision {
		return numericLiteral(d.Value, d.Type()), true
	}
	v, ok := parseDouble(text)
	if !ok {
		return nil, false
	}
	return doubleLiteral(v), true
}

// numericLiteral is a NUMERIC of an unscaled value.
func numericLiteral(unscaled decimal128.Num, t event.Type) *plan.Literal {
	return &plan.Literal{Value: event.NewFixed(t.Arrow(), []decimal128.Num{unscaled}, nil), Typ: t}
}
