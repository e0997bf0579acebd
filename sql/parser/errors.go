package parser

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
)

// unexpected is a token where the grammar wants something else. explainError words it.
type unexpected struct {
	token lexer.Token
	// expected says in words what was wanted; it is empty where many things could follow.
	expected string
}

// Error is for debugging only: users see what explainError makes of it.
func (e *unexpected) Error() string { return fmt.Sprintf("unexpected %s", e.token) }

// explainError words what went wrong in a statement's tokens for the person who wrote it.
func explainError(tokens []lexer.Token, err error) error {
	var worded *event.Error
	if errors.As(err, &worded) {
		return worded
	}
	var u *unexpected
	var grammar *participle.UnexpectedTokenError
	switch {
	case errors.As(err, &u):
	case errors.As(err, &grammar):
		u = &unexpected{token: grammar.Unexpected, expected: expectation(grammar)}
	default:
		return event.Errorf(event.CodeInternal, "parse statement: %v", err)
	}
	if c := unsupportedClause(u.token); c != nil {
		return c
	}
	previous := before(tokens, u.token)
	switch {
	case u.token.Pos == tokens[0].Pos:
		u.expected = "a statement such as SELECT, INSERT, CREATE STREAM, SHOW STREAMS, DESCRIBE or EXPLAIN"
	case u.expected == "SELECT" && is(tokens[0], "INSERT"):
		u.expected = "VALUES or SELECT"
	}
	detail := described(u.token) + " is not expected here"
	if u.expected != "" {
		detail = fmt.Sprintf("expected %s, found %s", u.expected, described(u.token))
	}
	out := event.Errorf(event.CodeSyntax, "%s", detail).At(position(u.token.Pos))
	if hint := hintFor(u, previous); hint != "" {
		return out.WithHint("%s", hint)
	}
	return out
}

// before is the token before t, or a zero token.
func before(tokens []lexer.Token, t lexer.Token) lexer.Token {
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].Pos.Offset >= t.Pos.Offset })
	if i == 0 {
		return lexer.Token{}
	}
	return tokens[i-1]
}

// described names a token as its writer sees it.
func described(t lexer.Token) string {
	const most = 40
	switch {
	case t.EOF():
		return "the end of the statement"
	case t.Type == tokenQuoted:
		return t.Value
	case len(t.Value) > most:
		return fmt.Sprintf("%q", strings.ToValidUTF8(t.Value[:most], "")+"...")
	default:
		return fmt.Sprintf("%q", t.Value)
	}
}

// symbolWords says what the symbols of the grammar are.
var symbolWords = map[string]string{
	"expression": "an expression", "OrderKey": "an expression", "name": "a name", "typeName": "a type",
	"tableRef": "the name of a stream", "SelectQuery": "SELECT", "QueryTerm": "SELECT", "selectCore": "SELECT",
	"StreamElement": "a column or WATERMARK", "ColumnDef": "a column", "AddColumn": "a column",
	"InsertRow": "a row in parentheses", "Option": "an option", "Cte": "a name", "<number>": "a number", "<string>": "a string",
}

// expectation puts into words the symbol that participle's error names first.
func expectation(err *participle.UnexpectedTokenError) string {
	_, expected, ok := strings.Cut(err.Message(), " (expected ")
	if !ok {
		return ""
	}
	expected = strings.TrimLeft(expected, "(")
	if text, quoted := strings.CutPrefix(expected, `"`); quoted {
		text, _, _ = strings.Cut(text, `"`)
		return text
	}
	end := strings.IndexAny(expected, " )?*+!")
	if end > 0 {
		expected = expected[:end]
	}
	return symbolWords[expected]
}
