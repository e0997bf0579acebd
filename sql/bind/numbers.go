package bind

import (
	"encoding/hex"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// widenings says what types take others without being asked to, and how far these are: whole numbers the next wider ones, then DOUBLE
// PRECISION or, where something asks for it, NUMERIC. Steps are even numbers, so that a literal that adapts costs less than any.
var widenings = map[[2]event.Kind]int{
	{event.SmallInt, event.Integer}: 2, {event.SmallInt, event.BigInt}: 4, {event.SmallInt, event.Double}: 8,
	{event.SmallInt, event.Numeric}: 10,
	{event.Integer, event.BigInt}:   2, {event.Integer, event.Double}: 6, {event.Integer, event.Numeric}: 8,
	{event.BigInt, event.Double}: 4, {event.BigInt, event.Numeric}: 6,
	{event.Numeric, event.Double}: 8, {event.Numeric, event.Numeric}: 0,
	{event.Real, event.Double}:      2,
	{event.Date, event.TimestampTZ}: 2,
}

// implicitCost is how far an expression is from a type that it takes without being asked to; ok is false where it does not.
func implicitCost(e plan.Expr, to event.Type) (cost int, ok bool) {
	from := e.Type()
	if from.Equal(to) {
		return 0, true
	}
	const adapts, decimalToDouble = 1, 3
	if _, isLiteral := numberOf(e); isLiteral {
		switch {
		case to.Kind == event.Double && from.Kind == event.Numeric:
			return decimalToDouble, true
		case to.Kind == event.SmallInt, to.Kind == event.Integer, to.Kind == event.Real:
			_, fits := convertedNumber(e, to)
			return adapts, fits
		}
	}
	if from.Kind == event.Array && to.Kind == event.Array {
		return implicitCost(&plan.ColumnRef{Typ: *from.Elem}, *to.Elem)
	}
	cost, ok = widenings[[2]event.Kind{from.Kind, to.Kind}]
	return cost, ok
}

// mayAdapt lets a literal take a narrow type only beside an argument that has it: 1 and 2.5 by themselves are no REAL.
func mayAdapt(a argument, to event.Type, args []argument) bool {
	switch to.Kind {
	case event.SmallInt, event.Integer, event.Real:
	default:
		return true
	}
	if _, isLiteral := numberOf(a.expr); !isLiteral {
		return true
	}
	for _, other := range args {
		if other.typ().Equal(to) {
			return true
		}
	}
	return false
}

// concrete gives an overload that takes NUMERIC the precisions and scales of its arguments. Literals take them from what they are
// compared with, where that leaves their value as it is: the statistics of a column then apply to them.
func concrete(f *plan.Function, args []argument) *plan.Function {
	types := make([]event.Type, len(args))
	for i, a := range args {
		types[i] = numericOf(a)
	}
	if f.Result.Kind == event.Boolean && len(args) == 2 {
		types[0], types[1] = comparedAs(args[0], types[0], types[1]), comparedAs(args[1], types[1], types[0])
	}
	out := plan.Concrete(f, types)
	if (f.Name == "round" || f.Name == "trunc") && len(args) == 2 && out.Result.Kind == event.Numeric {
		if places, ok := bigintValue(args[1].expr); ok {
			return roundedTo(out, places)
		}
	}
	if f.Name == "/" && len(args) == 2 && out.Result.Kind == event.Numeric {
		return roomyQuotient(out, args)
	}
	return out
}

// roundedTo drops the places that rounding, or cutting off, behind a constant number of them leaves zero.
func roundedTo(f *plan.Function, places int64) *plan.Function {
	out := *f
	scale := int32(max(0, min(places, int64(f.Result.Scale))))
	out.Result.Precision -= out.Result.Scale - scale
	out.Result.Scale = scale
	out.Result.Precision = max(out.Result.Precision, 1)
	return &out
}

// roomyQuotient leaves a quotient of numbers written out, which have as many digits as their types, no more decimal places than fit behind its
// digits before the point.
func roomyQuotient(f *plan.Function, args []argument) *plan.Function {
	for _, a := range args {
		if _, ok := a.expr.(*plan.Literal); !ok {
			return f
		}
	}
	room := event.MaxPrecision - (f.Args[0].Precision - f.Args[0].Scale + f.Args[1].Scale)
	if room >= f.Result.Scale {
		return f
	}
	out := *f
	out.Result.Scale = max(room, 0)
	return &out
}

// numericOf is the type that an argument has as a NUMERIC; other arguments keep theirs.
func numericOf(a argument) event.Type {
	if d, ok := numberOf(a.expr); ok {
		return d.Type()
	}
	if s, ok := literalText(a.expr); ok && a.typ().Kind == event.Unknown {
		if d, ok := event.ParseDecimal(strings.TrimSpace(s)); ok && d.Exact {
			return d.Type()
		}
	}
	return a.typ()
}

// comparedAs is the type to compare an argument in with one of another type. Two NUMERICs are compared as they are unless one type holds
// the values of both.
func comparedAs(a argument, own, other event.Type) event.Type {
	if (own.Kind != event.Numeric && !isWhole(own)) || (other.Kind != event.Numeric && !isWhole(other)) {
		return own
	}
	own, other = plan.AsNumeric(own), plan.AsNumeric(other)
	if d, ok := numberOf(a.expr); ok {
		if _, exact, fits := d.As(other); exact && fits {
			return other
		}
	}
	if whole := max(own.Precision-own.Scale, other.Precision-other.Scale); whole+max(own.Scale, other.Scale) <= event.MaxPrecision {
		if _, isLiteral := numberOf(a.expr); !isLiteral {
			return plan.CommonNumeric(own, other)
		}
	}
	return own
}

// numberOf is the value of a literal that is a BIGINT or NUMERIC; ok is false for NULL and other expressions.
func numberOf(e plan.Expr) (d event.Decimal, ok bool) {
	lit, ok := e.(*plan.Literal)
	if !ok || lit.Value.IsNull(0) {
		return d, false
	}
	switch values := lit.Value.(type) {
	case *array.Int64:
		return event.Decimal{Value: decimal128.FromI64(values.Value(0)), Exact: true}, lit.Typ.Kind == event.BigInt
	case *array.Decimal128:
		return event.Decimal{Value: values.Value(0), Scale: lit.Typ.Scale, Exact: true}, true
	default:
		return d, false
	}
}

// negativeNumber reads a minus and a number as one literal.
func negativeNumber(e *ast.Unary) (*plan.Literal, bool) {
	n, ok := e.Input.(*ast.Number)
	if !ok || e.Op != "-" {
		return nil, false
	}
	return numberLiteral("-" + n.Text)
}

// convertedNumber converts a literal that is a BIGINT or NUMERIC at once; ok is false where the value does not fit.
func convertedNumber(e plan.Expr, to event.Type) (*plan.Literal, bool) {
	d, ok := numberOf(e)
	if !ok {
		return nil, false
	}
	written := event.FormatNumeric(d.Value, d.Scale)
	switch to.Kind {
	case event.SmallInt, event.Integer, event.BigInt:
		whole, exact, _ := event.RescaleNumeric(d.Value, d.Scale, 0)
		v := int64(whole.LowBits())
		if !exact || whole != decimal128.FromI64(v) {
			return nil, false
		}
		return wholeLiteral(v, to)
	case event.Real:
		v, _ := parseDouble(written)
		if math.IsInf(float64(float32(v)), 0) || (e.Type().Kind == event.BigInt && float64(float32(v)) != v) {
			return nil, false
		}
		return fixedLiteral([]float32{float32(v)}, to), true
	case event.Double:
		v, ok := parseDouble(written)
		return doubleLiteral(v), ok
	case event.Numeric:
		v, _, ok := d.As(to)
		return numericLiteral(v, to), ok
	case event.Text:
		return stringLiteral(written, text), true
	default:
		return nil, false
	}
}

func wholeLiteral(v int64, to event.Type) (*plan.Literal, bool) {
	switch to.Kind {
	case event.SmallInt:
		return fixedLiteral([]int16{int16(v)}, to), v == int64(int16(v))
	case event.Integer:
		return fixedLiteral([]int32{int32(v)}, to), v == int64(int32(v))
	default:
		return bigintLiteral(v), true
	}
}

func fixedLiteral[T arrow.FixedWidthType](values []T, t event.Type) *plan.Literal {
	return &plan.Literal{Value: event.NewFixed(t.Arrow(), values, nil), Typ: t}
}

// readDeclared reads quoted text as a value of the types that columns have only by declaration; without a literal the hint says how
// one is written.
func readDeclared(s string, to event.Type) (lit *plan.Literal, hint string) {
	switch trimmed := strings.TrimSpace(s); to.Kind {
	case event.SmallInt, event.Integer, event.Numeric:
		d, ok := event.ParseDecimal(trimmed)
		if !ok {
			return nil, ""
		}
		if lit, ok := convertedNumber(numericLiteral(d.Value, d.Type()), to); ok {
			return lit, ""
		}
		return nil, "it is out of range"
	case event.Real:
		if v, ok := parseAnyDouble(trimmed); ok && (math.IsInf(v, 0) || !math.IsInf(float64(float32(v)), 0)) {
			return fixedLiteral([]float32{float32(v)}, to), ""
		}
		return nil, ""
	case event.Date:
		if days, ok := event.LooseDate(s); ok {
			return fixedLiteral([]int32{days}, to), ""
		}
		if hint := beyondCalendar(s); hint != "" {
			return nil, hint
		}
		return nil, "write it as '2026-11-22'"
	case event.Time:
		if micros, ok := event.ParseTimeOfDay(s); ok {
			return fixedLiteral([]int64{micros}, to), ""
		}
		return nil, "write it as '14:12:09'"
	case event.UUID:
		if v, ok := event.ParseUUID(s); ok {
			return fixedLiteral([]decimal128.Num{event.UUIDWord(v)}, to), ""
		}
		return nil, "write it as '0e37df36-f698-11e6-8dd4-cb9ced3df976'"
	case event.Bytea:
		return readBytes(s, to)
	default:
		return nil, ""
	}
}

func readBytes(s string, to event.Type) (*plan.Literal, string) {
	value := []byte(s)
	if digits, isHex := strings.CutPrefix(s, `\x`); isHex {
		decoded, err := hex.DecodeString(digits)
		if err != nil {
			return nil, `write it as '\xff00'`
		}
		value = decoded
	}
	return &plan.Literal{Value: event.NewBinaries([]int32{0, int32(len(value))}, value, nil), Typ: to}, ""
}

func isWhole(t event.Type) bool {
	return t.Kind == event.SmallInt || t.Kind == event.Integer || t.Kind == event.BigInt
}

// commonType is the one type that all arguments can take; Unknown where none has a type. Number literals adapt to the others.
func commonType(args []argument, what string) (event.Type, error) {
	common := unknown
	for _, literals := range []bool{false, true} {
		for _, a := range args {
			if _, isLiteral := numberOf(a.expr); isLiteral != literals {
				continue
			}
			next, ok := wider(common, a)
			if !ok {
				return common, event.Errorf(event.CodeTypeMismatch, "%s has values of %s and of %s", what, common, a.typ()).At(a.pos).
					WithHint("convert one of them, as in x::TEXT")
			}
			common = next
		}
	}
	return common, nil
}

// wider is the type that holds values of a type and an argument.
func wider(common event.Type, a argument) (event.Type, bool) {
	t := a.typ()
	switch {
	case t.Kind == event.Unknown:
		return common, true
	case t.Equal(common):
		common.Clock = common.Clock && t.Clock
		return common, true
	case common.Kind == event.Unknown:
		return t, true
	case common.Kind == event.Numeric && (t.Kind == event.Numeric || isWhole(t)):
		return plan.CommonNumeric(common, plan.AsNumeric(numericOf(a))), true
	case t.Kind == event.Numeric && isWhole(common):
		return plan.CommonNumeric(plan.AsNumeric(common), t), true
	case common.IsNumeric() && t.IsNumeric():
		return widerNumber(common, a)
	}
	if _, ok := implicitCost(a.expr, common); ok {
		return common, true
	}
	if common.Kind == event.Array && t.Kind == event.Array {
		elem, ok := wider(*common.Elem, argument{&plan.ColumnRef{Typ: *t.Elem}, a.pos})
		return event.ArrayOf(elem), ok
	}
	_, ok := widenings[[2]event.Kind{common.Kind, t.Kind}]
	return t, ok
}

func widerNumber(common event.Type, a argument) (event.Type, bool) {
	if _, ok := implicitCost(a.expr, common); ok {
		return common, true
	}
	if _, ok := widenings[[2]event.Kind{common.Kind, a.typ().Kind}]; ok {
		return a.typ(), true
	}
	return double, true // REAL with anything else
}
