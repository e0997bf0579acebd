package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// subscribe reads SUBSCRIBE [TO] with the name of a stream or view, or a query, and options.
func subscribe(lex *cursor) (ast.Statement, error) {
	out := &ast.Subscribe{Pos: position(lex.next().Pos)}
	accept(lex, "TO")
	var err error
	if out.Query, err = subscribed(lex); err != nil {
		return nil, err
	}
	if out.Options, err = withOptions(lex); err != nil {
		return nil, err
	}
	return out, noTimes(lex)
}

// subscribed reads what is followed. A query needs no parentheses.
func subscribed(lex *cursor) (*ast.Select, error) {
	switch t := lex.peek(); {
	case accept(lex, "("):
		c := climber{lex: lex}
		return c.query()
	case is(t, "SELECT"), is(t, "WITH"), is(t, "FROM"):
		return parseQuery(lex)
	default:
		n, err := readName(lex)
		return allOf(&ast.StreamTable{Name: n}, n.Pos), err
	}
}

// noTimes refuses what Materialize has behind a subscription.
func noTimes(lex *cursor) error {
	t := lex.peek()
	switch {
	case acceptWords(lex, "AS", "OF"):
		return notSupported(t, "AS OF a time", "WITH (after = 'id') goes on behind the change of that id; WITH (snapshot = false) leaves out what there is")
	case acceptWords(lex, "UP", "TO"):
		return notSupported(t, "UP TO a time", "bound the time in WHERE, and break the request off")
	case accept(lex, "ENVELOPE"):
		return notSupported(t, "ENVELOPE", "leave it out: each change says insert, update or delete, and which columns are the key")
	}
	return nil
}
