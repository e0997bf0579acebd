package parser

import (
	"slices"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// insert reads INSERT INTO stream [(columns)] with rows or a query.
func insert(lex *cursor) (ast.Statement, error) {
	out := &ast.Insert{Pos: position(lex.next().Pos)}
	err := expect(lex, "INTO")
	if err != nil {
		return nil, err
	}
	if out.Stream, err = readName(lex); err != nil {
		return nil, err
	}
	if out.Columns, err = namesInParentheses(lex); err != nil {
		return nil, err
	}
	if len(out.Columns) == 0 && is(lex.peek(), "DEFAULT") {
		out.Rows, err = defaultValues(lex)
	} else {
		err = insertRows(lex, out)
	}
	return out, err
}

// insertRows reads VALUES with its rows, or a query. VALUES begins a query too, which goes on behind the rows.
func insertRows(lex *cursor, out *ast.Insert) error {
	start := lex.mark()
	var err error
	if accept(lex, "VALUES") {
		if out.Rows, err = rows(lex); err != nil || !goesOn(lex.peek()) {
			return err
		}
		out.Rows = nil
		lex.reset(start)
	}
	out.Query, err = parseQuery(lex)
	return err
}

// defaultValues reads DEFAULT VALUES, which is a row of defaults: VALUES (DEFAULT), as the columns behind the first may be left out.
func defaultValues(lex *cursor) ([][]ast.Expr, error) {
	word := lex.next()
	if err := expect(lex, "VALUES"); err != nil {
		return nil, err
	}
	return [][]ast.Expr{{&ast.Column{Parts: []ast.Name{{Pos: position(word.Pos), Text: word.Value}}}}}, nil
}

// rows reads rows in parentheses with commas between them.
func rows(lex *cursor) ([][]ast.Expr, error) {
	var out [][]ast.Expr
	err := commas(lex, func() error {
		if !accept(lex, "(") {
			return &unexpected{token: lex.peek(), expected: "a row in parentheses"}
		}
		c := climber{lex: lex}
		row, err := c.list()
		out = append(out, row)
		return err
	})
	return out, err
}

// goesOn reports whether a word continues a query behind the rows of VALUES.
func goesOn(t token) bool {
	return slices.ContainsFunc([]string{"ORDER", "LIMIT", "OFFSET", "FETCH", "UNION", "INTERSECT", "EXCEPT"}, func(word string) bool { return is(t, word) })
}
