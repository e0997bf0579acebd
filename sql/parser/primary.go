package parser

import (
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// primary reads an operand: a literal, a name, a call, a keyword's form or an expression in parentheses. t is the next token.
func (c *climber) primary(t token) (ast.Expr, error) {
	switch t.Type {
	case tokenNumber:
		c.lex.next()
		return &ast.Number{Pos: position(t.Pos), Text: t.Value}, nil
	case tokenDuration:
		c.lex.next()
		return duration(t), nil
	case tokenString:
		c.lex.next()
		return c.literal(t)
	case tokenParam:
		c.lex.next()
		return param(t), nil
	case tokenIdent, tokenQuoted:
		return c.named(t)
	case tokenKeyword:
		return c.keyword(t)
	default: // a symbol or the end
	}
	switch {
	case accept(c.lex, "*"):
		return c.star(position(t.Pos), nil)
	case accept(c.lex, "("):
		return c.parenthesized(position(t.Pos))
	case accept(c.lex, "["): // DuckDB and ClickHouse need no word before an array
		return c.elements(position(t.Pos))
	}
	return nil, &unexpected{token: t, expected: "an expression"}
}

// literal is the string that has been taken, with those that go on with it on the lines below.
func (c *climber) literal(t token) (ast.Expr, error) {
	s, err := stringOf(t)
	if err != nil {
		return nil, err
	}
	return s, c.continued(s, t)
}

// continued adds the strings that stand below a string with nothing but a line's end between them, as the SQL standard has it.
func (c *climber) continued(s *ast.String, last token) error {
	for next := c.lex.peek(); continues(last, next); next = c.lex.peek() {
		last = c.lex.next()
		more, err := stringOf(last)
		if err != nil {
			return err
		}
		s.Value += more.Value
	}
	return nil
}

// continues reports whether next stands on a line below the end of a string.
func continues(t, next token) bool {
	return next.Type == tokenString && next.Value[0] == '\'' && t.Value[0] != '$' && int(next.Pos.Line) > int(t.Pos.Line)+strings.Count(t.Value, "\n")
}

func param(t token) ast.Expr {
	if t.Value[0] == ':' {
		return &ast.Param{Pos: position(t.Pos), Name: t.Value[1:]}
	}
	index, _ := strconv.Atoi(t.Value[1:]) // the scanner has seen that it is a small number
	return &ast.Param{Pos: position(t.Pos), Index: index}
}

func (c *climber) parenthesized(pos event.Position) (ast.Expr, error) {
	if queryAhead(c.lex) {
		query, err := c.query()
		return &ast.Query{Pos: pos, Query: query}, err
	}
	x, err := c.expr(powerOr)
	if err != nil {
		return nil, err
	}
	if accept(c.lex, ",") {
		rest, err := c.list()
		return &ast.Row{Pos: pos, Items: append([]ast.Expr{x}, rest...)}, err
	}
	if err := expect(c.lex, ")"); err != nil {
		return nil, err
	}
	if column, ok := x.(*ast.Column); ok && is(c.lex.peek(), ".") { // (t).a is t.a
		return c.members(column)
	}
	return x, nil
}

// keyword reads the forms that begin with a reserved word.
func (c *climber) keyword(t token) (ast.Expr, error) {
	pos := position(t.Pos)
	switch {
	case accept(c.lex, "NULL"):
		return &ast.Null{Pos: pos}, nil
	case accept(c.lex, "TRUE"):
		return &ast.Bool{Pos: pos, Value: true}, nil
	case accept(c.lex, "FALSE"):
		return &ast.Bool{Pos: pos}, nil
	case accept(c.lex, "CASE"):
		return c.caseOf(t)
	case accept(c.lex, "CAST"):
		return c.castOf(t, false)
	case is(t, "LEFT"), is(t, "RIGHT"):
		return c.callOfKeyword(t)
	}
	return nil, &unexpected{token: t, expected: "an expression"}
}

func (c *climber) caseOf(t token) (ast.Expr, error) {
	out := &ast.Case{Pos: position(t.Pos)}
	var err error
	if !is(c.lex.peek(), "WHEN") {
		if out.Operand, err = c.expr(powerOr); err != nil {
			return nil, err
		}
	}
	for accept(c.lex, "WHEN") {
		var w ast.When
		if w.Condition, err = c.expr(powerOr); err != nil {
			return nil, err
		}
		if err = expect(c.lex, "THEN"); err != nil {
			return nil, err
		}
		if w.Then, err = c.expr(powerOr); err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, w)
	}
	if len(out.Whens) == 0 {
		return nil, expect(c.lex, "WHEN")
	}
	if accept(c.lex, "ELSE") {
		if out.Else, err = c.expr(powerOr); err != nil {
			return nil, err
		}
	}
	return out, expect(c.lex, "END")
}

// castOf reads a cast behind its first word.
func (c *climber) castOf(t token, try bool) (ast.Expr, error) {
	if err := expect(c.lex, "("); err != nil {
		return nil, err
	}
	x, err := c.expr(powerOr)
	if err != nil {
		return nil, err
	}
	if err := expect(c.lex, "AS"); err != nil {
		return nil, err
	}
	out, err := c.castTo(position(t.Pos), x, try)
	return out, joinErrors(err, c.lex)
}

// named reads what begins with a name: a call, a literal after its type, or a column.
func (c *climber) named(t token) (ast.Expr, error) {
	if c.arrayAhead(t) {
		return c.array(t)
	}
	if t.Type == tokenIdent && is(t, "INTERVAL") {
		if multiple := c.multiple(t); multiple != nil {
			return multiple, nil
		}
	}
	if t.Type == tokenIdent {
		if literal, err := c.typedLiteral(); literal != nil || err != nil {
			return literal, err
		}
	}
	c.lex.next()
	if t.Type == tokenIdent && is(t, "TRY_CAST") && is(c.lex.peek(), "(") {
		return c.castOf(t, true)
	}
	if accept(c.lex, "(") {
		return c.call(t)
	}
	if t.Type == tokenIdent && timeWords[upper(t.Value)] {
		return timeWord(t), nil
	}
	return c.members(&ast.Column{Parts: []ast.Name{nameOf(t)}})
}

// members reads the names behind a name, with dots before them, the last of which may be *.
func (c *climber) members(column *ast.Column) (ast.Expr, error) {
	for accept(c.lex, ".") {
		part := c.lex.peek()
		switch {
		case part.Type == tokenIdent, part.Type == tokenQuoted, part.Type == tokenKeyword:
			c.lex.next()
			column.Parts = append(column.Parts, nameOf(part))
		case len(column.Parts) == 1 && accept(c.lex, "*"):
			return c.star(column.Position(), &column.Parts[0])
		default:
			return nil, &unexpected{token: part, expected: "a name after the dot"}
		}
	}
	return column, nil
}

// typedLiteral reads a type name and a string, if that is what comes next.
func (c *climber) typedLiteral() (ast.Expr, error) {
	start := c.lex.mark()
	t, err := readType(c.lex)
	if err != nil || c.lex.peek().Type != tokenString {
		c.lex.reset(start)
		return nil, nil //nolint:nilerr // what is no type is no fault: the caller tries the next form
	}
	value, err := stringOf(c.lex.next())
	if err != nil {
		return nil, err
	}
	switch {
	case t.Text == "INTERVAL":
		fields := takeFields(c.lex)
		value.Value = fields.cut(fields.text(value.Value))
	case t.Text == "X" && value.Pos.Line == t.Pos.Line && value.Pos.Column == t.Pos.Column+1: // the standard's bytes
		t.Text, value.Value = "BYTEA", `\x`+value.Value
	}
	return &ast.TypedLiteral{Type: t, Value: *value}, nil
}

// call reads the arguments of a call whose opening parenthesis has been taken.
func (c *climber) call(t token) (ast.Expr, error) {
	out := &ast.Call{Name: nameOf(t)}
	var err error
	special := c.specialArguments(t)
	switch {
	case special != nil:
		err = special(out)
	case t.Type == tokenIdent && is(t, "ROW") && !is(c.lex.peek(), ")"):
		items, err := c.list()
		return &ast.Row{Pos: position(t.Pos), Items: items}, err
	case is(t, "EXTRACT"):
		out.Args, err = c.extractArguments()
	case is(t, "EXISTS") && queryAhead(c.lex):
		query, err := c.query()
		return &ast.Exists{Pos: position(t.Pos), Query: query}, err
	case accept(c.lex, ")"):
		out.Star = is(t, "COUNT") // count() is count(*) in other systems
	case is(c.lex.peek(), "*"):
		c.lex.next()
		out.Star = true
		err = expect(c.lex, ")")
	default:
		err = c.arguments(out)
	}
	if err == nil && is(c.lex.peek(), "WITHIN") {
		err = c.withinGroup(out)
	}
	if err == nil && is(c.lex.peek(), "FILTER") {
		err = c.filter(out)
	}
	if err == nil {
		err = c.over(out)
	}
	return out, err
}

// filter reads FILTER (WHERE condition), or without the word as in DuckDB.
func (c *climber) filter(call *ast.Call) error {
	for _, word := range []string{"FILTER", "("} {
		if err := expect(c.lex, word); err != nil {
			return err
		}
	}
	accept(c.lex, "WHERE")
	condition, err := c.expr(powerOr)
	if err != nil {
		return err
	}
	call.Filter = condition
	return expect(c.lex, ")")
}

// extractArguments reads field FROM x, where the field may also be in quotes of either kind, or the arguments of a plain call.
func (c *climber) extractArguments() ([]ast.Expr, error) {
	t := c.lex.peek()
	if t.Type != tokenIdent && t.Type != tokenQuoted && t.Type != tokenString {
		return nil, &unexpected{token: t, expected: "a field of a time, such as hour"}
	}
	c.lex.next()
	field := &ast.String{Pos: position(t.Pos), Value: nameOf(t).Text}
	if t.Type == tokenString {
		var err error
		if field, err = stringOf(t); err != nil {
			return nil, err
		}
	}
	if !accept(c.lex, ",") {
		if err := expect(c.lex, "FROM"); err != nil {
			return nil, err
		}
	}
	x, err := c.expr(powerOr)
	if err != nil {
		return nil, err
	}
	return []ast.Expr{field, x}, expect(c.lex, ")")
}
