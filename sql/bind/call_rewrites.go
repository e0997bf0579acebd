package bind

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// rewritten is the expression that a call is written as; nil for a call that is none of these, such as one with another number of
// arguments.
func (x *scalars) rewritten(name string, e *ast.Call) ast.Expr {
	switch name {
	case "age":
		return ageOfNow(e)
	case "date":
		return castOne(e, "DATE")
	case "to_date":
		return dateFrom(e, "to_timestamp", 2)
	case "make_date":
		return makeDate(e)
	case "make_timestamp":
		return as(callOf(e, "make_timestamptz", e.Args...), "TIMESTAMP")
	case "make_interval":
		return makeInterval(e)
	case "isfinite":
		return x.isFinite(e)
	case "div":
		return x.quotient(e)
	case "date_diff_within":
		return timesWithin(e)
	case "quote_nullable":
		return quoteNullable(e)
	case "range":
		return x.rangeArray(e)
	case "date_add":
		return shifted(e, "+")
	case "date_sub":
		return shifted(e, "-")
	case "time_bucket":
		return x.movedBucket(e)
	case "trim_scale":
		return trimmedScale(e)
	case "string_agg":
		return x.joinedBytes(e)
	case "hex":
		return x.hexOf(e)
	case "unhex", "from_hex":
		return bytesOfHex(e)
	case "substr", "substring":
		return x.firstMatch(e)
	case "count":
		return x.countRows(e)
	case "percentile_cont", "percentile_disc":
		return x.percentiles(name, e)
	case "quantile_cont", "quantile_disc":
		return quantile(name, e)
	case "pg_typeof", "typeof":
		return x.typeOf(name, e)
	case "current_database", "current_catalog":
		return constantText(e, "tidemark")
	case "current_user", "session_user", "current_role":
		return constantText(e, "tidemark")
	case "version":
		return constantText(e, "Tidemark")
	case "current_schema":
		return constantText(e, publicSchema)
	case "array_to_json", "row_to_json", "to_json", "to_jsonb":
		return x.rowToJSON(name, e)
	case "json_agg", "jsonb_agg":
		return x.rowsToJSON(e)
	default:
		return nil
	}
}

func callOf(e *ast.Call, name string, args ...ast.Expr) *ast.Call {
	return &ast.Call{Name: ast.Name{Text: name, Pos: e.Name.Pos}, Args: args}
}

func castOne(e *ast.Call, to string) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	return as(e.Args[0], to)
}

func as(e ast.Expr, to string) ast.Expr {
	return &ast.Cast{Pos: e.Position(), Input: e, Type: ast.TypeName{Text: to, Pos: e.Position()}}
}

func dateFrom(e *ast.Call, name string, arguments int) ast.Expr {
	if len(e.Args) != arguments {
		return nil
	}
	return castOne(callOf(e, "date", callOf(e, name, e.Args...)), "DATE")
}

// ageOfNow is the age at the start of today.
func ageOfNow(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	today := callOf(e, "date_trunc", &ast.String{Pos: e.Name.Pos, Value: "day"}, callOf(e, "now"))
	return callOf(e, "age", today, e.Args[0])
}

// quotient is a / b cut off towards zero, also for numbers with a point.
func (x *scalars) quotient(e *ast.Call) ast.Expr {
	if len(e.Args) != 2 {
		return nil
	}
	of := func(op string, left ast.Expr) ast.Expr {
		return &ast.Binary{Pos: e.Name.Pos, Op: op, Left: left, Right: e.Args[1]}
	}
	args, err := x.arguments(e.Args)
	if err != nil {
		return of("/", e.Args[0]) // which says so
	}
	floating := func(a argument) bool { return a.typ().Kind == event.Double || a.typ().Kind == event.Real }
	whole := func(a argument) bool { return a.typ().IsNumeric() && a.typ().Kind != event.Numeric && !floating(a) }
	switch {
	case whole(args[0]) && whole(args[1]):
		return of("/", e.Args[0])
	case slices.ContainsFunc(args, floating):
		return callOf(e, "trunc", of("/", e.Args[0]))
	default: // a quotient of NUMERIC is rounded, which one without a rest stands
		return callOf(e, "trunc", of("/", &ast.Binary{Pos: e.Name.Pos, Op: "-", Left: e.Args[0], Right: of("%", e.Args[0])}))
	}
}

// timesWithin is that two times lie no further apart than an interval.
func timesWithin(e *ast.Call) ast.Expr {
	if len(e.Args) != 3 {
		return nil
	}
	pos := e.Name.Pos
	return &ast.Between{
		Pos: pos, Input: e.Args[1], Low: &ast.Binary{Pos: pos, Op: "-", Left: e.Args[2], Right: e.Args[0]},
		High: &ast.Binary{Pos: pos, Op: "+", Left: e.Args[2], Right: e.Args[0]},
	}
}

func quoteNullable(e *ast.Call) ast.Expr {
	text := castOne(e, "TEXT")
	if text == nil {
		return nil
	}
	return callOf(e, "coalesce", callOf(e, "quote_literal", text), &ast.String{Pos: e.Name.Pos, Value: "NULL"})
}

func makeDate(e *ast.Call) ast.Expr {
	if len(e.Args) != 3 {
		return nil
	}
	zero := &ast.Number{Pos: e.Name.Pos, Text: "0"}
	return castOne(callOf(e, "date", callOf(e, "make_timestamptz", append(e.Args[:3:3], zero, zero, zero)...)), "DATE")
}

// intervalParts are the arguments of make_interval, in their order.
var intervalParts = []string{"1 year", "1 month", "1 week", "1 day", "1 hour", "1 minute", "1 second"}

// makeInterval adds up multiples of units; what is not given counts nothing.
func makeInterval(e *ast.Call) ast.Expr {
	pos := e.Name.Pos
	if len(e.Args) > len(intervalParts) {
		return nil
	}
	unit := func(text string) ast.Expr {
		return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: text}}
	}
	out := unit("0 days")
	for i, n := range e.Args {
		part := &ast.Binary{Pos: pos, Op: "*", Left: n, Right: unit(intervalParts[i])}
		out = &ast.Binary{Pos: pos, Op: "+", Left: out, Right: part}
	}
	return out
}

// between holds for values greater than one literal and less than another.
func between(e ast.Expr, low, high, typ string, pos event.Position) ast.Expr {
	side := func(op, text string) ast.Expr {
		literal := &ast.TypedLiteral{Type: ast.TypeName{Text: typ, Pos: pos}, Value: ast.String{Pos: pos, Value: text}}
		return &ast.Binary{Pos: pos, Op: op, Left: e, Right: literal}
	}
	return &ast.Binary{Pos: pos, Op: "AND", Left: side(">", low), Right: side("<", high)}
}

// isFinite of a time tells it from the infinite ones; intervals all are finite.
func (x *scalars) isFinite(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	a, err := x.argument(e.Args[0])
	if err != nil {
		return nil // the call will say so
	}
	switch a.typ().Kind {
	case event.Date, event.TimestampTZ:
		return between(e.Args[0], "-infinity", "infinity", a.typ().String(), e.Name.Pos)
	case event.Interval:
		return &ast.Binary{Pos: e.Name.Pos, Op: "=", Left: e.Args[0], Right: e.Args[0]}
	default:
		return nil
	}
}

// typeOf is the name of the type of an expression: that of PostgreSQL for pg_typeof, and the one of DESCRIBE for typeof.
func (x *scalars) typeOf(name string, e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	a, err := x.argument(e.Args[0])
	if err != nil {
		return nil // the call will say so
	}
	out := a.typ().String()
	if name == "pg_typeof" {
		inner, brackets := a.typ(), ""
		if inner.Kind == event.Array {
			brackets = "[]" // of however many dimensions
		}
		for inner.Kind == event.Array {
			inner = *inner.Elem
		}
		out = postgresTypes[inner.Kind]
		switch {
		case inner.Clock:
			out = "timestamp without time zone"
		case isShortNumber(e.Args[0], a.expr):
			out = "integer" // it is a BIGINT here, as all whole numbers that are computed with
		}
		if out == "" {
			out = strings.ToLower(event.Type{Kind: inner.Kind}.String())
		}
		out += brackets
	}
	return textLiteral(e.Name.Pos, out)
}

// isShortNumber reports whether an expression is a whole number written out that 32 bits hold.
func isShortNumber(e ast.Expr, bound plan.Expr) bool {
	if unary, ok := e.(*ast.Unary); ok {
		e = unary.Input
	}
	_, written := e.(*ast.Number)
	v, whole := bigintValue(bound)
	return written && whole && v == int64(int32(v))
}

// constantText is a call without arguments that always gives the same.
func constantText(e *ast.Call, value string) ast.Expr {
	if len(e.Args) > 0 {
		return nil
	}
	return textLiteral(e.Name.Pos, value)
}

func textLiteral(pos event.Position, value string) ast.Expr {
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "TEXT", Pos: pos}, Value: ast.String{Pos: pos, Value: value}}
}

// postgresTypes are the names of types that PostgreSQL writes otherwise.
var postgresTypes = map[event.Kind]string{
	event.TimestampTZ: "timestamp with time zone", event.Time: "time without time zone",
}

// firstMatch is substring(a, pattern): the first match of a regular expression, or its first group.
func (x *scalars) firstMatch(e *ast.Call) ast.Expr {
	if len(e.Args) != 2 {
		return nil
	}
	a, err := x.argument(e.Args[1])
	if err != nil {
		return nil
	}
	if s, quoted := literalText(a.expr); a.typ().Kind == event.Text || quoted && !looksWhole(s) {
		return callOf(e, "subscript", callOf(e, "regexp_match", e.Args...), &ast.Number{Pos: e.Name.Pos, Text: "1"})
	}
	return nil
}

func looksWhole(s string) bool {
	_, err := readLiteral(s, bigint, event.Position{})
	return err == nil
}

// quantile is what DuckDB writes for a percentile: quantile_cont(x, 0.5).
func quantile(name string, e *ast.Call) ast.Expr {
	if len(e.Args) != 2 || e.Within {
		return nil
	}
	out := *e
	out.Name.Text = strings.Replace(name, "quantile", "percentile", 1)
	out.Args, out.OrderBy, out.Within = e.Args[1:], []ast.Order{{Expr: e.Args[0]}}, true
	return &out
}

// bindRewritten binds what a call is written as, under its own name.
func (x *scalars) bindRewritten(name string, e *ast.Call) (out plan.Expr, ok bool, err error) {
	other := x.rewritten(name, e)
	if other == nil {
		return nil, false, nil
	}
	out, err = x.bind(other)
	return out, true, err
}
