package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

type explain struct {
	Pos     lexer.Position
	Options explainOptions `parser:"'EXPLAIN' @@"`
	Query   *selectQuery   `parser:"@@"`
}

func (e *explain) tree() (ast.Statement, error) {
	query, err := e.Query.tree()
	return &ast.Explain{Pos: position(e.Pos), Analyze: e.Options.analyze, JSON: e.Options.json, Query: query}, err
}

// explainOptions is ANALYZE, or a list of options in parentheses, or nothing.
type explainOptions struct{ analyze, json bool }

// Parse takes the options. A parenthesis may also begin the query.
func (o *explainOptions) Parse(lex *lexer.PeekingLexer) error {
	if accept(lex, "ANALYZE") {
		o.analyze = true
		return nil
	}
	if !is(*lex.Peek(), "(") || beginsQuery(lex) {
		return nil
	}
	lex.Next()
	for {
		if err := o.option(lex); err != nil {
			return err
		}
		if !accept(lex, ",") {
			return expect(lex, ")")
		}
	}
}

func (o *explainOptions) option(lex *lexer.PeekingLexer) error {
	t := *lex.Peek()
	switch {
	case accept(lex, "ANALYZE"):
		o.analyze = !accept(lex, "FALSE") && !accept(lex, "OFF")
		if o.analyze && !accept(lex, "TRUE") {
			accept(lex, "ON")
		}
		return nil
	case accept(lex, "FORMAT"):
		format := *lex.Peek()
		o.json = accept(lex, "JSON")
		if !o.json && !accept(lex, "TEXT") {
			return &unexpected{token: format, expected: "TEXT or JSON"}
		}
		return nil
	default:
		return event.Errorf(event.CodeSyntax, "EXPLAIN has no option %s", described(t)).At(position(t.Pos)).
			WithHint("it has ANALYZE and FORMAT, as in EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1")
	}
}
