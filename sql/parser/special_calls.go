package parser

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// specialArguments is the method that reads the arguments of a call that has words instead of commas, up to the closing parenthesis,
// or nil. It makes of them the plain call that means the same.
func (c *climber) specialArguments(t token) func(call *ast.Call) error {
	if t.Type != tokenIdent || is(c.lex.peek(), ")") {
		return nil
	}
	switch upper(t.Value) {
	case "TRIM":
		return c.trimArguments
	case "SUBSTRING":
		return c.substringArguments
	case "POSITION":
		return c.positionArguments
	case "OVERLAY":
		return c.overlayArguments
	case "MAKE_INTERVAL":
		return c.intervalArguments
	case "FLOOR":
		return c.floorArguments
	case "CEIL", "CEILING":
		return c.ceilArguments
	default:
		return nil
	}
}

// timeWords are the names that are calls without parentheses.
var timeWords = wordSet(`CURRENT_TIMESTAMP LOCALTIMESTAMP CURRENT_DATE CURRENT_TIME LOCALTIME CURRENT_CATALOG CURRENT_SCHEMA
	CURRENT_USER SESSION_USER CURRENT_ROLE`)

// timeWord is the call that a word stands for.
func timeWord(t token) ast.Expr {
	now := &ast.Call{Name: ast.Name{Text: "now", Pos: position(t.Pos)}}
	var part string
	switch {
	case is(t, "CURRENT_DATE"):
		part = "DATE"
	case is(t, "CURRENT_TIME"), is(t, "LOCALTIME"):
		part = "TIME"
	case !strings.Contains(upper(t.Value), "TIME"):
		return &ast.Call{Name: ast.Name{Text: strings.ToLower(t.Value), Pos: position(t.Pos)}}
	case is(t, "LOCALTIMESTAMP"):
		part = "TIMESTAMP"
	default:
		return now
	}
	return &ast.Cast{Pos: now.Name.Pos, Input: now, Type: ast.TypeName{Text: part, Pos: now.Name.Pos}}
}

// callOfKeyword reads a call of a function whose name is a reserved word.
func (c *climber) callOfKeyword(t token) (ast.Expr, error) {
	c.lex.next()
	if err := expect(c.lex, "("); err != nil {
		return nil, err
	}
	t.Value = strings.ToLower(t.Value)
	return c.call(t)
}

// trimArguments reads [LEADING|TRAILING|BOTH] [characters] [FROM] x, or plain arguments.
func (c *climber) trimArguments(call *ast.Call) error {
	side := c.lex.peek()
	if side.Type == tokenIdent && (is(side, "LEADING") || is(side, "TRAILING") || is(side, "BOTH")) {
		start := c.lex.mark()
		c.lex.next()
		if next := c.lex.peek(); next.Type == tokenSymbol && !is(next, "(") {
			c.lex.reset(start) // a column of that name
		} else if name := map[string]string{"LEADING": "ltrim", "TRAILING": "rtrim"}[upper(side.Value)]; name != "" {
			call.Name.Text = name
		}
	}
	if accept(c.lex, "FROM") {
		list, err := c.list()
		call.Args = list
		return err
	}
	first, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	if accept(c.lex, "FROM") {
		x, err := c.expr(powerOr)
		call.Args = []ast.Expr{x, first}
		return joinErrors(err, c.lex)
	}
	return c.restOfList(call, first)
}

// substringArguments reads x [FROM start] [FOR count], in either order, or plain arguments.
func (c *climber) substringArguments(call *ast.Call) error {
	x, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	next := c.lex.peek()
	if !is(next, "FROM") && !is(next, "FOR") {
		return c.restOfList(call, x)
	}
	var start, count ast.Expr = &ast.Number{Pos: position(next.Pos), Text: "1"}, nil
	for from := false; err == nil; {
		switch {
		case !from && accept(c.lex, "FROM"):
			from = true
			start, err = c.expr(powerOr)
		case count == nil && accept(c.lex, "FOR"):
			count, err = c.expr(powerOr)
		default:
			if call.Args = []ast.Expr{x, start}; count != nil {
				call.Args = append(call.Args, count)
			}
			return expect(c.lex, ")")
		}
	}
	return err
}

// positionArguments reads wanted IN x.
func (c *climber) positionArguments(call *ast.Call) error {
	wanted, err := c.expr(powerRange + 1)
	if err != nil {
		return err
	}
	if next := c.lex.peek(); is(next, ",") {
		return event.Errorf(event.CodeSyntax, "position takes IN between its operands").At(position(next.Pos)).
			WithHint("as in position('b' IN 'abc'); strpos takes a comma, and the text to look for behind it")
	}
	if err := expect(c.lex, "IN"); err != nil {
		return err
	}
	x, err := c.expr(powerOr)
	call.Name.Text, call.Args = "strpos", []ast.Expr{x, wanted}
	return joinErrors(err, c.lex)
}

// overlayArguments reads x PLACING y FROM start [FOR count], or plain arguments.
func (c *climber) overlayArguments(call *ast.Call) error {
	x, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	if !accept(c.lex, "PLACING") {
		return c.restOfList(call, x)
	}
	replacement, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	if err := expect(c.lex, "FROM"); err != nil {
		return err
	}
	start, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	call.Args = []ast.Expr{x, replacement, start}
	return c.forArgument(call)
}

// forArgument reads [FOR count] and the closing parenthesis.
func (c *climber) forArgument(call *ast.Call) error {
	if accept(c.lex, "FOR") {
		count, err := c.expr(powerOr)
		if err != nil {
			return err
		}
		call.Args = append(call.Args, count)
	}
	return expect(c.lex, ")")
}

// restOfList reads what follows the first of plain arguments.
func (c *climber) restOfList(call *ast.Call, first ast.Expr) error {
	call.Args = []ast.Expr{first}
	if !accept(c.lex, ",") {
		return expect(c.lex, ")")
	}
	rest, err := c.list()
	call.Args = append(call.Args, rest...)
	return err
}

// joinErrors goes on to the closing parenthesis unless something is wrong already.
func joinErrors(err error, lex *cursor) error {
	if err != nil {
		return err
	}
	return expect(lex, ")")
}

// intervalArguments reads the arguments of make_interval, which may be named: days => 10. Those that are left out are 0.
func (c *climber) intervalArguments(call *ast.Call) error {
	names := []string{"YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINS", "SECS"}
	for {
		at := len(call.Args)
		start := c.lex.mark()
		if word := c.lex.next(); word.Type == tokenIdent && accept(c.lex, "=>") {
			if at = slices.Index(names, upper(word.Value)); at < 0 {
				return event.Errorf(event.CodeSyntax, "make_interval has no argument %q", word.Value).At(position(word.Pos)).
					WithHint("its arguments are years, months, weeks, days, hours, mins and secs")
			}
		} else {
			c.lex.reset(start)
		}
		x, err := c.expr(powerOr)
		if err != nil {
			return err
		}
		for len(call.Args) <= at {
			call.Args = append(call.Args, &ast.Number{Pos: x.Position(), Text: "0"})
		}
		call.Args[at] = x
		if !accept(c.lex, ",") {
			return expect(c.lex, ")")
		}
	}
}

// toUnit reads x TO unit, up to the bracket behind it. Where no TO follows it reads plain arguments, and unit is nil.
func (c *climber) toUnit(call *ast.Call) (x ast.Expr, unit *ast.String, err error) {
	if x, err = c.expr(powerOr); err != nil {
		return nil, nil, err
	}
	if !accept(c.lex, "TO") {
		return nil, nil, c.restOfList(call, x)
	}
	unit, err = c.unitOfTime()
	return x, unit, err
}

// floorArguments reads FLOOR(x TO unit), which is date_trunc('unit', x), and else plain arguments.
func (c *climber) floorArguments(call *ast.Call) error {
	x, unit, err := c.toUnit(call)
	if err != nil || unit == nil {
		return err
	}
	call.Name.Text, call.Args = "date_trunc", []ast.Expr{unit, x}
	return expect(c.lex, ")")
}

// ceilArguments reads x [TO unit]. The first of a unit that is not before x is the one behind that of the moment before x.
func (c *climber) ceilArguments(call *ast.Call) error {
	x, unit, err := c.toUnit(call)
	if err != nil || unit == nil {
		return err
	}
	one := "1 " + unit.Value
	if unit.Value == "quarter" {
		one = "3 months"
	}
	interval := func(text string) ast.Expr {
		return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: unit.Pos}, Value: ast.String{Pos: unit.Pos, Value: text}}
	}
	before := &ast.Binary{Pos: unit.Pos, Op: "-", Left: x, Right: interval("1 microsecond")}
	truncated := &ast.Call{Name: ast.Name{Text: "date_trunc", Pos: call.Name.Pos}, Args: []ast.Expr{unit, before}}
	call.Name.Text, call.Args = "date_add", []ast.Expr{truncated, interval(one)}
	return expect(c.lex, ")")
}

func (c *climber) unitOfTime() (*ast.String, error) {
	unit := c.lex.next()
	if unit.Type != tokenIdent {
		return nil, &unexpected{token: unit, expected: "a unit of time after TO"}
	}
	return &ast.String{Pos: position(unit.Pos), Value: strings.ToLower(unit.Value)}, nil
}
