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
		query, err := parseQuery(lex)
		if err != nil {
			return nil, err
		}
		if _, err := followed(lex, query); err != nil {
			return nil, err
		}
		return query, expect(lex, ")")
	case is(t, "SELECT"), is(t, "WITH"), is(t, "FROM"):
		query, err := parseQuery(lex)
		if err != nil {
			return nil, err
		}
		_, err = followed(lex, query)
		return query, err
	default:
		n, err := readName(lex)
		return allOf(&ast.StreamTable{Name: n}, n.Pos), err
	}
}

// followed is a query, or the subscription to it that EMIT CHANGES behind it asks for.
func followed(lex *cursor, query *ast.Select) (ast.Statement, error) {
	t := lex.peek()
	emit, err := readEmit(lex)
	if err != nil || emit == nil {
		return query, err
	}
	if emit.OnClose || emit.Interval != nil {
		return nil, notSupported(t, "EMIT behind a query", "it belongs to a view, which can be followed: CREATE MATERIALIZED VIEW name AS query EMIT ..., "+
			"then SUBSCRIBE TO name; EMIT CHANGES behind a query follows that")
	}
	if limit := lex.peek(); is(limit, "LIMIT") {
		return nil, notSupported(limit, "LIMIT of changes", "leave it out and break the request off, or leave EMIT CHANGES out")
	}
	return &ast.Subscribe{Pos: query.Pos, Query: query}, nil
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
