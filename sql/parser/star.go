package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// star reads what can follow * in a select list, as DuckDB, ClickHouse and BigQuery have it: EXCLUDE (a, b) or EXCEPT (a, b), and REPLACE
// (expression AS a).
func (c *climber) star(pos event.Position, table *ast.Name) (ast.Expr, error) {
	out := &ast.Star{Pos: pos, Table: table}
	tables := tableParser{lex: c.lex}
	var err error
	switch next := *c.lex.Peek(); {
	case is(next, "EXCLUDE") && is(c.second(), "("), is(next, "EXCEPT") && c.namesBehind():
		c.lex.Next()
		c.lex.Next()
		if out.Exclude, err = tables.names(); err != nil {
			return nil, err
		}
	case is(next, "EXCLUDE") && next.Type == tokenIdent && (c.second().Type == tokenIdent || c.second().Type == tokenQuoted):
		c.lex.Next()
		out.Exclude = []ast.Name{nameOf(*c.lex.Next())}
	}
	if next := *c.lex.Peek(); !is(next, "REPLACE") || !is(c.second(), "(") {
		return out, nil
	}
	c.lex.Next()
	c.lex.Next()
	for {
		x, err := c.expr(powerOr)
		if err != nil {
			return nil, err
		}
		if err := expect(c.lex, "AS"); err != nil {
			return nil, err
		}
		var n name
		if err := n.Parse(c.lex); err != nil {
			return nil, err
		}
		out.Replace = append(out.Replace, ast.Item{Expr: x, Alias: &n.Name})
		if !accept(c.lex, ",") {
			return out, expect(c.lex, ")")
		}
	}
}

// namesBehind reports whether a list in parentheses that is no query stands behind the next word, which is EXCEPT.
func (c *climber) namesBehind() bool {
	start := c.lex.MakeCheckpoint()
	defer c.lex.LoadCheckpoint(start)
	c.lex.Next()
	return is(*c.lex.Peek(), "(") && !beginsQuery(c.lex)
}
