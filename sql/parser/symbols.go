package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// name is an identifier where the grammar needs one.
type name struct{ ast.Name }

// Parse takes an identifier that is not a reserved word.
func (n *name) Parse(lex *lexer.PeekingLexer) error {
	t := *lex.Peek()
	if t.Type != tokenIdent && t.Type != tokenQuoted {
		return &unexpected{token: t, expected: "a name"}
	}
	lex.Next()
	n.Name = nameOf(t)
	return nil
}

// alias is an optional new name: any word after AS, else one that cannot begin a clause.
type alias struct{ ast.Name }

// Parse takes the alias if there is one.
func (a *alias) Parse(lex *lexer.PeekingLexer) error {
	t := *lex.Peek()
	if t.Type == tokenKeyword && upper(t.Value) == "AS" {
		lex.Next()
		t = *lex.Peek()
		if t.Type != tokenIdent && t.Type != tokenQuoted && t.Type != tokenKeyword {
			return &unexpected{token: t, expected: "a name after AS"}
		}
	} else if t.Type != tokenQuoted && (t.Type != tokenIdent || beginsClause(lex)) {
		return participle.NextMatch
	}
	lex.Next()
	a.Name = nameOf(t)
	return nil
}

// beginsClause reports whether the word that comes next begins a clause of the dialect. Some such words are names where what follows them
// belongs to no such clause.
func beginsClause(lex *lexer.PeekingLexer) bool {
	word := upper(lex.Peek().Value)
	if !notAliases[word] {
		return false
	}
	start := lex.MakeCheckpoint()
	defer lex.LoadCheckpoint(start)
	lex.Next()
	switch next := *lex.Peek(); word {
	case "EMIT":
		return next.Type == tokenIdent || is(next, "ON")
	case "FILL":
		return is(next, "(")
	case "LATE":
		return is(next, "DROP") || is(next, "RECOMPUTE")
	case "LATEST":
		return is(next, "ON") || is(next, "BY")
	case "SAMPLE":
		return is(next, "BY")
	case "WINDOW":
		return next.Type == tokenIdent || next.Type == tokenQuoted
	default:
		return true
	}
}

func (a *alias) tree() *ast.Name {
	if a == nil {
		return nil
	}
	return &a.Name
}

// parseQuery reads a query inside another statement and leaves lex behind it.
func parseQuery(lex *lexer.PeekingLexer) (*ast.Select, error) {
	parsed, err := queries.ParseFromLexer(lex, participle.AllowTrailing(true))
	if err != nil {
		return nil, err
	}
	return parsed.tree()
}

// typeName is the name of a type.
type typeName struct{ ast.TypeName }

// Parse takes one word, the further words that some types have, sizes in parentheses and brackets of arrays.
func (n *typeName) Parse(lex *lexer.PeekingLexer) error {
	t := *lex.Peek()
	if t.Type != tokenIdent {
		return &unexpected{token: t, expected: "a type"}
	}
	lex.Next()
	words := []string{upper(t.Value)}
	words = append(words, moreWords(lex, words[0])...)
	n.Pos = position(t.Pos)
	sizes, err := typeSizes(lex)
	if err != nil {
		return err
	}
	if sizes != "" && len(words) == 1 && strings.HasPrefix(words[0], "TIME") { // the zone stands behind: TIMESTAMP(3) WITH TIME ZONE
		words = append(words, moreWords(lex, words[0])...)
	}
	n.Text = strings.Join(words, " ") + sizes
	for accept(lex, "[") {
		if lex.Peek().Type == tokenNumber { // a length, which PostgreSQL does not keep to either
			lex.Next()
		}
		if err := expect(lex, "]"); err != nil {
			return err
		}
		n.Text += "[]"
	}
	return nil
}

// moreWords takes the further words of a type.
func moreWords(lex *lexer.PeekingLexer, first string) []string {
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
	"TIME":      {{"WITHOUT", "TIME", "ZONE"}},
	"TIMESTAMP": {{"WITH", "TIME", "ZONE"}, {"WITHOUT", "TIME", "ZONE"}},
}

func typeSizes(lex *lexer.PeekingLexer) (string, error) {
	if !accept(lex, "(") {
		return "", nil
	}
	var sizes []string
	for {
		t := *lex.Peek()
		if t.Type != tokenNumber {
			return "", &unexpected{token: t, expected: "a number"}
		}
		lex.Next()
		sizes = append(sizes, t.Value)
		if !accept(lex, ",") {
			break
		}
	}
	return "(" + strings.Join(sizes, ",") + ")", expect(lex, ")")
}

// accept takes the symbol or word if it comes next.
func accept(lex *lexer.PeekingLexer, text string) bool {
	if !is(*lex.Peek(), text) {
		return false
	}
	lex.Next()
	return true
}

// acceptWords takes all the words if they come next, else none.
func acceptWords(lex *lexer.PeekingLexer, words ...string) bool {
	start := lex.MakeCheckpoint()
	for _, w := range words {
		if !accept(lex, w) {
			lex.LoadCheckpoint(start)
			return false
		}
	}
	return true
}

// expect takes the symbol or word, which must come next.
func expect(lex *lexer.PeekingLexer, text string) error {
	if !accept(lex, text) {
		return &unexpected{token: *lex.Peek(), expected: text}
	}
	return nil
}

// is reports whether a token is the symbol or the word, which is given in upper case.
func is(t lexer.Token, text string) bool {
	switch t.Type {
	case tokenSymbol:
		return t.Value == text
	case tokenKeyword, tokenIdent:
		return strings.EqualFold(t.Value, text)
	default:
		return false
	}
}

func upper(s string) string { return strings.ToUpper(s) }

func names(parsed []name) []ast.Name {
	var out []ast.Name
	for _, n := range parsed {
		out = append(out, n.Name)
	}
	return out
}

func notSupported(t lexer.Token, construct, hint string) *event.Error {
	err := event.Errorf(event.CodeNotSupported, "%s: not supported yet", construct).At(position(t.Pos))
	if hint != "" {
		err = err.WithHint("%s", hint)
	}
	return err
}
