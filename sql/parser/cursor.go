package parser

import "strings"

// cursor is a place in the tokens of one statement, the last of which is that of its end. Reading never goes past that one.
type cursor struct {
	tokens []token
	at     int
}

// peek is the token that comes next.
func (c *cursor) peek() token { return c.tokens[c.at] }

// second is the token behind the next one.
func (c *cursor) second() token { return c.tokens[min(c.at+1, len(c.tokens)-1)] }

// next takes the token that comes next.
func (c *cursor) next() token {
	t := c.tokens[c.at]
	if !t.EOF() {
		c.at++
	}
	return t
}

// mark is the place reached, for reset.
func (c *cursor) mark() int { return c.at }

// reset goes back to a place.
func (c *cursor) reset(mark int) { c.at = mark }

// accept takes the symbol or word if it comes next.
func accept(lex *cursor, text string) bool {
	if !is(lex.tokens[lex.at], text) {
		return false
	}
	lex.at++
	return true
}

// acceptOne takes one of the symbols or words if it comes next.
func acceptOne(lex *cursor, texts ...string) bool {
	for _, text := range texts {
		if accept(lex, text) {
			return true
		}
	}
	return false
}

// acceptWords takes all the words if they come next, else none.
func acceptWords(lex *cursor, words ...string) bool {
	start := lex.mark()
	for _, w := range words {
		if !accept(lex, w) {
			lex.reset(start)
			return false
		}
	}
	return true
}

// ahead reports whether the words come next.
func ahead(lex *cursor, words ...string) bool {
	start := lex.mark()
	defer lex.reset(start)
	return acceptWords(lex, words...)
}

// expect takes the symbols or words, which must come next.
func expect(lex *cursor, texts ...string) error {
	for _, text := range texts {
		if !accept(lex, text) {
			return &unexpected{token: lex.peek(), expected: text}
		}
	}
	return nil
}

// is reports whether a token is the symbol or the word, which is given in upper case.
func is(t token, text string) bool {
	switch t.Type {
	case tokenSymbol:
		return t.Value == text
	case tokenKeyword, tokenIdent:
		return len(t.Value) == len(text) && t.Value[0]|caseBit == text[0]|caseBit && strings.EqualFold(t.Value, text)
	default:
		return false
	}
}

// caseBit is what small letters have and capitals have not.
const caseBit = 'a' - 'A'

func upper(s string) string { return strings.ToUpper(s) }
