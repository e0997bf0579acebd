package parser

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// intervalUnits are the words that can follow the literal of an interval: INTERVAL '5' DAY.
var intervalUnits = wordSet(`YEAR YEARS MONTH MONTHS WEEK WEEKS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS
	MILLISECOND MILLISECONDS MICROSECOND MICROSECONDS`)

// intervalFields are the fields that an interval is said to have behind its type, as in INTERVAL '1 2' DAY TO HOUR. Both are empty where none
// are given, and the last is where there is one alone.
type intervalFields struct{ first, last string }

// takeFields takes the fields of an interval if they come next, with the number of digits that may stand behind SECOND.
func takeFields(lex *cursor) intervalFields {
	var out intervalFields
	t := lex.peek()
	if t.Type != tokenIdent || !intervalUnits[upper(t.Value)] {
		return out
	}
	out.first = upper(lex.next().Value)
	start := lex.mark()
	if accept(lex, "TO") && lex.peek().Type == tokenIdent && intervalUnits[upper(lex.peek().Value)] {
		out.last = upper(lex.next().Value)
	} else {
		lex.reset(start)
	}
	if out.end() == "SECOND" {
		start = lex.mark()
		if _, err := typeSizes(lex); err != nil {
			lex.reset(start)
		}
	}
	return out
}

// end is the smallest of the fields.
func (f intervalFields) end() string {
	if f.last != "" {
		return f.last
	}
	return f.first
}

// text is what a literal says when its fields are known: a number counts the last of them, and seconds without any.
func (f intervalFields) text(literal string) string {
	text := strings.TrimSpace(literal)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		unit := f.end()
		if unit == "" {
			unit = "SECONDS"
		}
		return text + " " + strings.ToLower(unit)
	}
	switch {
	case f.last == "SECOND" && f.first == "MINUTE" && strings.Count(text, ":") == 1: // a clock without hours
		return "0:" + text
	case f.last == "HOUR" && f.first == "DAY" && !strings.Contains(text, ":") && strings.Count(text, " ") == 1:
		return text + ":00"
	default:
		return literal
	}
}

// smallest is the unit to which date_trunc brings an interval of these fields; empty where it is left as it is.
func (f intervalFields) smallest() string {
	switch f.end() {
	case "YEAR", "MONTH", "DAY", "HOUR", "MINUTE":
		return strings.ToLower(f.end())
	default:
		return ""
	}
}

// cut leaves of a literal what its fields hold, as PostgreSQL does: INTERVAL '90' MINUTE is all of it, INTERVAL '1.5' DAY a day.
func (f intervalFields) cut(literal string) string {
	v, err := event.ParseInterval(literal)
	if err != nil {
		return literal // whoever reads it says what is wrong
	}
	whole := v
	switch f.smallest() {
	case "year":
		whole.Months, whole.Days, whole.Nanoseconds = v.Months/12*12, 0, 0
	case "month":
		whole.Days, whole.Nanoseconds = 0, 0
	case "day":
		whole.Nanoseconds = 0
	case "hour":
		whole.Nanoseconds -= v.Nanoseconds % int64(time.Hour)
	case "minute":
		whole.Nanoseconds -= v.Nanoseconds % int64(time.Minute)
	}
	if whole == v {
		return literal
	}
	return event.FormatInterval(whole)
}

// intervalColumn passes over the fields behind the type of a column of intervals. Those that end with seconds leave every interval as it is.
func intervalColumn(lex *cursor, t ast.TypeName) error {
	at := lex.peek()
	if t.Text != "INTERVAL" {
		return nil
	}
	if fields := takeFields(lex); fields.first != "" && fields.end() != "SECOND" {
		return notSupported(at, "a column of intervals that ends with "+fields.end(), "columns of INTERVAL keep all fields; date_trunc leaves out small ones")
	}
	return nil
}

// castTo reads the type of a cast, with the fields behind that of an interval.
func (c *climber) castTo(pos event.Position, x ast.Expr, try bool) (ast.Expr, error) {
	to, err := readType(c.lex)
	if err != nil {
		return nil, err
	}
	out := &ast.Cast{Pos: pos, Input: x, Type: to, Try: try}
	if to.Text != "INTERVAL" {
		return out, nil
	}
	fields := takeFields(c.lex)
	if literal, ok := x.(*ast.String); ok && fields.first != "" && !try {
		value := ast.String{Pos: literal.Pos, Value: fields.cut(fields.text(literal.Value))}
		return &ast.TypedLiteral{Type: to, Value: value}, nil
	}
	unit := fields.smallest()
	if unit == "" {
		return out, nil
	}
	return &ast.Call{Name: ast.Name{Text: "date_trunc", Pos: pos}, Args: []ast.Expr{&ast.String{Pos: pos, Value: unit}, out}}, nil
}

// multiple reads INTERVAL 5 MINUTE and INTERVAL (n) DAY, as MySQL, ClickHouse and DuckDB write what is INTERVAL '5 minutes' and
// n * INTERVAL '1 day' here; nil if something else comes next.
func (c *climber) multiple(t token) ast.Expr {
	start := c.lex.mark()
	c.lex.next()
	var n ast.Expr
	first := c.lex.peek()
	switch {
	case first.Type == tokenNumber:
		c.lex.next()
		n = &ast.Number{Pos: position(first.Pos), Text: first.Value}
	case is(first, "(") && !beginsQuery(c.lex):
		c.lex.next()
		x, err := c.expr(powerOr)
		if err != nil || !accept(c.lex, ")") {
			c.lex.reset(start)
			return nil
		}
		n = x
	}
	unit := c.lex.peek()
	if n == nil || unit.Type != tokenIdent || !countedUnits[upper(unit.Value)] {
		c.lex.reset(start)
		return nil
	}
	c.lex.next()
	pos := position(t.Pos)
	if first.Type == tokenNumber && !strings.HasPrefix(upper(unit.Value), "QUARTER") {
		value := ast.String{Pos: position(first.Pos), Value: first.Value + " " + strings.ToLower(unit.Value)}
		return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: value}
	}
	one := &ast.TypedLiteral{
		Type:  ast.TypeName{Text: "INTERVAL", Pos: pos},
		Value: ast.String{Pos: position(unit.Pos), Value: unitText(unit.Value)},
	}
	return &ast.Binary{Pos: pos, Op: "*", Left: n, Right: one}
}

// countedUnits are the units that can follow a number behind INTERVAL.
var countedUnits = wordSet(`YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS
	MILLISECOND MILLISECONDS MICROSECOND MICROSECONDS`)

func unitText(unit string) string {
	if strings.HasPrefix(upper(unit), "QUARTER") {
		return "3 months"
	}
	return "1 " + strings.ToLower(unit)
}
