package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// readEmit reads EMIT ON WINDOW CLOSE, with its other name EMIT FINAL, or EMIT ON UPDATE, with its other name EMIT CHANGES, if it comes
// next, and how often.
func readEmit(lex *cursor) (*ast.Emit, error) {
	out := &ast.Emit{Pos: position(lex.peek().Pos)}
	if !accept(lex, "EMIT") {
		return nil, nil
	}
	switch {
	case accept(lex, "FINAL"):
		out.OnClose = true
	case accept(lex, "CHANGES"):
	default:
		if err := expect(lex, "ON"); err != nil {
			return nil, err
		}
		if !accept(lex, "UPDATE") {
			if err := expect(lex, "WINDOW", "CLOSE"); err != nil {
				return nil, err
			}
			out.OnClose = true
		}
	}
	if !acceptWords(lex, "WITH", "BATCH") { // options of a view may stand behind it too
		return out, nil
	}
	var err error
	out.Interval, err = readExpr(lex)
	return out, err
}
