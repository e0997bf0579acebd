package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// subscribe reads SUBSCRIBE TO with the name of a stream or view, or a query in parentheses, and options.
func subscribe(lex *cursor) (ast.Statement, error) {
	out := &ast.Subscribe{Pos: position(lex.next().Pos)}
	err := expect(lex, "TO")
	if err != nil {
		return nil, err
	}
	if out.Query, err = subscribed(lex); err != nil {
		return nil, err
	}
	out.Options, err = withOptions(lex)
	return out, err
}

func subscribed(lex *cursor) (*ast.Select, error) {
	if accept(lex, "(") {
		c := climber{lex: lex}
		return c.query()
	}
	n, err := readName(lex)
	return allOf(&ast.StreamTable{Name: n}, n.Pos), err
}
