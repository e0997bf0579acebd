// Package parser turns SQL text into statements.
//
// Statements are declared as grammar structs for participle, in the grammar_*.go files; expressions are read by a precedence
// climber that stands in that grammar as one symbol. One token always decides which way to go, so time grows with the length of
// the text and no more. Text length, nesting and the number of operators are bounded, and whatever the text, parsing ends in
// statements or in an *event.Error with a position: code not_supported for what the dialect has and this version does not,
// syntax_error for the rest. The package knows no streams and no types; package bind does. Everything in it may be used from any
// goroutine.
package parser

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

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

// statement is the root of the grammar: exactly one of its fields is set.
type statement struct {
	View     *viewStatement `parser:"@@"`
	Create   *createStream  `parser:"| @@"`
	Drop     *dropStream    `parser:"| @@"`
	Alter    *alterStream   `parser:"| @@"`
	Insert   *insert        `parser:"| @@"`
	Show     *showTable     `parser:"| @@"`
	Kill     *killQuery     `parser:"| @@"`
	Describe *describe      `parser:"| @@"`
	Summary  *summarize     `parser:"| @@"`
	Explain  *explain       `parser:"| @@"`
	Select   *selectQuery   `parser:"| @@"`
}

var (
	statements = build[statement]()
	queries    = build[selectQuery]()
)

// build makes a parser that never looks further than one token, so that a branch once entered is the only one.
func build[G any]() *participle.Parser[G] {
	return participle.MustBuild[G](
		participle.Lexer(definition{}),
		participle.CaseInsensitive("Keyword", "Ident"),
		participle.UseLookahead(0),
	)
}

// Parse reads statements separated by semicolons; there is at least one. The error is an *event.Error.
func Parse(text string) ([]ast.Statement, error) {
	if len(text) > maxTextBytes {
		return nil, event.Errorf(event.CodeTooLarge, "SQL text of %d bytes is longer than %d", len(text), maxTextBytes)
	}
	if !utf8.ValidString(text) {
		return nil, event.Errorf(event.CodeSyntax, "SQL text is not valid UTF-8")
	}
	lex, tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	var out []ast.Statement
	for _, piece := range split(tokens) {
		if &piece[0] != &tokens[0] { // the first statement is read from where it is
			if lex, err = lexer.Upgrade(&replay{tokens: piece}); err != nil {
				return nil, err
			}
		}
		s, err := parseOne(piece, lex)
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
func checkNesting(tokens []lexer.Token) error {
	depth := 0
	for _, t := range tokens {
		switch {
		case is(t, "("):
			depth++
		case is(t, ")"):
			depth--
		case is(t, ";"):
			depth = 0
		}
		if depth > maxDepth {
			return tooDeep(t)
		}
	}
	return nil
}

func tooDeep(t lexer.Token) error {
	return event.Errorf(event.CodeSyntax, "statement nests deeper than %d levels", maxDepth).At(position(t.Pos))
}

// split cuts at semicolons and drops empty statements. Each ends with a token for its end, in the place of the semicolon.
func split(tokens []lexer.Token) [][]lexer.Token {
	var pieces [][]lexer.Token
	start := 0
	for i, t := range tokens {
		if !t.EOF() && (t.Type != tokenSymbol || t.Value != ";") {
			continue
		}
		if i > start {
			tokens[i] = lexer.EOFToken(t.Pos)
			pieces = append(pieces, slices.Clip(tokens[start:i+1]))
		}
		start = i + 1
	}
	return pieces
}

func parseOne(tokens []lexer.Token, lex *lexer.PeekingLexer) (ast.Statement, error) {
	if err := unsupportedStatement(tokens); err != nil {
		return nil, err
	}
	parsed, err := statements.ParseFromLexer(lex)
	if err != nil {
		return nil, err
	}
	return parsed.tree()
}

// tree is the statement as a syntax tree.
func (s *statement) tree() (ast.Statement, error) {
	switch {
	case s.View != nil:
		return s.View.tree()
	case s.Create != nil:
		return s.Create.tree()
	case s.Drop != nil:
		return s.Drop.tree(), nil
	case s.Alter != nil:
		return s.Alter.tree(), nil
	case s.Insert != nil:
		return s.Insert.tree()
	case s.Show != nil:
		return s.Show.tree(), nil
	case s.Kill != nil:
		return s.Kill.tree(), nil
	case s.Describe != nil:
		return s.Describe.tree()
	case s.Summary != nil:
		return s.Summary.tree()
	case s.Explain != nil:
		return s.Explain.tree()
	case s.Select != nil:
		return s.Select.tree()
	default:
		return nil, errors.New("parse statement: the grammar matched nothing")
	}
}

// replay hands out tokens read before.
type replay struct{ tokens []lexer.Token }

// Next is the next token, and the last one for ever.
func (r *replay) Next() (lexer.Token, error) {
	t := r.tokens[0]
	if len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
	return t, nil
}
