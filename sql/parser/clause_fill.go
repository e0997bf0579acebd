package parser

import (
	"strings"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// sampleBy reads SAMPLE BY width [FROM time] [TO time] if it comes next, where the width is an expression or a number with its unit,
// such as 15m.
func sampleBy(lex *cursor) (*ast.Sample, error) {
	if !acceptWords(lex, "SAMPLE", "BY") {
		return nil, nil
	}
	out := &ast.Sample{}
	var err error
	if out.Width, err = sampleWidth(lex); err != nil {
		return nil, err
	}
	out.Pos = out.Width.Position()
	if out.From, err = condition(lex, "FROM"); err != nil {
		return nil, err
	}
	out.To, err = condition(lex, "TO")
	return out, err
}

func sampleWidth(lex *cursor) (ast.Expr, error) {
	if t := lex.peek(); t.Type == tokenDuration {
		lex.next()
		return duration(t), nil
	}
	return readExpr(lex)
}

// duration is the interval that a number with its unit stands for.
func duration(t token) ast.Expr {
	width := t.Value
	if number, month := strings.CutSuffix(width, "M"); month { // a small m is a minute
		width = number + " months"
	}
	pos := position(t.Pos)
	return &ast.TypedLiteral{Type: ast.TypeName{Text: "INTERVAL", Pos: pos}, Value: ast.String{Pos: pos, Value: width}}
}

// alignTo reads ALIGN TO CALENDAR [TIME ZONE zone] [WITH OFFSET offset], or ALIGN TO FIRST OBSERVATION, behind SAMPLE BY and FILL if it
// comes next. Without SAMPLE BY what it gives says where it stood, for the error.
func alignTo(lex *cursor, sample *ast.Sample) (*ast.Sample, error) {
	pos := position(lex.peek().Pos)
	if !acceptWords(lex, "ALIGN", "TO") {
		return sample, nil
	}
	if sample == nil {
		sample = &ast.Sample{Pos: pos}
	}
	if acceptWords(lex, "FIRST", "OBSERVATION") {
		sample.First = sample.Width != nil
		return sample, nil
	}
	if err := expect(lex, "CALENDAR"); err != nil {
		return nil, err
	}
	var zone, offset ast.Expr
	var err error
	if acceptWords(lex, "TIME", "ZONE") {
		if zone, err = readExpr(lex); err != nil {
			return nil, err
		}
	}
	if acceptWords(lex, "WITH", "OFFSET") {
		if offset, err = readExpr(lex); err != nil {
			return nil, err
		}
	}
	if sample.Width != nil {
		sample.Zone, sample.Offset = zone, offset
	}
	return sample, nil
}

// fillClause reads FILL (value, ...), of values NULL, PREV, LINEAR or a constant, if it comes next.
func fillClause(lex *cursor) (*ast.Fill, error) {
	out := &ast.Fill{Pos: position(lex.peek().Pos)}
	if !acceptWords(lex, "FILL", "(") {
		return nil, nil
	}
	err := commas(lex, func() error {
		value, err := fillValue(lex)
		out.Values = append(out.Values, value)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, expect(lex, ")")
}

func fillValue(lex *cursor) (ast.FillValue, error) {
	switch {
	case accept(lex, "NULL"):
		return ast.FillValue{Mode: "NULL"}, nil
	case accept(lex, "PREV"), accept(lex, "PREVIOUS"):
		return ast.FillValue{Mode: "PREV"}, nil
	case accept(lex, "LINEAR"):
		return ast.FillValue{Mode: "LINEAR"}, nil
	default:
		value, err := readExpr(lex)
		return ast.FillValue{Value: value}, err
	}
}
