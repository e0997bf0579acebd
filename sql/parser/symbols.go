package parser

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// readName takes an identifier that is not a reserved word.
func readName(lex *cursor) (ast.Name, error) {
	t := lex.peek()
	if t.Type != tokenIdent && t.Type != tokenQuoted {
		return ast.Name{}, &unexpected{token: t, expected: "a name"}
	}
	lex.next()
	return nameOf(t), nil
}

// readNames takes names with commas between them and the closing parenthesis.
func readNames(lex *cursor) ([]ast.Name, error) {
	var out []ast.Name
	for {
		n, err := readName(lex)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if !accept(lex, ",") {
			return out, expect(lex, ")")
		}
	}
}

// namesInParentheses takes a list of names, if one comes next.
func namesInParentheses(lex *cursor) ([]ast.Name, error) {
	if !accept(lex, "(") {
		return nil, nil
	}
	return readNames(lex)
}

// readAlias takes a new name if there is one: any word after AS, else one that cannot begin a clause.
func readAlias(lex *cursor) (*ast.Name, error) {
	t := lex.peek()
	if t.Type == tokenKeyword && is(t, "AS") {
		lex.next()
		t = lex.peek()
		if t.Type != tokenIdent && t.Type != tokenQuoted && t.Type != tokenKeyword {
			return nil, &unexpected{token: t, expected: "a name after AS"}
		}
	} else if t.Type != tokenQuoted && (t.Type != tokenIdent || beginsClause(lex)) {
		return nil, nil
	}
	lex.next()
	n := nameOf(t)
	return &n, nil
}

// beginsClause reports whether the word that comes next begins a clause of the dialect. Some such words are names where what follows them
// belongs to no such clause.
func beginsClause(lex *cursor) bool {
	word := upper(lex.peek().Value)
	if !notAliases[word] {
		return false
	}
	start := lex.mark()
	defer lex.reset(start)
	lex.next()
	switch next := lex.peek(); word {
	case "EMIT":
		return next.Type == tokenIdent || is(next, "ON")
	case "FILL":
		return is(next, "(")
	case "LATE":
		return is(next, "DROP") || is(next, "RECOMPUTE")
	case "LATEST":
		return is(next, "ON") || is(next, "BY")
	case "SAMPLE", "TIMESTAMP":
		return is(next, "BY")
	case "SETTINGS":
		lex.next()
		return next.Type == tokenIdent && is(lex.peek(), "=")
	case "LT", "SPLICE", "HORIZON":
		return is(next, "JOIN")
	case "WATERMARK":
		return next.Type == tokenIdent
	case "WINDOW":
		return next.Type == tokenIdent || next.Type == tokenQuoted || is(next, "JOIN")
	default:
		return true
	}
}

// readType takes the name of a type: one word, the further words that some types have, sizes in parentheses and brackets of arrays.
func readType(lex *cursor) (ast.TypeName, error) {
	t := lex.peek()
	if t.Type != tokenIdent {
		return ast.TypeName{}, &unexpected{token: t, expected: "a type"}
	}
	lex.next()
	first := upper(t.Value)
	more := moreWords(lex, first)
	sizes, err := typeSizes(lex)
	if err != nil {
		return ast.TypeName{}, err
	}
	if sizes != "" && len(more) == 0 && strings.HasPrefix(first, "TIME") { // the zone stands behind: TIMESTAMP(3) WITH TIME ZONE
		more = moreWords(lex, first)
	}
	out := ast.TypeName{Pos: position(t.Pos), Text: first}
	if len(more) > 0 {
		out.Text += " " + strings.Join(more, " ")
	}
	out.Text += sizes
	if accept(lex, "ARRAY") && !is(lex.peek(), "[") { // as the standard has it, with a length or without
		out.Text += "[]"
	}
	for accept(lex, "[") {
		if lex.peek().Type == tokenNumber { // a length, which PostgreSQL does not keep to either
			lex.next()
		}
		if err := expect(lex, "]"); err != nil {
			return ast.TypeName{}, err
		}
		out.Text += "[]"
	}
	return out, nil
}

// moreWords takes the further words of a type.
func moreWords(lex *cursor, first string) []string {
	for _, more := range longTypes[first] {
		if acceptWords(lex, more...) {
			return more
		}
	}
	return nil
}

// longTypes holds the words that can follow the first one of a type name.
var longTypes = map[string][][]string{
	"DOUBLE":    {{"PRECISION"}},
	"CHARACTER": {{"VARYING"}},
	"CHAR":      {{"VARYING"}},
	"BIT":       {{"VARYING"}},
	"TIME":      {{"WITH", "TIME", "ZONE"}, {"WITHOUT", "TIME", "ZONE"}},
	"TIMESTAMP": {{"WITH", "TIME", "ZONE"}, {"WITHOUT", "TIME", "ZONE"}},
}

func typeSizes(lex *cursor) (string, error) {
	if !accept(lex, "(") {
		return "", nil
	}
	var sizes []string
	for {
		t := lex.peek()
		if t.Type != tokenNumber {
			return "", &unexpected{token: t, expected: "a number"}
		}
		lex.next()
		sizes = append(sizes, t.Value)
		if !accept(lex, ",") {
			break
		}
	}
	return "(" + strings.Join(sizes, ",") + ")", expect(lex, ")")
}

func notSupported(t token, construct, hint string) *event.Error {
	err := event.Errorf(event.CodeNotSupported, "%s: not supported yet", construct).At(position(t.Pos))
	if hint != "" {
		err = err.WithHint("%s", hint)
	}
	return err
}
