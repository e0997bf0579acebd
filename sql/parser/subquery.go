package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// query reads a query and the closing parenthesis; the opening one has been taken.
func (c *climber) query() (*ast.Select, error) {
	query, err := parseQuery(c.lex)
	if err != nil {
		return nil, err
	}
	return query, expect(c.lex, ")")
}

// queryAhead reports whether a query follows the parenthesis that has been taken.
func queryAhead(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	return holdsQuery(lex)
}

// quantified reads ANY, SOME or ALL with a query or an array in parentheses after a comparison, if that is what comes next.
func (c *climber) quantified(left ast.Expr, op string, pos event.Position) (ast.Expr, error) {
	start := c.lex.mark()
	word := c.lex.peek()
	if (!is(word, "ANY") && !is(word, "SOME") && !is(word, "ALL")) || word.Type == tokenQuoted {
		return nil, nil
	}
	c.lex.next()
	if !accept(c.lex, "(") {
		c.lex.reset(start)
		return nil, nil
	}
	if synonym, ok := synonyms[op]; ok {
		op = synonym.op
	}
	if !queryAhead(c.lex) {
		array, err := c.expr(powerOr)
		out := &ast.QuantifiedArray{Pos: pos, Op: op, All: is(word, "ALL"), Input: left, Array: array}
		return out, joinErrors(err, c.lex)
	}
	query, err := c.query()
	return &ast.Quantified{Pos: pos, Op: op, All: is(word, "ALL"), Input: left, Query: query}, err
}
