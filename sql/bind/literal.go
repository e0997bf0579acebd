package bind

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// The types that expressions have.
var (
	unknown     = event.Type{Kind: event.Unknown}
	boolean     = event.Type{Kind: event.Boolean}
	bigint      = event.Type{Kind: event.BigInt}
	double      = event.Type{Kind: event.Double}
	text        = event.Type{Kind: event.Text}
	timestamptz = event.Type{Kind: event.TimestampTZ}
	interval    = event.Type{Kind: event.Interval}
	jsonb       = event.Type{Kind: event.JSONB}
)

// parseDouble reads a finite decimal number.
func parseDouble(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// readLiteral reads quoted text as a value of a type.
func readLiteral(s string, to event.Type, pos event.Position) (*plan.Literal, error) {
	trimmed := strings.TrimSpace(s)
	var hint string
	switch to.Kind {
	case event.Text:
		return stringLiteral(s, text), nil
	case event.Boolean:
		if v, ok := parseBool(trimmed); ok {
			return boolLiteral(v), nil
		}
		hint = "write true or false"
	case event.BigInt:
		if v, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return bigintLiteral(v), nil
		}
	case event.Double:
		if v, ok := parseAnyDouble(trimmed); ok {
			return doubleLiteral(v), nil
		}
	case event.TimestampTZ:
		read := event.LooseTimestamp
		if to.Clock {
			read = event.WallTimestamp
		}
		v, ok := read(s)
		if ok || strings.EqualFold(trimmed, "epoch") {
			return &plan.Literal{Value: timestampLiteral(v).Value, Typ: to}, nil
		}
		if hint = beyondCalendar(trimmed); hint == "" {
			hint = "write it as '2026-11-22', '2026-11-22 14:12:09' or '2026-11-22T14:12:09Z'"
		}
	case event.Interval:
		if v, err := event.ParseInterval(s); err == nil {
			return intervalLiteral(v), nil
		}
		hint = "write it as '5 minutes', '1 day 02:00:00' or '1h30m'"
	case event.JSONB:
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(s)); err == nil {
			return stringLiteral(compact.String(), jsonb), nil
		}
		hint = `strings inside JSON take double quotes: '"text"'`
	case event.Array:
		return readList(s, to, pos)
	default:
		var lit *plan.Literal
		if lit, hint = readDeclared(s, to); lit != nil {
			return lit, nil
		}
	}
	err := event.Errorf(event.CodeInvalidValue, "%.80q is not a value of %s", s, to).At(pos)
	if hint != "" {
		err = err.WithHint("%s", hint)
	}
	return nil, err
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	default:
		return false, false
	}
}

// parseAnyDouble also reads what is not finite.
func parseAnyDouble(s string) (float64, bool) {
	switch strings.ToLower(s) {
	case "nan":
		return math.NaN(), true
	case "infinity", "inf", "+infinity", "+inf":
		return math.Inf(1), true
	case "-infinity", "-inf":
		return math.Inf(-1), true
	default:
		return parseDouble(s)
	}
}

// literalText is the text of a quoted literal that has not taken a type, or of TEXT; ok is false for NULL and other expressions.
func literalText(e plan.Expr) (s string, ok bool) {
	lit, ok := e.(*plan.Literal)
	if !ok || lit.Value.IsNull(0) || (lit.Typ.Kind != event.Unknown && lit.Typ.Kind != event.Text) {
		return "", false
	}
	return lit.Value.(*array.String).Value(0), true
}

func isNull(e plan.Expr) bool {
	lit, ok := e.(*plan.Literal)
	return ok && lit.Value.IsNull(0)
}

func (x *scalars) number(e *ast.Number) (plan.Expr, error) {
	lit, ok := numberLiteral(e.Text)
	if !ok {
		return nil, event.Errorf(event.CodeInvalidValue, "%.80s is beyond DOUBLE PRECISION", e.Text).At(e.Pos)
	}
	return lit, nil
}

func (x *scalars) typedLiteral(e *ast.TypedLiteral) (plan.Expr, error) {
	to, err := valueType(e.Type)
	if err != nil {
		return nil, err
	}
	if rounded := roundedTime(&ast.Cast{Pos: e.Value.Pos, Input: &e.Value, Type: e.Type}, to); rounded != nil {
		return x.bind(rounded)
	}
	return readLiteral(e.Value.Value, to, e.Value.Pos)
}

func (x *scalars) param(e *ast.Param) (plan.Expr, error) {
	given := x.binder.params
	p, ok := Param{}, false
	switch {
	case e.Name != "":
		p, ok = given.Named[e.Name]
	case e.Index <= len(given.Positional):
		p, ok = given.Positional[e.Index-1], true
	}
	if !ok {
		return nil, event.Errorf(event.CodeBadRequest, "parameter %s has no value", e).At(e.Pos)
	}
	if p.literal == nil {
		return nullLiteral(unknown), nil
	}
	return p.literal, nil
}

// nearestTypes names, for types that cannot be stored yet, one that can.
var nearestTypes = map[event.Kind]string{
	event.Array: "JSONB", event.Interval: "BIGINT", event.Time: "TEXT",
}

// otherTypes say, for types of PostgreSQL that are not there, what to take instead.
var otherTypes = map[string]string{
	"BIT": bitsInstead, "BIT VARYING": bitsInstead, "VARBIT": bitsInstead, "B": bitsInstead, "TIMETZ": zonesInstead, "TIME WITH TIME ZONE": zonesInstead,
	"SERIAL": "streams count nothing up; every event has its place in _offset. For numbers take INTEGER", "MONEY": "take NUMERIC(18, 2)",
	"BIGSERIAL": "streams count nothing up; every event has its place in _offset. For numbers take BIGINT", "XML": "take TEXT",
	"HUGEINT": "take NUMERIC(38, 0)", "CITEXT": "take TEXT, and compare lower(x)", "INET": "take TEXT", "CIDR": "take TEXT", "MACADDR": "take TEXT",
}

const (
	bitsInstead  = "take BIGINT, whose bits & | # ~ << >> work on, or BYTEA with get_bit and set_bit"
	zonesInstead = "take TIME for the time of day, or TIMESTAMPTZ for a moment"
)

// valueType reads the name of a type that expressions can have.
func valueType(n ast.TypeName) (event.Type, error) {
	t, err := event.ParseType(n.Text)
	if err != nil {
		base, _, _ := strings.Cut(strings.TrimRight(n.Text, "[]"), "(")
		if instead := otherTypes[base]; instead != "" {
			return t, event.Errorf(event.CodeNotSupported, "type %s: not supported yet", n.Text).At(n.Pos).WithHint("%s", instead)
		}
		unknownType := event.Errorf(event.CodeSyntax, "there is no type %s", n.Text).At(n.Pos)
		return t, suggest(unknownType, n.Text, typeNames())
	}
	inner := t
	for inner.Kind == event.Array {
		inner = *inner.Elem
	}
	for _, v := range plan.ValueTypes {
		if inner.Equal(v) || (inner.Kind == event.Numeric && v.Kind == event.Numeric) {
			return t, nil
		}
	}
	return t, typeNotSupported(n, t)
}

func typeNotSupported(n ast.TypeName, t event.Type) *event.Error {
	err := event.Errorf(event.CodeNotSupported, "type %s: not supported yet", t).At(n.Pos)
	if nearest := nearestTypes[t.Kind]; nearest != "" {
		err = err.WithHint("use %s", nearest)
	}
	return err
}

func typeNames() []string {
	names := make([]string, len(plan.ValueTypes))
	for i, t := range plan.ValueTypes {
		names[i] = t.String()
	}
	return names
}

// beyondCalendar is the hint for a time written with a year of more digits than there are.
func beyondCalendar(text string) string {
	year, _, dashed := strings.Cut(strings.TrimLeft(text, "+-"), "-")
	if len(year) < 5 || !dashed || strings.Trim(year, "0123456789") != "" {
		return ""
	}
	return "times and days are of the years 1 to 9999"
}
