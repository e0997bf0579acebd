package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// windowTables are the window table functions.
var windowTables = wordSet(`TUMBLE HOP CUMULATE SESSION`)

// lateClause is LATE DROP or LATE RECOMPUTE.
type lateClause struct {
	Pos    lexer.Position
	Within *expression `parser:"'LATE' ( 'DROP' | 'RECOMPUTE' 'WITHIN' @@ )"`
	Into   *name       `parser:"( 'ELSE' 'INTO' @@ )?"`
}

func (l *lateClause) tree() *ast.Late {
	if l == nil {
		return nil
	}
	out := &ast.Late{Pos: position(l.Pos), Within: l.Within.tree()}
	if l.Into != nil {
		out.Into = &l.Into.Name
	}
	return out
}

// windowTable reads the arguments of a window table function, whose name t has been taken: the table, the time and the widths, each
// with a name or by its place.
func (p *tableParser) windowTable(t lexer.Token) (ast.Table, error) {
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
		return nil, &unexpected{token: *p.lex.Peek(), expected: "a comma: " + out.Function + " takes a table, a time and its widths"}
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
	case named(name, "DATA"), name == nil && place == 0:
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
	start := p.lex.MakeCheckpoint()
	t := *p.lex.Peek()
	if t.Type == tokenIdent || t.Type == tokenQuoted {
		p.lex.Next()
		if accept(p.lex, "=>") {
			n := nameOf(t)
			return &n
		}
	}
	p.lex.LoadCheckpoint(start)
	return nil
}

func named(n *ast.Name, word string) bool { return n != nil && upper(n.Text) == word }

// windowInput reads the table, with or without the word TABLE, and how it is partitioned.
func (p *tableParser) windowInput(out *ast.WindowTable) error {
	start := p.lex.MakeCheckpoint()
	if accept(p.lex, "TABLE") {
		if t := *p.lex.Peek(); (t.Type != tokenIdent || is(t, "PARTITION")) && t.Type != tokenQuoted && !is(t, "(") {
			p.lex.LoadCheckpoint(start) // a stream of that name
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
	back := p.lex.MakeCheckpoint()
	defer func() { p.lex.LoadCheckpoint(back) }()
	if !accept(p.lex, ",") || p.atTime() || p.argumentName() != nil {
		return false
	}
	key := p.lex.MakeCheckpoint()
	for depth := 0; depth >= 0; {
		switch t := p.lex.Next(); {
		case t.EOF():
			return false
		case is(*t, "("):
			depth++
		case is(*t, ")"):
			depth--
		case is(*t, ",") && depth == 0 && p.atTime():
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
	start := p.lex.MakeCheckpoint()
	if named(p.argumentName(), "TIMECOL") {
		return true
	}
	p.lex.LoadCheckpoint(start)
	return false
}

// windowSource reads a stream's name, another window table function or a query in parentheses.
func (p *tableParser) windowSource() (ast.Table, error) {
	t := *p.lex.Peek()
	if is(t, "(") {
		p.lex.Next()
		query, err := parseQuery(p.lex)
		if err != nil {
			return nil, err
		}
		return &ast.Subquery{Pos: position(t.Pos), Query: query}, expect(p.lex, ")")
	}
	if t.Type != tokenIdent && t.Type != tokenQuoted {
		return nil, &unexpected{token: t, expected: "the name of a stream"}
	}
	p.lex.Next()
	return &ast.StreamTable{Name: nameOf(t)}, nil
}

// late gives LATE at the end of a query to its SELECT, of which there must be one.
func (q *selectQuery) late(out *ast.Select) error {
	switch {
	case q.Late == nil:
		return nil
	case len(q.More) > 0 || q.First.Query != nil || out.Late != nil:
		return event.Errorf(event.CodeSyntax, "LATE belongs to one SELECT").At(position(q.Late.Pos)).
			WithHint("put it behind the conditions of that SELECT")
	}
	out.Late = q.Late.tree()
	return nil
}
