package parser

import (
	"errors"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// showTable reads SHOW STREAMS or SHOW and the name of another system table.
func showTable(lex *cursor) (ast.Statement, error) {
	pos := position(lex.next().Pos)
	what, err := readName(lex)
	var u *unexpected
	switch {
	case errors.As(err, &u):
		u.expected = "STREAMS, QUERIES or the name of another system table"
		return nil, u
	case !what.Quoted && upper(what.Text) == "STREAMS":
		return &ast.ShowStreams{Pos: pos}, nil
	default:
		return &ast.ShowTable{Pos: pos, What: what}, nil
	}
}

// describe reads DESCRIBE with a query or the name of a stream.
func describe(lex *cursor) (ast.Statement, error) {
	out := &ast.Describe{Pos: position(lex.next().Pos)}
	var err error
	if startsQuery(lex) {
		out.Query, err = parseQuery(lex)
	} else {
		out.Schema, out.Stream, err = qualifiedName(lex)
	}
	return out, err
}

// summarize reads SUMMARIZE with a query or the name of a stream, which stands for all of its rows.
func summarize(lex *cursor) (ast.Statement, error) {
	out := &ast.Summarize{Pos: position(lex.next().Pos)}
	var err error
	if startsQuery(lex) {
		out.Query, err = parseQuery(lex)
		return out, err
	}
	schema, stream, err := qualifiedName(lex)
	pos := stream.Pos
	if schema != nil {
		pos = schema.Pos
	}
	out.Query = allOf(&ast.StreamTable{Schema: schema, Name: stream}, pos)
	return out, err
}

// startsQuery reports whether a query comes next, rather than a name.
func startsQuery(lex *cursor) bool {
	t := lex.peek()
	for _, word := range []string{"SELECT", "WITH", "VALUES", "TABLE", "FROM", "("} {
		if is(t, word) {
			return true
		}
	}
	return false
}

// qualifiedName takes one name, or two with a dot between them, of which the first is a schema.
func qualifiedName(lex *cursor) (schema *ast.Name, n ast.Name, err error) {
	if n, err = readName(lex); err != nil || !accept(lex, ".") {
		return nil, n, err
	}
	first := n
	n, err = readName(lex)
	return &first, n, err
}

// killQuery reads KILL QUERY id.
func killQuery(lex *cursor) (ast.Statement, error) {
	out := &ast.KillQuery{Pos: position(lex.next().Pos)}
	err := expect(lex, "QUERY")
	if err != nil {
		return nil, err
	}
	out.ID, err = readExpr(lex)
	return out, err
}
