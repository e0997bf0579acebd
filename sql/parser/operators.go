package parser

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// wordPower is the power of an operator that begins with a word which may be a name as well, if what comes after it says that it is
// one: AT TIME ZONE, SIMILAR TO, OVERLAPS.
func (c *climber) wordPower(t token) int {
	if t.Type != tokenIdent {
		return 0
	}
	word := upper(t.Value)
	if power := postfixWords[word]; power != 0 {
		return power
	}
	if synonyms[word].op != "" && beginsOperand(c.lex.second()) {
		return powerProduct
	}
	for _, op := range wordOperators {
		if is(t, op.first) && is(c.lex.second(), op.second) {
			return op.power
		}
	}
	return 0
}

// beginsOperand reports whether an operand begins with the token, so that a word before it cannot be the name of a column.
func beginsOperand(t token) bool {
	switch t.Type {
	case tokenNumber, tokenString, tokenParam, tokenQuoted, tokenDuration:
		return true
	case tokenIdent:
		return !notAliases[upper(t.Value)]
	default:
		return is(t, "(") || is(t, "CASE") || is(t, "CAST")
	}
}

// wordOperators are the first two tokens of these operators, with their powers.
var wordOperators = []struct {
	first, second string
	power         int
}{{"AT", "TIME", powerAt}, {"SIMILAR", "TO", powerRange}, {"OVERLAPS", "(", powerRange}, {"OVERLAPS", "ROW", powerRange}}

// postfixWords are the words that say something of the operand before them, with their powers.
var postfixWords = map[string]int{"ISNULL": powerIs, "NOTNULL": powerIs, "COLLATE": powerCollate}

// postfix reads such a word.
func (c *climber) postfix(left ast.Expr, word string, pos event.Position) (ast.Expr, error) {
	c.lex.next()
	if word != "COLLATE" {
		return &ast.Is{Pos: pos, Input: left, Test: "NULL", Not: word == "NOTNULL"}, nil
	}
	return left, c.collation()
}

// collation takes the name of a collation. Texts are compared by their bytes, so only those that do the same say what is done.
func (c *climber) collation() error {
	t := c.lex.peek()
	collation, err := readName(c.lex)
	if err != nil {
		return err
	}
	switch strings.ToLower(collation.Text) {
	case "c", "posix", "c.utf-8", "c.utf8", "ucs_basic", "default", "binary":
		return nil
	default:
		return notSupported(t, "the collation "+collation.Text, `texts are compared by their bytes, as COLLATE "C" does; compare lower(x) to disregard case`)
	}
}

// synonyms are spellings of operators that others stand for. Those with NOT turn the result round.
var synonyms = map[string]struct {
	op  string
	not bool
}{
	"!=": {op: "<>"}, "==": {op: "="}, "**": {op: "^"}, "MOD": {op: "%"},
	"!~": {op: "~", not: true}, "!~*": {op: "~*", not: true},
	"~~": {op: "LIKE"}, "~~*": {op: "ILIKE"}, "!~~": {op: "LIKE", not: true}, "!~~*": {op: "ILIKE", not: true},
}

// binary joins two operands.
func binary(pos event.Position, word string, left, right ast.Expr) ast.Expr {
	if word == "//" { // of DuckDB, whose / gives fractions of whole numbers
		return &ast.Call{Name: ast.Name{Text: "div", Pos: pos}, Args: []ast.Expr{left, right}}
	}
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

// pattern reads what follows LIKE, ILIKE or SIMILAR TO, before which NOT may have stood: a pattern, and perhaps its escape character.
func (c *climber) pattern(left ast.Expr, op string, not bool, pos event.Position) (ast.Expr, error) {
	if word := c.lex.peek(); (is(word, "ANY") || is(word, "SOME") || is(word, "ALL")) && is(c.lex.second(), "(") {
		return c.patterns(left, op, not, pos)
	}
	pattern, err := c.expr(powerRange + 1)
	if err != nil {
		return nil, err
	}
	if t := c.lex.peek(); accept(c.lex, "ESCAPE") {
		escape, err := c.expr(powerRange + 1)
		if err != nil {
			return nil, err
		}
		pattern = &ast.Call{Name: ast.Name{Text: "like_escape", Pos: position(t.Pos)}, Args: []ast.Expr{pattern, escape}}
	}
	return &ast.Binary{Pos: pos, Op: op, Left: left, Right: pattern}, nil
}

// patterns reads what follows LIKE where it is ANY or ALL with ARRAY[...] in parentheses: one of the patterns matches, or all of them. The
// caller turns the result round where not says that NOT stood before it, which goes for each pattern.
func (c *climber) patterns(left ast.Expr, op string, not bool, pos event.Position) (ast.Expr, error) {
	word := c.lex.next()
	c.lex.next()
	x, err := c.expr(powerOr)
	if err != nil {
		return nil, err
	}
	list, ok := x.(*ast.Array)
	if !ok || len(list.Items) == 0 {
		return nil, notSupported(word, op+" "+upper(word.Value)+" of anything but ARRAY[...]", "write the patterns out: "+op+" ANY (ARRAY['a%', 'b%'])")
	}
	tests, positions := make([]ast.Expr, len(list.Items)), make([]event.Position, len(list.Items))
	for i, pattern := range list.Items {
		tests[i], positions[i] = &ast.Binary{Pos: pos, Op: op, Left: left, Right: pattern}, pos
	}
	connective := "OR"
	if is(word, "ALL") != not {
		connective = "AND"
	}
	return balance(connective, tests, positions), expect(c.lex, ")")
}
