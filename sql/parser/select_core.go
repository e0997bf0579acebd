package parser

import (
	"errors"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// selectCore is SELECT with the clauses of its own. It is read by hand: nearly all clauses are optional, and the grammar's machinery takes
// memory for each that it tries.
type selectCore struct{ ast.Select }

var (
	latestClauses = build[latestOn]()
	lateClauses   = build[lateClause]()
)

// Parse takes SELECT and its clauses, if that is what comes next.
func (c *selectCore) Parse(lex *lexer.PeekingLexer) error {
	if !accept(lex, "SELECT") {
		return participle.NextMatch
	}
	for _, clauses := range []func(*selectCore, *lexer.PeekingLexer) error{
		(*selectCore).outputs, (*selectCore).source, (*selectCore).grouping, (*selectCore).windows, (*selectCore).late,
	} {
		if err := clauses(c, lex); err != nil {
			return err
		}
	}
	return nil
}

func (c *selectCore) tree(pos event.Position) *ast.Select {
	out := c.Select
	out.Pos = pos
	return &out
}

// outputs reads DISTINCT and what is selected.
func (c *selectCore) outputs(lex *lexer.PeekingLexer) error {
	if c.Distinct = accept(lex, "DISTINCT"); !c.Distinct {
		accept(lex, "ALL")
	} else if accept(lex, "ON") {
		if err := expect(lex, "("); err != nil {
			return err
		}
		keys := climber{lex: lex}
		var err error
		if c.DistinctOn, err = keys.list(); err != nil {
			return err
		}
	}
	return commas(lex, func() error {
		value, err := readExpr(lex)
		if err != nil {
			return err
		}
		name := &alias{}
		if err = name.Parse(lex); errors.Is(err, participle.NextMatch) {
			name, err = nil, nil
		}
		c.Items = append(c.Items, ast.Item{Expr: value, Alias: name.tree()})
		return err
	})
}

// source reads where rows come from and which of them count.
func (c *selectCore) source(lex *lexer.PeekingLexer) error {
	if accept(lex, "FROM") {
		var from tableRef
		if err := from.Parse(lex); err != nil {
			return err
		}
		c.From = from.Table
	}
	window, err := optional[streamWindow](lex, "WINDOW")
	if err != nil {
		return err
	}
	c.Stream = window.tree()
	if c.Where, err = condition(lex, "WHERE"); err != nil || !is(*lex.Peek(), "LATEST") {
		return err
	}
	latest, err := latestClauses.ParseFromLexer(lex, participle.AllowTrailing(true))
	if err == nil {
		c.Latest = latest.tree()
	}
	return err
}

// grouping reads GROUP BY, SAMPLE BY with what belongs to it, and HAVING.
func (c *selectCore) grouping(lex *lexer.PeekingLexer) error {
	if err := c.groupBy(lex); err != nil {
		return err
	}
	sample, err := optional[sampleBy](lex, "SAMPLE")
	if err != nil {
		return err
	}
	fill, err := optional[fillClause](lex, "FILL")
	if err != nil {
		return err
	}
	align, err := optional[alignTo](lex, "ALIGN")
	if err != nil {
		return err
	}
	c.Sample, c.Fill = sample.sample(align), fill.tree()
	c.Having, err = condition(lex, "HAVING")
	return err
}

func (c *selectCore) groupBy(lex *lexer.PeekingLexer) error {
	if !accept(lex, "GROUP") {
		return nil
	}
	if err := expect(lex, "BY"); err != nil {
		return err
	}
	if c.GroupByAll = accept(lex, "ALL"); c.GroupByAll {
		return nil
	}
	return commas(lex, func() error {
		var key groupElement
		err := key.Parse(lex)
		c.GroupBy = append(c.GroupBy, key.Expr)
		return err
	})
}

// windows reads the windows that have names, and QUALIFY.
func (c *selectCore) windows(lex *lexer.PeekingLexer) error {
	if accept(lex, "WINDOW") {
		err := commas(lex, func() error {
			var w namedWindow
			err := w.Parse(lex)
			c.Windows = append(c.Windows, w.NamedWindow)
			return err
		})
		if err != nil {
			return err
		}
	}
	var err error
	c.Qualify, err = condition(lex, "QUALIFY")
	return err
}

func (c *selectCore) late(lex *lexer.PeekingLexer) error {
	if !is(*lex.Peek(), "LATE") {
		return nil
	}
	late, err := lateClauses.ParseFromLexer(lex, participle.AllowTrailing(true))
	if err == nil {
		c.Late = late.tree()
	}
	return err
}

// commas reads things with commas between them.
func commas(lex *lexer.PeekingLexer, read func() error) error {
	for {
		if err := read(); err != nil || !accept(lex, ",") {
			return err
		}
	}
}

// condition reads an expression behind a word, if that comes next.
func condition(lex *lexer.PeekingLexer, word string) (ast.Expr, error) {
	if !accept(lex, word) {
		return nil, nil
	}
	return readExpr(lex)
}

// optional reads what begins with a word, nil where something else comes next.
func optional[T any, P interface {
	*T
	participle.Parseable
}](lex *lexer.PeekingLexer, word string) (P, error) {
	if !is(*lex.Peek(), word) {
		return nil, nil
	}
	p := P(new(T))
	err := p.Parse(lex)
	if errors.Is(err, participle.NextMatch) {
		return nil, nil
	}
	return p, err
}
