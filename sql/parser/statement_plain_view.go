package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// createsPlainView reports whether the words that create a view that is not materialized come next.
func createsPlainView(lex *cursor) bool {
	start := lex.mark()
	defer lex.reset(start)
	_, ok := plainViewWords(lex)
	return ok
}

// plainViewWords takes CREATE [OR REPLACE] VIEW.
func plainViewWords(lex *cursor) (orReplace, ok bool) {
	if !accept(lex, "CREATE") {
		return false, false
	}
	orReplace = acceptWords(lex, "OR", "REPLACE")
	return orReplace, accept(lex, "VIEW")
}

// createPlainView reads CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(columns)] AS query.
func createPlainView(lex *cursor) (ast.Statement, error) {
	out := &ast.CreatePlainView{Pos: position(lex.peek().Pos)}
	out.OrReplace, _ = plainViewWords(lex)
	var err error
	if out.IfNotExists, err = ifNotExists(lex); err != nil {
		return nil, err
	}
	if out.OrReplace && out.IfNotExists {
		return nil, event.Errorf(event.CodeSyntax, "OR REPLACE and IF NOT EXISTS exclude each other").At(out.Pos)
	}
	if out.Name, err = readName(lex); err != nil {
		return nil, err
	}
	columns, err := namesInParentheses(lex)
	if err != nil {
		return nil, err
	}
	if t := lex.peek(); accept(lex, "WITH") || accept(lex, "EMIT") {
		return nil, notSupported(t, t.Value+" of a view that only names its query", "what is kept current is a MATERIALIZED VIEW")
	}
	if err = expect(lex, "AS"); err != nil {
		return nil, err
	}
	if out.Query, err = parseQuery(lex); err != nil {
		return nil, err
	}
	if len(columns) > 0 {
		out.Query = out.Query.Renamed(columns)
	}
	if t := lex.peek(); is(t, "EMIT") || is(t, "LATE") {
		return nil, notSupported(t, t.Value+" of a view that only names its query", "what is kept current is a MATERIALIZED VIEW")
	}
	return out, nil
}

// dropPlainView reads DROP VIEW [IF EXISTS] name.
func dropPlainView(lex *cursor) (ast.Statement, error) {
	out := &ast.DropPlainView{Pos: position(lex.peek().Pos)}
	err := expect(lex, "DROP", "VIEW")
	if err != nil {
		return nil, err
	}
	out.IfExists, out.Name, err = droppedName(lex)
	return out, err
}
