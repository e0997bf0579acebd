package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// windowTables are the window table functions.
var windowTables = wordSet(`TUMBLE HOP CUMULATE SESSION`)

// readLate reads LATE DROP or LATE RECOMPUTE WITHIN width, with [ELSE INTO name], if it comes next.
func readLate(lex *cursor) (*ast.Late, error) {
	out := &ast.Late{Pos: position(lex.peek().Pos)}
	if !accept(lex, "LATE") {
		return nil, nil
	}
	if accept(lex, "RECOMPUTE") {
		err := expect(lex, "WITHIN")
		if err != nil {
			return nil, err
		}
		if out.Within, err = readExpr(lex); err != nil {
			return nil, err
		}
	} else if err := expect(lex, "DROP"); err != nil {
		return nil, err
	}
	if !accept(lex, "ELSE") {
		return out, nil
	}
	if err := expect(lex, "INTO"); err != nil {
		return nil, err
	}
	into, err := readName(lex)
	out.Into = &into
	return out, err
}

// windowTable reads the arguments of a window table function, whose name t has been taken: the table, the time and the widths, each
// with a name or by its place.
func (p *tableParser) windowTable(t token) (ast.Table, error) {
	out := &ast.WindowTable{Function: upper(t.Value), Pos: position(t.Pos)}
	if err := expect(p.lex, "("); err != nil {
		return nil, err
	}
	for i := 0; ; i++ {
		if err := p.windowArgument(out, i); err != nil {
			return nil, err
		}
		if !accept(p.lex, ",") {
			break
		}
	}
	if out.Time == nil || out.Input == nil {
		return nil, &unexpected{token: p.lex.peek(), expected: "a comma: " + out.Function + " takes a table, a time and its widths"}
	}
	if err := expect(p.lex, ")"); err != nil {
		return nil, err
	}
	var err error
	if out.Function == "SESSION" && len(out.PartitionBy) == 0 && acceptWords(p.lex, "PARTITION", "BY") { // some write it behind the function
		c := climber{lex: p.lex}
		if out.PartitionBy, err = c.keys(); err != nil {
			return nil, err
		}
	}
	out.Alias, out.Columns, err = p.alias()
	return out, err
}

func (p *tableParser) windowArgument(out *ast.WindowTable, place int) error {
	name := p.argumentName()
	c := climber{lex: p.lex}
	switch {
	case named(name, "DATA"), named(name, "TABLE"), name == nil && place == 0:
		return p.windowInput(out)
	case named(name, "TIMECOL"), name == nil && place == 1:
		if !acceptWords(p.lex, "DESCRIPTOR", "(") {
			return p.into(&out.Time, c.expr)
		}
		if err := p.into(&out.Time, c.expr); err != nil {
			return err
		}
		return expect(p.lex, ")")
	default:
		arg := ast.NamedArg{Name: name}
		err := p.into(&arg.Value, c.expr)
		out.Widths = append(out.Widths, arg)
		return err
	}
}

func (p *tableParser) into(to *ast.Expr, read func(power int) (ast.Expr, error)) error {
	var err error
	*to, err = read(powerOr)
	return err
}

// argumentName takes the name of a named argument, if one comes next.
func (p *tableParser) argumentName() *ast.Name {
	start := p.lex.mark()
	t := p.lex.peek()
	if t.Type == tokenIdent || t.Type == tokenQuoted || t.Type == tokenKeyword && is(t, "OFFSET") { // TABLE is one of them
		p.lex.next()
		if accept(p.lex, "=>") {
			n := nameOf(t)
			return &n
		}
	}
	p.lex.reset(start)
	return nil
}

func named(n *ast.Name, word string) bool { return n != nil && upper(n.Text) == word }

// windowInput reads the table, with or without the word TABLE, and how it is partitioned.
func (p *tableParser) windowInput(out *ast.WindowTable) error {
	start := p.lex.mark()
	if accept(p.lex, "TABLE") {
		if t := p.lex.peek(); (t.Type != tokenIdent || is(t, "PARTITION")) && t.Type != tokenQuoted && !is(t, "(") {
			p.lex.reset(start) // a stream of that name
		}
	}
	var err error
	if out.Input, err = p.windowSource(); err != nil || !accept(p.lex, "PARTITION") {
		return err
	}
	if err := expect(p.lex, "BY"); err != nil {
		return err
	}
	c := climber{lex: p.lex}
	if accept(p.lex, "(") {
		out.PartitionBy, err = c.list()
		return err
	}
	for {
		key, err := c.expr(powerOr)
		if err != nil {
			return err
		}
		out.PartitionBy = append(out.PartitionBy, key)
		if !p.anotherKey() {
			return nil
		}
	}
}

// anotherKey takes a comma if a key of the partition follows it: if the time, written DESCRIPTOR(...) or TIMECOL => ..., comes later than
// next. Where the time has neither word, the comma leads to it, and several keys need parentheses.
func (p *tableParser) anotherKey() bool {
	back := p.lex.mark()
	defer func() { p.lex.reset(back) }()
	if !accept(p.lex, ",") || p.atTime() || p.argumentName() != nil {
		return false
	}
	key := p.lex.mark()
	for depth := 0; depth >= 0; {
		switch t := p.lex.next(); {
		case t.EOF():
			return false
		case is(t, "("):
			depth++
		case is(t, ")"):
			depth--
		case is(t, ",") && depth == 0 && p.atTime():
			back = key
			return true
		}
	}
	return false
}

// atTime takes the words that say that the time follows, if they come next.
func (p *tableParser) atTime() bool {
	if acceptWords(p.lex, "DESCRIPTOR", "(") {
		return true
	}
	start := p.lex.mark()
	if named(p.argumentName(), "TIMECOL") {
		return true
	}
	p.lex.reset(start)
	return false
}

// windowSource reads a stream's name, also in parentheses, another window table function or a query in parentheses.
func (p *tableParser) windowSource() (ast.Table, error) {
	t := p.lex.peek()
	if is(t, "(") {
		p.lex.next()
		if name := p.lex.peek(); is(p.lex.second(), ")") && namesTable(name) {
			p.lex.next()
			p.lex.next()
			return &ast.StreamTable{Name: nameOf(name)}, nil
		}
		query, err := parseQuery(p.lex)
		if err != nil {
			return nil, err
		}
		return &ast.Subquery{Pos: position(t.Pos), Query: query}, expect(p.lex, ")")
	}
	if t.Type != tokenIdent && t.Type != tokenQuoted {
		return nil, &unexpected{token: t, expected: "the name of a stream"}
	}
	p.lex.next()
	return &ast.StreamTable{Name: nameOf(t)}, nil
}
