package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// streamWindows are the kinds of WINDOW clauses behind FROM.
var streamWindows = wordSet(`TUMBLING HOPPING SESSION`)

// streamWindow reads WINDOW TUMBLING (SIZE width), HOPPING (SIZE width, ADVANCE BY width) or SESSION (gap) behind FROM if it comes next;
// any other use of WINDOW names one.
func streamWindow(lex *cursor) (*ast.StreamWindow, error) {
	start := lex.mark()
	out := &ast.StreamWindow{Pos: position(lex.next().Pos)}
	kind := lex.next()
	if kind.Type != tokenIdent || !streamWindows[upper(kind.Value)] || !accept(lex, "(") {
		lex.reset(start)
		return nil, nil
	}
	out.Kind = upper(kind.Value)
	if out.Kind != "SESSION" {
		if err := expect(lex, "SIZE"); err != nil {
			return nil, err
		}
	}
	var err error
	if out.Size, err = span(lex); err != nil {
		return nil, err
	}
	if out.Kind == "HOPPING" {
		if err = expect(lex, ",", "ADVANCE", "BY"); err != nil {
			return nil, err
		}
		if out.Advance, err = span(lex); err != nil {
			return nil, err
		}
	}
	return out, endOfWindow(lex)
}

// endOfWindow takes the closing parenthesis. What others say of late rows and of old windows before it has other places here.
func endOfWindow(lex *cursor) error {
	if accept(lex, ",") {
		switch t := lex.peek(); {
		case is(t, "GRACE"):
			return errGrace(lex)
		case is(t, "RETENTION"):
			return notSupported(t, "RETENTION of a window", "leave it out: a view keeps what it has")
		}
	}
	return expect(lex, ")")
}

// errGrace says where the grace that comes next is written.
func errGrace(lex *cursor) error {
	t := lex.next()
	grace := "INTERVAL '1 hour'"
	if accept(lex, "PERIOD") {
		if width, err := span(lex); err == nil {
			grace = width.String()
		}
	}
	return notSupported(t, "GRACE PERIOD", "leave it out: how late events may be is said of the stream, WATERMARK FOR ts AS ts - "+grace+
		", or behind the query of a view: LATE RECOMPUTE WITHIN "+grace)
}

// span reads an interval, which may be a number with a unit behind it: 30 SECONDS.
func span(lex *cursor) (ast.Expr, error) {
	number := lex.peek()
	unit := lex.second()
	if number.Type != tokenNumber || unit.Type != tokenIdent || !intervalUnits[upper(unit.Value)] {
		return readExpr(lex)
	}
	lex.next()
	lex.next()
	pos := position(number.Pos)
	value := ast.String{Pos: pos, Value: number.Value + " " + upper(unit.Value)}
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: value}, nil
}

// within takes WITHIN width, or WITHIN (before, after), before the condition of a join.
func within(lex *cursor) (*ast.Within, error) {
	t := lex.peek()
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

func noGrace(lex *cursor) error {
	if t := lex.peek(); is(t, "GRACE") {
		return errGrace(lex)
	}
	return nil
}
