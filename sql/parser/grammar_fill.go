package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// sampleBy is SAMPLE BY width [FROM time] [TO time], where the width is an expression or a number with its unit, such as 15m.
type sampleBy struct{ ast.Sample }

// Parse takes the clause if it comes next.
func (s *sampleBy) Parse(lex *lexer.PeekingLexer) error {
	if !acceptWords(lex, "SAMPLE", "BY") {
		return participle.NextMatch
	}
	if err := s.width(lex); err != nil {
		return err
	}
	s.Pos = s.Width.Position()
	for _, bound := range []struct {
		word string
		expr *ast.Expr
	}{{"FROM", &s.From}, {"TO", &s.To}} {
		if !accept(lex, bound.word) {
			continue
		}
		var e expression
		if err := e.Parse(lex); err != nil {
			return err
		}
		*bound.expr = e.Expr
	}
	return nil
}

func (s *sampleBy) width(lex *lexer.PeekingLexer) error {
	t := *lex.Peek()
	if t.Type != tokenDuration {
		var e expression
		err := e.Parse(lex)
		s.Width = e.Expr
		return err
	}
	lex.Next()
	s.Width = duration(t)
	return nil
}

// duration is the interval that a number with its unit stands for.
func duration(t lexer.Token) ast.Expr {
	width := t.Value
	if number, month := strings.CutSuffix(width, "M"); month { // a small m is a minute
		width = number + " months"
	}
	pos := position(t.Pos)
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: width}}
}

// alignTo is ALIGN TO CALENDAR [TIME ZONE zone] [WITH OFFSET offset], or ALIGN TO FIRST OBSERVATION, behind SAMPLE BY and FILL.
type alignTo struct {
	pos          event.Position
	zone, offset ast.Expr
	first        bool
}

// Parse takes the clause if it comes next.
func (a *alignTo) Parse(lex *lexer.PeekingLexer) error {
	start := *lex.Peek()
	if !acceptWords(lex, "ALIGN", "TO") {
		return participle.NextMatch
	}
	a.pos = position(start.Pos)
	if a.first = acceptWords(lex, "FIRST", "OBSERVATION"); a.first {
		return nil
	}
	if err := expect(lex, "CALENDAR"); err != nil {
		return err
	}
	for _, part := range []struct {
		words []string
		expr  *ast.Expr
	}{{[]string{"TIME", "ZONE"}, &a.zone}, {[]string{"WITH", "OFFSET"}, &a.offset}} {
		if !acceptWords(lex, part.words...) {
			continue
		}
		var e expression
		if err := e.Parse(lex); err != nil {
			return err
		}
		*part.expr = e.Expr
	}
	return nil
}

// sample is SAMPLE BY with what it is aligned to.
func (s *sampleBy) sample(a *alignTo) *ast.Sample {
	switch {
	case s == nil && a == nil:
		return nil
	case s == nil: // for the error
		return &ast.Sample{Pos: a.pos}
	case a != nil:
		s.Zone, s.Offset, s.First = a.zone, a.offset, a.first
	}
	return &s.Sample
}

// fillClause is FILL (value, ...), of values NULL, PREV, LINEAR or a constant.
type fillClause struct{ ast.Fill }

// Parse takes the clause if it comes next.
func (f *fillClause) Parse(lex *lexer.PeekingLexer) error {
	start := *lex.Peek()
	if !acceptWords(lex, "FILL", "(") {
		return participle.NextMatch
	}
	f.Pos = position(start.Pos)
	for {
		value, err := fillValue(lex)
		if err != nil {
			return err
		}
		f.Values = append(f.Values, value)
		if !accept(lex, ",") {
			return expect(lex, ")")
		}
	}
}

func fillValue(lex *lexer.PeekingLexer) (ast.FillValue, error) {
	switch {
	case accept(lex, "NULL"):
		return ast.FillValue{Mode: "NULL"}, nil
	case accept(lex, "PREV"), accept(lex, "PREVIOUS"):
		return ast.FillValue{Mode: "PREV"}, nil
	case accept(lex, "LINEAR"):
		return ast.FillValue{Mode: "LINEAR"}, nil
	default:
		var e expression
		err := e.Parse(lex)
		return ast.FillValue{Value: e.Expr}, err
	}
}

func (f *fillClause) tree() *ast.Fill {
	if f == nil {
		return nil
	}
	return &f.Fill
}
