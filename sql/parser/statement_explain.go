package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// explain reads EXPLAIN with its options and a query.
func explain(lex *cursor) (ast.Statement, error) {
	pos := position(lex.next().Pos)
	var o explainOptions
	if err := o.read(lex); err != nil {
		return nil, err
	}
	query, err := parseQuery(lex)
	return &ast.Explain{Pos: pos, Analyze: o.analyze, JSON: o.json, Query: query}, err
}

// explainOptions is ANALYZE, or a list of options in parentheses, or nothing.
type explainOptions struct{ analyze, json bool }

// read takes the options. A parenthesis may also begin the query.
func (o *explainOptions) read(lex *cursor) error {
	if accept(lex, "ANALYZE") {
		o.analyze = true
		return nil
	}
	if !is(lex.peek(), "(") || beginsQuery(lex) {
		return nil
	}
	lex.next()
	for {
		if err := o.option(lex); err != nil {
			return err
		}
		if !accept(lex, ",") {
			return expect(lex, ")")
		}
	}
}

func (o *explainOptions) option(lex *cursor) error {
	t := lex.peek()
	switch {
	case accept(lex, "ANALYZE"):
		o.analyze = !accept(lex, "FALSE") && !accept(lex, "OFF")
		if o.analyze && !accept(lex, "TRUE") {
			accept(lex, "ON")
		}
		return nil
	case accept(lex, "FORMAT"):
		format := lex.peek()
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
