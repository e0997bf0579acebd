package parser

import "github.com/tidemarkdb/tidemark/sql/ast"

// dropStream reads DROP STREAM [IF EXISTS] name.
func dropStream(lex *cursor) (ast.Statement, error) {
	out := &ast.DropStream{Pos: position(lex.next().Pos)}
	err := expect(lex, "STREAM")
	if err != nil {
		return nil, err
	}
	out.IfExists, out.Name, err = droppedName(lex)
	return out, err
}

// droppedName reads [IF EXISTS] name.
func droppedName(lex *cursor) (ifExists bool, n ast.Name, err error) {
	if accept(lex, "IF") {
		ifExists = true
		if err := expect(lex, "EXISTS"); err != nil {
			return false, n, err
		}
	}
	n, err = readName(lex)
	return ifExists, n, err
}
