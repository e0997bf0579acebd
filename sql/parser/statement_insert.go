package parser

import "github.com/tidemarkdb/tidemark/sql/ast"

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
	if accept(lex, "VALUES") {
		out.Rows, err = rows(lex)
	} else {
		out.Query, err = parseQuery(lex)
	}
	return out, err
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
