package parser

import (
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// wholePercent is all rows of a table.
const wholePercent = 100

// sampled takes TABLESAMPLE BERNOULLI (n) or SYSTEM (n) behind a table: a query of each of its rows with a chance of n per cent.
func (p *tableParser) sampled(table *ast.StreamTable) (ast.Table, error) {
	word := p.lex.next()
	pos := position(word.Pos)
	if !accept(p.lex, "BERNOULLI") && !accept(p.lex, "SYSTEM") {
		return nil, &unexpected{token: p.lex.peek(), expected: "BERNOULLI or SYSTEM after TABLESAMPLE"}
	}
	if err := expect(p.lex, "("); err != nil {
		return nil, err
	}
	number := p.lex.next()
	percent, err := strconv.ParseFloat(number.Value, 64)
	if number.Type != tokenNumber || err != nil || percent > wholePercent {
		return nil, event.Errorf(event.CodeSyntax, "TABLESAMPLE takes a percentage from 0 to 100").At(position(number.Pos)).
			WithHint("as in TABLESAMPLE BERNOULLI (10)")
	}
	if accept(p.lex, "PERCENT") || accept(p.lex, "%") {
		_ = percent // as it is without the word
	}
	if err := expect(p.lex, ")"); err != nil {
		return nil, err
	}
	if next := p.lex.peek(); is(next, "REPEATABLE") {
		return nil, notSupported(next, "TABLESAMPLE ... REPEATABLE", "")
	}
	if percent == wholePercent {
		return table, nil
	}
	random := &ast.Call{Name: ast.Name{Text: "random", Pos: pos}}
	share := &ast.Number{Pos: position(number.Pos), Text: strconv.FormatFloat(percent/wholePercent, 'f', -1, 64)}
	query := allOf(table, pos)
	query.Where = &ast.Binary{Pos: pos, Op: "<", Left: random, Right: share}
	alias := table.Alias
	if alias == nil {
		alias = &table.Name
	}
	return &ast.Subquery{Pos: pos, Query: query, Alias: alias}, nil
}
