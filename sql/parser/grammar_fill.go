package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// sampleBy is SAMPLE BY width, where the width is an expression or a number with its unit, such as 15m.
type sampleBy struct{ ast.Expr }

// Parse takes the clause if it comes next.
func (s *sampleBy) Parse(lex *lexer.PeekingLexer) error {
	if !acceptWords(lex, "SAMPLE", "BY") {
		return participle.NextMatch
	}
	t := *lex.Peek()
	if t.Type != tokenDuration {
		var e expression
		err := e.Parse(lex)
		s.Expr = e.Expr
		return err
	}
	lex.Next()
	width := t.Value
	if number, month := strings.CutSuffix(width, "M"); month { // a small m is a minute
		width = number + " months"
	}
	pos := position(t.Pos)
	s.Expr = &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: width}}
	return nil
}

func (s *sampleBy) tree() ast.Expr {
	if s == nil {
		return nil
	}
	return s.Expr
}

// fillClause is FILL (NULL | PREV | LINEAR | constant).
type fillClause struct{ ast.Fill }

// Parse takes the clause if it comes next.
func (f *fillClause) Parse(lex *lexer.PeekingLexer) error {
	start := *lex.Peek()
	if !acceptWords(lex, "FILL", "(") {
		return participle.NextMatch
	}
	f.Pos = position(start.Pos)
	switch {
	case accept(lex, "NULL"):
		f.Mode = "NULL"
	case accept(lex, "PREV"), accept(lex, "PREVIOUS"):
		f.Mode = "PREV"
	case accept(lex, "LINEAR"):
		f.Mode = "LINEAR"
	default:
		var e expression
		if err := e.Parse(lex); err != nil {
			return err
		}
		f.Value = e.Expr
	}
	if next := *lex.Peek(); is(next, ",") {
		return notSupported(next, "FILL with several values", "one FILL serves all aggregates")
	}
	return expect(lex, ")")
}

func (f *fillClause) tree() *ast.Fill {
	if f == nil {
		return nil
	}
	return &f.Fill
}
