package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// streamWindow is WINDOW TUMBLING (SIZE width), HOPPING (SIZE width, ADVANCE BY width) or SESSION (gap) behind FROM.
type streamWindow struct{ ast.StreamWindow }

// streamWindows are the kinds of it.
var streamWindows = wordSet(`TUMBLING HOPPING SESSION`)

// Parse takes the clause if it comes next; any other use of WINDOW names one.
func (w *streamWindow) Parse(lex *lexer.PeekingLexer) error {
	start := lex.MakeCheckpoint()
	pos := position(lex.Peek().Pos)
	if !accept(lex, "WINDOW") {
		return participle.NextMatch
	}
	kind := *lex.Next()
	if kind.Type != tokenIdent || !streamWindows[upper(kind.Value)] || !accept(lex, "(") {
		lex.LoadCheckpoint(start)
		return participle.NextMatch
	}
	w.Pos, w.Kind = pos, upper(kind.Value)
	if w.Kind == "SESSION" {
		var err error
		if w.Size, err = span(lex); err != nil {
			return err
		}
		return w.end(lex)
	}
	if err := expect(lex, "SIZE"); err != nil {
		return err
	}
	var err error
	if w.Size, err = span(lex); err != nil || w.Kind == "TUMBLING" {
		return endOr(err, w, lex)
	}
	for _, word := range []string{",", "ADVANCE", "BY"} {
		if err := expect(lex, word); err != nil {
			return err
		}
	}
	w.Advance, err = span(lex)
	return endOr(err, w, lex)
}

func endOr(err error, w *streamWindow, lex *lexer.PeekingLexer) error {
	if err != nil {
		return err
	}
	return w.end(lex)
}

// end takes the closing parenthesis. What others say of late rows and of old windows before it has other places here.
func (w *streamWindow) end(lex *lexer.PeekingLexer) error {
	if accept(lex, ",") {
		switch t := *lex.Peek(); {
		case is(t, "GRACE"):
			return errGrace(t)
		case is(t, "RETENTION"):
			return notSupported(t, "RETENTION of a window", "leave it out: a view keeps what it has")
		}
	}
	return expect(lex, ")")
}

func errGrace(t lexer.Token) error {
	return notSupported(t, "GRACE PERIOD",
		"how late events may be is said of the stream, WATERMARK FOR ts AS ts - INTERVAL '10 seconds', or behind the query of a view: "+
			"LATE RECOMPUTE WITHIN INTERVAL '1 hour'")
}

func (w *streamWindow) tree() *ast.StreamWindow {
	if w == nil {
		return nil
	}
	return &w.StreamWindow
}

// span reads an interval, which may be a number with a unit behind it: 30 SECONDS.
func span(lex *lexer.PeekingLexer) (ast.Expr, error) {
	number := *lex.Peek()
	c := climber{lex: lex}
	unit := c.second()
	if number.Type != tokenNumber || unit.Type != tokenIdent || !intervalUnits[upper(unit.Value)] {
		return c.expr(powerOr)
	}
	lex.Next()
	lex.Next()
	pos := position(number.Pos)
	value := ast.String{Pos: pos, Value: number.Value + " " + upper(unit.Value)}
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: value}, nil
}

// within takes WITHIN width, or WITHIN (before, after), before the condition of a join.
func within(lex *lexer.PeekingLexer) (*ast.Within, error) {
	t := *lex.Peek()
	if t.Type != tokenIdent || !accept(lex, "WITHIN") {
		return nil, nil
	}
	out := &ast.Within{Pos: position(t.Pos)}
	var err error
	if !accept(lex, "(") {
		if out.Before, err = span(lex); err != nil {
			return nil, err
		}
		out.After = out.Before
		return out, noGrace(lex)
	}
	if out.Before, err = span(lex); err != nil {
		return nil, err
	}
	if err := expect(lex, ","); err != nil {
		return nil, err
	}
	if out.After, err = span(lex); err != nil {
		return nil, err
	}
	if err := expect(lex, ")"); err != nil {
		return nil, err
	}
	return out, noGrace(lex)
}

func noGrace(lex *lexer.PeekingLexer) error {
	if t := *lex.Peek(); is(t, "GRACE") {
		return errGrace(t)
	}
	return nil
}
