package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// wordPower is the power of an operator that begins with a word which may be a name as well, if what comes after it says that it is
// one: AT TIME ZONE, SIMILAR TO, OVERLAPS.
func (c *climber) wordPower(t lexer.Token) int {
	if t.Type != tokenIdent {
		return 0
	}
	for words, power := range wordOperators {
		if !is(t, words[0]) {
			continue
		}
		start := c.lex.MakeCheckpoint()
		c.lex.Next()
		follows := is(*c.lex.Peek(), words[1])
		c.lex.LoadCheckpoint(start)
		if follows {
			return power
		}
	}
	return 0
}

// wordOperators are the first two tokens of these operators, with their powers.
var wordOperators = map[[2]string]int{
	{"AT", "TIME"}: powerAt, {"SIMILAR", "TO"}: powerRange, {"OVERLAPS", "("}: powerRange, {"OVERLAPS", "ROW"}: powerRange,
}

// synonyms are spellings of operators that others stand for. Those with NOT turn the result round.
var synonyms = map[string]struct {
	op  string
	not bool
}{
	"!=": {op: "<>"}, "**": {op: "^"},
	"!~": {op: "~", not: true}, "!~*": {op: "~*", not: true},
	"~~": {op: "LIKE"}, "~~*": {op: "ILIKE"}, "!~~": {op: "LIKE", not: true}, "!~~*": {op: "ILIKE", not: true},
}

// binary joins two operands.
func binary(pos event.Position, word string, left, right ast.Expr) ast.Expr {
	synonym, ok := synonyms[word]
	if !ok {
		return &ast.Binary{Pos: pos, Op: word, Left: left, Right: right}
	}
	out := &ast.Binary{Pos: pos, Op: synonym.op, Left: left, Right: right}
	if synonym.not {
		return &ast.Unary{Pos: pos, Op: "NOT", Input: out}
	}
	return out
}

// atTimeZone reads what follows AT.
func (c *climber) atTimeZone(left ast.Expr, pos event.Position) (ast.Expr, error) {
	for _, word := range []string{"TIME", "ZONE"} {
		if err := expect(c.lex, word); err != nil {
			return nil, err
		}
	}
	zone, err := c.expr(powerAt + 1)
	return &ast.Call{Name: ast.Name{Text: "timezone", Pos: pos}, Args: []ast.Expr{zone, left}}, err
}

// pattern reads what follows LIKE, ILIKE or SIMILAR TO: a pattern, and perhaps its escape character.
func (c *climber) pattern(left ast.Expr, op string, pos event.Position) (ast.Expr, error) {
	pattern, err := c.expr(powerRange + 1)
	if err != nil {
		return nil, err
	}
	if t := *c.lex.Peek(); accept(c.lex, "ESCAPE") {
		escape, err := c.expr(powerRange + 1)
		if err != nil {
			return nil, err
		}
		pattern = &ast.Call{Name: ast.Name{Text: "like_escape", Pos: position(t.Pos)}, Args: []ast.Expr{pattern, escape}}
	}
	return &ast.Binary{Pos: pos, Op: op, Left: left, Right: pattern}, nil
}
