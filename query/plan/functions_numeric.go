package plan

import "github.com/tidemarkdb/tidemark/event"

// numericFunctions compute exactly. Where a result has more digits than its type, it is rounded half away from zero behind the
// point and an error before it.
func numericFunctions() []*Function {
	var out []*Function
	for _, op := range []string{"+", "-", "*", "/", "%"} {
		out = append(out, operator(op, numeric, numeric, numeric))
	}
	out = append(out, operator("-", numeric, numeric))
	for _, name := range []string{"abs", "round", "floor", "ceil", "trunc"} {
		out = append(out, scalar(name, numeric, numeric))
	}
	return append(out,
		scalar("round", numeric, numeric, bigint), scalar("trunc", numeric, numeric, bigint),
		scalar("scale", bigint, numeric), scalar("min_scale", bigint, numeric),
		scalar("to_number", AsNumeric(numeric), text, text),
	)
}

// quotientScale is how many decimal places a quotient and an average have where nothing asks for more: PostgreSQL gives about as
// many.
const quotientScale = 16

// Concrete is a function with a precision and scale in the place of every NUMERIC, for arguments of the types given; a function
// without NUMERIC is returned as it is. Arguments of other types count as the NUMERIC that holds all their values.
func Concrete(f *Function, args []event.Type) *Function {
	if !takesNumeric(f) {
		return f
	}
	out := *f
	out.signature = ""
	out.Args = make([]event.Type, len(args))
	common := commonNumeric(f, args)
	for i, t := range args {
		if out.Args[i] = parameter(f, i); out.Args[i].Kind != event.Numeric {
			continue
		}
		if out.Args[i] = common; isExact(t) {
			out.Args[i] = AsNumeric(t)
		}
	}
	if f.Result.Kind == event.Array && f.Result.Elem.Kind == event.Numeric {
		out.Result = event.ArrayOf(out.Args[0])
		return &out
	}
	if f.Result.Kind != event.Numeric {
		return &out
	}
	if result, ok := numericResult(f.Name, out.Args); ok {
		out.Result = result
		return &out
	}
	out.Result = common
	out.Args = out.Args[:len(f.Args)]
	for i := range out.Args {
		if out.Args[i].Kind == event.Numeric {
			out.Args[i] = common
		}
	}
	return &out
}

// commonNumeric is the NUMERIC that all arguments can take where f takes one; those that are NULL have no say.
func commonNumeric(f *Function, args []event.Type) event.Type {
	common := numeric
	for i, t := range args {
		switch {
		case parameter(f, i).Kind != event.Numeric || !isExact(t):
		case common.Precision == 0:
			common = AsNumeric(t)
		default:
			common = CommonNumeric(common, AsNumeric(t))
		}
	}
	return AsNumeric(common)
}

func parameter(f *Function, i int) event.Type { return f.Args[min(i, len(f.Args)-1)] }

// isExact reports whether a type has a NUMERIC that holds all its values.
func isExact(t event.Type) bool {
	return t.Kind == event.SmallInt || t.Kind == event.Integer || t.Kind == event.BigInt || (t.Kind == event.Numeric && t.Precision > 0)
}

func takesNumeric(f *Function) bool {
	for _, t := range f.Args {
		if t.Kind == event.Numeric && t.Precision == 0 {
			return true
		}
	}
	return false
}

// numericResult is the result of a function whose arguments keep types of their own; false for those that take arguments of one
// type and give that type.
func numericResult(name string, args []event.Type) (event.Type, bool) {
	a := args[0]
	if len(args) == 2 && args[1].Kind == event.Numeric {
		return operatorResult(name, a, args[1])
	}
	switch name {
	case "sum":
		return numericType(event.MaxPrecision, a.Scale), true
	case "avg":
		return numericType(event.MaxPrecision, max(a.Scale, min(quotientScale, roomBehindPoint(a, 0)))), true
	case "round":
		if len(args) == 2 {
			return numericType(a.Precision+1, a.Scale), true
		}
		return numericType(a.Precision-a.Scale+1, 0), true
	case "floor", "ceil":
		return numericType(a.Precision-a.Scale+1, 0), true
	case "trunc":
		if len(args) == 2 {
			return a, true
		}
		return numericType(max(a.Precision-a.Scale, 1), 0), true
	default:
		return event.Type{}, false
	}
}

// operatorResult is the type of a sum, product or quotient. All digits are kept where 38 suffice; else the digits before the point
// have precedence, but for as many decimal places as an operand has, and sixteen of a product: what its operands could have before the
// point is hardly ever there.
func operatorResult(symbol string, a, b event.Type) (event.Type, bool) {
	whole, scale := max(a.Precision-a.Scale, b.Precision-b.Scale), max(a.Scale, b.Scale)
	switch symbol {
	case "+", "-":
		return numericType(whole+1+scale, scale), true
	case "%":
		return numericType(whole+scale, scale), true
	case "*":
		all := a.Scale + b.Scale
		room := event.MaxPrecision - (a.Precision + b.Precision - all)
		return numericType(a.Precision+b.Precision, min(all, max(room, scale, quotientScale))), true
	case "/":
		return numericType(event.MaxPrecision, min(max(quotientScale, scale), max(roomBehindPoint(a, b.Scale), scale, 6))), true
	default:
		return event.Type{}, false
	}
}

// roomBehindPoint is how many decimal places 38 digits leave to a quotient of a and a divisor of so many places. What sums and products
// have before the point is the most that could be, not what is there, so it takes none of the places that quotients have; whole numbers
// written out or declared do have their digits.
func roomBehindPoint(a event.Type, divisorScale int32) int32 {
	room := event.MaxPrecision - (a.Precision - a.Scale + divisorScale)
	if a.Scale > 0 || a.Precision == event.MaxPrecision {
		return max(room, quotientScale)
	}
	return room
}

// wideSum is the type of sums of BIGINT: 2^63 values of 2^63 are less than 38 digits hold.
var wideSum = numericType(event.MaxPrecision, 0)

func numericType(precision, scale int32) event.Type {
	return event.Type{Kind: event.Numeric, Precision: max(1, min(precision, event.MaxPrecision)), Scale: scale}
}

// CommonNumeric is the NUMERIC that holds the values of both, as far as 38 digits reach; decimal places have precedence.
func CommonNumeric(a, b event.Type) event.Type {
	whole, scale := max(a.Precision-a.Scale, b.Precision-b.Scale), max(a.Scale, b.Scale)
	return numericType(whole+scale, scale)
}

// AsNumeric is the NUMERIC that holds all values of a type of whole numbers; a NUMERIC is itself. All else gives what NUMERIC without
// parameters is.
func AsNumeric(t event.Type) event.Type {
	switch {
	case t.Kind == event.SmallInt:
		return numericType(5, 0)
	case t.Kind == event.Integer:
		return numericType(10, 0)
	case t.Kind == event.BigInt:
		return numericType(19, 0)
	case t.Kind == event.Numeric && t.Precision > 0:
		return t
	default:
		return numericType(event.MaxPrecision, 9)
	}
}

// Same reports whether two functions are one overload with the same types, precision and scale included.
func (f *Function) Same(o *Function) bool {
	if f == o {
		return true
	}
	if f.Name != o.Name || len(f.Args) != len(o.Args) || !f.Result.Equal(o.Result) || f.Result.Clock != o.Result.Clock ||
		f.Aggregate != o.Aggregate {
		return false
	}
	for i := range f.Args {
		if !f.Args[i].Equal(o.Args[i]) {
			return false
		}
	}
	return true
}
