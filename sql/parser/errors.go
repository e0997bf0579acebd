package parser

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// unexpected is a token where the grammar wants something else. explainError words it.
type unexpected struct {
	token token
	// expected says in words what was wanted; it is empty where many things could follow.
	expected string
}

// Error is for debugging only: users see what explainError makes of it.
func (e *unexpected) Error() string { return "unexpected " + described(e.token) }

// explainError words what went wrong in a statement's tokens for the person who wrote it.
func explainError(tokens []token, err error) error {
	var worded *event.Error
	if errors.As(err, &worded) {
		return worded
	}
	var u *unexpected
	if !errors.As(err, &u) {
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
func before(tokens []token, t token) token {
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].Pos.Offset >= t.Pos.Offset })
	if i == 0 {
		return token{}
	}
	return tokens[i-1]
}

// described names a token as its writer sees it.
func described(t token) string {
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
