// Package parser turns SQL text into statements.
//
// Each statement and clause has a function that reads it by recursive descent, in the statement_*.go, query*.go and clause_*.go files;
// expressions are read by a precedence climber. A few tokens at most decide which way to go, so time grows with the length of the
// text and no more. Text length, nesting and the number of operators are bounded, and whatever the text, parsing ends in
// statements or in an *event.Error with a position: code not_supported for what the dialect has and this version does not,
// syntax_error for the rest. The package knows no streams and no types; package bind does. Everything in it may be used from any
// goroutine.
package parser

import (
	"slices"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

const (
	// maxTextBytes bounds a text. Trees take some hundred times the memory of their text.
	maxTextBytes = 1 << 20
	// maxDepth bounds how deep parentheses, CASE and prefix operators nest.
	maxDepth = 200
	// maxOperators bounds one expression, because a chain of operators makes a tree as deep as the chain is long.
	maxOperators = 10_000
)

// Parse reads statements separated by semicolons; there is at least one. The error is an *event.Error.
func Parse(text string) ([]ast.Statement, error) {
	if len(text) > maxTextBytes {
		return nil, event.Errorf(event.CodeTooLarge, "SQL text of %d bytes is longer than %d", len(text), maxTextBytes)
	}
	if !utf8.ValidString(text) {
		return nil, event.Errorf(event.CodeSyntax, "SQL text is not valid UTF-8")
	}
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	var out []ast.Statement
	for _, piece := range split(tokens) {
		s, err := parseOne(piece)
		if err != nil {
			return nil, explainError(piece, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, event.Errorf(event.CodeSyntax, "there is no statement").At(position(tokens[len(tokens)-1].Pos))
	}
	return out, nil
}

// checkNesting bounds the depth of parentheses before anything recurses over them.
func checkNesting(tokens []token) error {
	depth := 0
	for _, t := range tokens {
		if t.Type != tokenSymbol {
			continue
		}
		switch t.Value {
		case "(":
			depth++
		case ")":
			depth--
		case ";":
			depth = 0
		}
		if depth > maxDepth {
			return tooDeep(t)
		}
	}
	return nil
}

func tooDeep(t token) error {
	return event.Errorf(event.CodeSyntax, "statement nests deeper than %d levels", maxDepth).At(position(t.Pos))
}

// split cuts at semicolons and drops empty statements. Each ends with a token for its end, in the place of the semicolon.
func split(tokens []token) [][]token {
	var pieces [][]token
	start := 0
	for i, t := range tokens {
		if !t.EOF() && (t.Type != tokenSymbol || t.Value != ";") {
			continue
		}
		if i > start {
			tokens[i] = token{Type: tokenEnd, Pos: t.Pos}
			pieces = append(pieces, slices.Clip(tokens[start:i+1]))
		}
		start = i + 1
	}
	return pieces
}

func parseOne(tokens []token) (ast.Statement, error) {
	if err := unsupportedStatement(tokens); err != nil {
		return nil, err
	}
	lex := &cursor{tokens: tokens}
	out, err := parseStatement(lex)
	if err != nil {
		return nil, err
	}
	if rest := lex.peek(); !rest.EOF() {
		return nil, &unexpected{token: rest}
	}
	return out, nil
}

// parseStatement reads a statement, which its first words tell from others.
func parseStatement(lex *cursor) (ast.Statement, error) {
	if read := viewStatement(lex); read != nil {
		return read(lex)
	}
	switch t := lex.peek(); {
	case is(t, "CREATE"):
		return createStream(lex)
	case is(t, "DROP"):
		return dropStream(lex)
	case is(t, "ALTER"):
		return alterStream(lex)
	case is(t, "INSERT"):
		return insert(lex)
	case is(t, "SHOW"):
		return showTable(lex)
	case is(t, "KILL"):
		return killQuery(lex)
	case is(t, "DESCRIBE"), is(t, "DESC"):
		return describe(lex)
	case is(t, "SUMMARIZE"):
		return summarize(lex)
	case is(t, "EXPLAIN"):
		return explain(lex)
	default:
		query, err := parseQuery(lex)
		if err != nil {
			return nil, err
		}
		return followed(lex, query)
	}
}
