package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// star reads what can follow * in a select list, as DuckDB, ClickHouse and BigQuery have it: EXCLUDE (a, b) or EXCEPT (a, b), and REPLACE
// (expression AS a).
func (c *climber) star(pos event.Position, table *ast.Name) (ast.Expr, error) {
	out := &ast.Star{Pos: pos, Table: table}
	var err error
	switch next := c.lex.peek(); {
	case is(next, "EXCLUDE") && is(c.lex.second(), "("), is(next, "EXCEPT") && c.namesBehind():
		c.lex.next()
		c.lex.next()
		if out.Exclude, err = readNames(c.lex); err != nil {
			return nil, err
		}
	case is(next, "EXCLUDE") && next.Type == tokenIdent && (c.lex.second().Type == tokenIdent || c.lex.second().Type == tokenQuoted):
		c.lex.next()
		out.Exclude = []ast.Name{nameOf(c.lex.next())}
	}
	if next := c.lex.peek(); !is(next, "REPLACE") || !is(c.lex.second(), "(") {
		return out, nil
	}
	c.lex.next()
	c.lex.next()
	for {
		x, err := c.expr(powerOr)
		if err != nil {
			return nil, err
		}
		if err := expect(c.lex, "AS"); err != nil {
			return nil, err
		}
		n, err := readName(c.lex)
		if err != nil {
			return nil, err
		}
		out.Replace = append(out.Replace, ast.Item{Expr: x, Alias: &n})
		if !accept(c.lex, ",") {
			return out, expect(c.lex, ")")
		}
	}
}

// namesBehind reports whether a list in parentheses that is no query stands behind the next word, which is EXCEPT.
func (c *climber) namesBehind() bool {
	start := c.lex.mark()
	defer c.lex.reset(start)
	c.lex.next()
	return is(c.lex.peek(), "(") && !beginsQuery(c.lex)
}
