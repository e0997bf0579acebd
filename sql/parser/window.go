package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// namedWindow reads one entry of the WINDOW clause: a name, AS and a window in parentheses.
func namedWindow(lex *cursor) (ast.NamedWindow, error) {
	var out ast.NamedWindow
	var err error
	if out.Name, err = readName(lex); err != nil {
		return out, err
	}
	if t := lex.peek(); streamWindows[upper(out.Name.Text)] && is(t, "(") {
		return out, event.Errorf(event.CodeSyntax, "WINDOW %s stands behind FROM", upper(out.Name.Text)).At(position(t.Pos)).
			WithHint("put it before WHERE and GROUP BY")
	}
	if err = expect(lex, "AS"); err != nil {
		return out, err
	}
	c := climber{lex: lex}
	out.Window, err = c.window()
	return out, err
}

// nulls reads IGNORE NULLS or RESPECT NULLS, which stand behind the arguments of a call in their parentheses or behind these.
func (c *climber) nulls(call *ast.Call) {
	switch {
	case acceptWords(c.lex, "IGNORE", "NULLS"):
		call.IgnoreNulls = true
	case acceptWords(c.lex, "RESPECT", "NULLS"):
	}
}

// over reads what can follow a call's arguments and filter: IGNORE NULLS and OVER with a window or the name of one.
func (c *climber) over(call *ast.Call) error {
	c.nulls(call)
	t := c.lex.peek()
	if t.Type != tokenIdent || !accept(c.lex, "OVER") {
		return nil
	}
	call.Over = &ast.Over{Pos: position(t.Pos)}
	next := c.lex.peek()
	if next.Type == tokenIdent || next.Type == tokenQuoted {
		c.lex.next()
		n := nameOf(next)
		call.Over.Name = &n
		return nil
	}
	var err error
	call.Over.Window, err = c.window()
	return err
}

// frameUnits are the words that a frame begins with.
var frameUnits = wordSet(`ROWS RANGE GROUPS`)

// window reads a window in parentheses.
func (c *climber) window() (*ast.Window, error) {
	out := &ast.Window{Pos: position(c.lex.peek().Pos)}
	if err := expect(c.lex, "("); err != nil {
		return nil, err
	}
	if t := c.lex.peek(); t.Type == tokenQuoted || (t.Type == tokenIdent && !is(t, "PARTITION") && !frameUnits[upper(t.Value)]) {
		c.lex.next()
		base := nameOf(t)
		out.Base = &base
	}
	var err error
	if accept(c.lex, "PARTITION") {
		if out.PartitionBy, err = c.partitionKeys(); err != nil {
			return nil, err
		}
	}
	if accept(c.lex, "ORDER") {
		if out.OrderBy, err = c.windowKeys(); err != nil {
			return nil, err
		}
	}
	if acceptWords(c.lex, "SESSION", "WITH", "GAP") {
		if out.Session, err = span(c.lex); err != nil {
			return nil, err
		}
		return out, expect(c.lex, ")")
	}
	if t := c.lex.peek(); t.Type == tokenIdent && frameUnits[upper(t.Value)] {
		if out.Frame, err = c.frame(); err != nil {
			return nil, err
		}
	}
	return out, expect(c.lex, ")")
}

// partitionKeys reads BY and the expressions after it.
func (c *climber) partitionKeys() ([]ast.Expr, error) {
	if err := expect(c.lex, "BY"); err != nil {
		return nil, err
	}
	return c.keys()
}

// keys reads expressions with commas between them.
func (c *climber) keys() ([]ast.Expr, error) {
	var out []ast.Expr
	for {
		x, err := c.expr(powerOr)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !accept(c.lex, ",") {
			return out, nil
		}
	}
}

// windowKeys reads BY and the keys after it.
func (c *climber) windowKeys() ([]ast.Order, error) {
	if err := expect(c.lex, "BY"); err != nil {
		return nil, err
	}
	var out []ast.Order
	for {
		x, err := c.expr(powerOr)
		if err != nil {
			return nil, err
		}
		key := ast.Order{Expr: x}
		if !accept(c.lex, "ASC") {
			key.Descending = accept(c.lex, "DESC")
		}
		switch {
		case acceptWords(c.lex, "NULLS", "FIRST"):
			key.Nulls = ast.NullsFirst
		case acceptWords(c.lex, "NULLS", "LAST"):
			key.Nulls = ast.NullsLast
		}
		out = append(out, key)
		if !accept(c.lex, ",") {
			return out, nil
		}
	}
}

// frame reads a frame, whose first word is the next token.
func (c *climber) frame() (*ast.Frame, error) {
	t := c.lex.next()
	out := &ast.Frame{Pos: position(t.Pos), Unit: upper(t.Value)}
	between := accept(c.lex, "BETWEEN")
	var err error
	if out.Start, err = c.frameBound(); err != nil {
		return nil, err
	}
	if between {
		if err := expect(c.lex, "AND"); err != nil {
			return nil, err
		}
		end, err := c.frameBound()
		if err != nil {
			return nil, err
		}
		out.End = &end
	}
	if accept(c.lex, "EXCLUDE") {
		out.Exclude, err = c.exclusion()
	}
	return out, err
}

func (c *climber) frameBound() (ast.FrameBound, error) {
	out := ast.FrameBound{Pos: position(c.lex.peek().Pos)}
	if acceptWords(c.lex, "CURRENT", "ROW") {
		out.Direction = "CURRENT ROW"
		return out, nil
	}
	if !accept(c.lex, "UNBOUNDED") {
		var err error
		if out.Offset, err = c.expr(powerRange + 1); err != nil {
			return out, err
		}
	}
	for _, direction := range []string{"PRECEDING", "FOLLOWING"} {
		if accept(c.lex, direction) {
			out.Direction = direction
			return out, nil
		}
	}
	return out, &unexpected{token: c.lex.peek(), expected: "PRECEDING or FOLLOWING"}
}

func (c *climber) exclusion() (string, error) {
	t := c.lex.peek()
	switch {
	case acceptWords(c.lex, "CURRENT", "ROW"):
		return "CURRENT ROW", nil
	case accept(c.lex, "GROUP"):
		return "GROUP", nil
	case accept(c.lex, "TIES"):
		return "TIES", nil
	case acceptWords(c.lex, "NO", "OTHERS"):
		return "", nil
	}
	return "", &unexpected{token: t, expected: "CURRENT ROW, GROUP, TIES or NO OTHERS after EXCLUDE"}
}
