package plan

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// Function is one overload of a function, operator or aggregate. Packages kernel (scalars and aggregates) implement every
// entry of Functions under its Signature; a test there holds the two lists equal.
type Function struct {
	Name string
	// Args are the argument types. Where Variadic, the last one may come once or more.
	Args     []event.Type
	Variadic bool
	Result   event.Type
	// Aggregate functions stand in an Aggregation or a WindowCall, Window functions in a WindowCall, all others in a Call.
	Aggregate, Window bool
	// Strict functions give NULL when an argument is NULL, without being computed.
	Strict bool
	// Symbol is true for operators, which print between or before their arguments.
	Symbol bool
	// Stable functions give the same value throughout one query, but not from query to query: now().
	Stable bool
	// Volatile functions give another value each time they are computed, once for each row: random().
	Volatile bool

	signature string // of an entry of Functions, whose making costs; "" for others
}

// Volatile reports whether an expression gives another value each time it is computed.
func Volatile(e Expr) bool {
	found := false
	Walk(e, func(e Expr) {
		if c, ok := e.(*Call); ok && c.Fn.Volatile {
			found = true
		}
	})
	return found
}

// Signature identifies the overload, as in "time_bucket(INTERVAL, TIMESTAMPTZ)" or "coalesce(TEXT...)".
func (f *Function) Signature() string {
	if f.signature != "" {
		return f.signature
	}
	args := make([]string, len(f.Args))
	for i, t := range f.Args {
		if t.Kind == event.Numeric {
			t = numeric // one implementation serves all precisions and scales
		}
		args[i] = t.String()
	}
	if f.Variadic {
		args[len(args)-1] += "..."
	}
	return f.Name + "(" + strings.Join(args, ", ") + ")"
}

// The types that expressions have today, under short names for the tables below.
var (
	boolean     = event.Type{Kind: event.Boolean}
	smallint    = event.Type{Kind: event.SmallInt}
	integer     = event.Type{Kind: event.Integer}
	bigint      = event.Type{Kind: event.BigInt}
	float       = event.Type{Kind: event.Real}
	double      = event.Type{Kind: event.Double}
	numeric     = event.Type{Kind: event.Numeric} // of any precision and scale: see Concrete
	text        = event.Type{Kind: event.Text}
	bytea       = event.Type{Kind: event.Bytea}
	timestamptz = event.Type{Kind: event.TimestampTZ}
	date        = event.Type{Kind: event.Date}
	timeOfDay   = event.Type{Kind: event.Time}
	uuid        = event.Type{Kind: event.UUID}
	interval    = event.Type{Kind: event.Interval}
	jsonb       = event.Type{Kind: event.JSONB}
)

// ValueTypes are the types that stored columns and expressions can have. NUMERIC stands for all its precisions and scales.
var ValueTypes = []event.Type{
	boolean, bigint, double, text, timestamptz, interval, jsonb,
	smallint, integer, float, numeric, date, uuid, bytea, timeOfDay,
}

// Functions maps a name, in lower case, to all its overloads. It is filled before main and never changes.
var Functions = buildFunctions()

func buildFunctions() map[string][]*Function {
	all := map[string][]*Function{}
	add := func(fns ...*Function) {
		for _, f := range fns {
			f.signature = f.Signature()
			all[f.Name] = append(all[f.Name], f)
		}
	}
	add(comparisonFunctions()...)
	add(logicFunctions()...)
	add(arithmeticFunctions()...)
	add(mathFunctions()...)
	add(numericFunctions()...)
	add(dateFunctions()...)
	add(timeOfDayFunctions()...)
	add(byteaFunctions()...)
	add(randomFunctions()...)
	add(textFunctions()...)
	add(moreTextFunctions()...)
	add(regexFunctions()...)
	add(jsonFunctions()...)
	add(moreJSONFunctions()...)
	add(timeFunctions()...)
	add(calendarFunctions()...)
	add(conditionalFunctions()...)
	add(aggregateFunctions()...)
	add(windowFunctions()...)
	add(statisticFunctions()...)
	add(choiceFunctions()...)
	add(combiningFunctions()...)
	add(sketchFunctions()...)
	add(counterFunctions()...)
	add(arrayAggregates()...)
	return all
}

func operator(name string, result event.Type, args ...event.Type) *Function {
	return &Function{Name: name, Args: args, Result: result, Strict: true, Symbol: true}
}

func scalar(name string, result event.Type, args ...event.Type) *Function {
	return &Function{Name: name, Args: args, Result: result, Strict: true}
}

// comparisonFunctions compare values of one type, and JSONB with scalars by the value it holds: a JSON string with TEXT,
// a JSON number with BIGINT and DOUBLE, a JSON boolean with BOOLEAN; other JSON kinds are unequal to all of them, and
// ordered comparisons with them are NULL.
func comparisonFunctions() []*Function {
	var out []*Function
	for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
		for _, t := range ValueTypes {
			out = append(out, operator(op, boolean, t, t))
		}
		for _, t := range []event.Type{text, bigint, double, boolean} {
			out = append(out, operator(op, boolean, jsonb, t), operator(op, boolean, t, jsonb))
		}
	}
	for _, op := range []string{"is distinct from", "is not distinct from"} {
		for _, t := range ValueTypes {
			f := operator(op, boolean, t, t)
			f.Strict = false
			out = append(out, f)
		}
	}
	return out
}

// logicFunctions follow three-valued logic: false AND NULL is false, true OR NULL is true.
func logicFunctions() []*Function {
	and, or := operator("and", boolean, boolean, boolean), operator("or", boolean, boolean, boolean)
	and.Strict, or.Strict = false, false
	out := []*Function{and, or, operator("not", boolean, boolean)}
	for _, name := range []string{"is_null", "is_not_null"} {
		for _, t := range ValueTypes {
			f := scalar(name, boolean, t)
			f.Strict = false
			out = append(out, f)
		}
	}
	return out
}

// arithmeticFunctions: overflow and division by zero are errors; BIGINT division truncates; % takes the dividend's sign.
func arithmeticFunctions() []*Function {
	var out []*Function
	for _, t := range []event.Type{bigint, double} {
		for _, op := range []string{"+", "-", "*", "/", "%"} {
			out = append(out, operator(op, t, t, t))
		}
		out = append(out, operator("-", t, t), scalar("abs", t, t))
	}
	return append(out,
		scalar("round", bigint, bigint, bigint), scalar("trunc", bigint, bigint, bigint), // places of integers lie left of the point
		scalar("round", double, double), scalar("round", double, double, bigint),
		scalar("floor", double, double), scalar("ceil", double, double), scalar("sqrt", double, double))
}

func textFunctions() []*Function {
	return []*Function{
		operator("||", text, text, text),
		operator("like", boolean, text, text), operator("ilike", boolean, text, text),
		operator("~", boolean, text, text), // RE2
		scalar("lower", text, text), scalar("upper", text, text), scalar("trim", text, text),
		scalar("length", bigint, text), // in characters
		scalar("substr", text, text, bigint), scalar("substr", text, text, bigint, bigint),
		scalar("replace", text, text, text, text),
		scalar("starts_with", boolean, text, text),
		scalar("split_part", text, text, text, bigint),
	}
}

// jsonFunctions: -> and ->> give NULL for a missing member, and ->> for JSON null too.
func jsonFunctions() []*Function {
	return []*Function{
		operator("->", jsonb, jsonb, text), operator("->", jsonb, jsonb, bigint),
		operator("->>", text, jsonb, text), operator("->>", text, jsonb, bigint),
	}
}

// timeFunctions: time_bucket floors to multiples of the interval from 2000-01-03 (a Monday) or from the origin given; for
// an interval in months, from 2000-01-01. An interval that mixes months with smaller units, or is not positive, is an error.
func timeFunctions() []*Function {
	now := scalar("now", timestamptz)
	now.Stable = true
	return []*Function{
		now,
		operator("+", timestamptz, timestamptz, interval), operator("+", timestamptz, interval, timestamptz),
		operator("-", timestamptz, timestamptz, interval), operator("-", interval, timestamptz, timestamptz),
		operator("+", interval, interval, interval), operator("-", interval, interval, interval),
		operator("*", interval, interval, bigint), operator("-", interval, interval),
		scalar("time_bucket", timestamptz, interval, timestamptz),
		scalar("time_bucket", timestamptz, interval, timestamptz, timestamptz),
		scalar("date_trunc", timestamptz, text, timestamptz),
		scalar("extract", double, text, timestamptz), // the field first: EXTRACT(hour FROM ts)
		scalar("to_timestamp", timestamptz, double),  // seconds since 1970
	}
}

func conditionalFunctions() []*Function {
	var out []*Function
	for _, t := range ValueTypes {
		for _, name := range []string{"coalesce", "greatest", "least"} {
			if t.Kind == event.JSONB && name != "coalesce" {
				continue
			}
			out = append(out, &Function{Name: name, Args: []event.Type{t}, Variadic: true, Result: t})
		}
		out = append(out, &Function{Name: "nullif", Args: []event.Type{t, t}, Result: t})
	}
	return out
}

// aggregateFunctions ignore NULLs, except count(*). Over no values count is 0 and the rest are NULL. Sums of BIGINT are
// NUMERIC, which no number of rows can exceed; DOUBLE sums are compensated.
func aggregateFunctions() []*Function {
	agg := func(name string, result event.Type, args ...event.Type) *Function {
		return &Function{Name: name, Args: args, Result: result, Aggregate: true}
	}
	out := []*Function{
		agg("count", bigint),
		agg("sum", wideSum, bigint), agg("sum", double, double),
		agg("avg", double, bigint), agg("avg", double, double),
		agg("sum", numeric, numeric), agg("avg", numeric, numeric),
		agg("sum", interval, interval), agg("avg", interval, interval),
	}
	for _, t := range ValueTypes {
		out = append(out, agg("count", bigint, t))
		if t.Kind != event.JSONB {
			out = append(out, agg("min", t, t), agg("max", t, t))
		}
	}
	return out
}
