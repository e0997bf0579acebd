package parser

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// readExpr takes the longest expression that comes next.
func readExpr(lex *cursor) (ast.Expr, error) {
	c := climber{lex: lex}
	return c.expr(powerOr)
}

// The binding powers of PostgreSQL (manual, "Operator Precedence"), loosest first.
const (
	powerOr = iota + 1
	powerAnd
	powerNot
	powerIs
	powerComparison
	powerRange // BETWEEN, IN, LIKE
	powerOther // || -> ->> ~ & and all other symbols
	powerSum
	powerProduct
	powerPower // ^
	powerAt    // AT TIME ZONE
	powerCollate
	powerSign
	powerCast
)

var infixPowers = map[string]int{
	"OR": powerOr, "AND": powerAnd, "IS": powerIs,
	"=": powerComparison, "==": powerComparison, "<>": powerComparison, "!=": powerComparison,
	"<": powerComparison, "<=": powerComparison, ">": powerComparison, ">=": powerComparison,
	"BETWEEN": powerRange, "IN": powerRange, "LIKE": powerRange, "ILIKE": powerRange, "NOT": powerRange,
	"~~": powerRange, "!~~": powerRange, "~~*": powerRange, "!~~*": powerRange,
	"||": powerOther, "->": powerOther, "->>": powerOther, "#>": powerOther, "#>>": powerOther,
	"~": powerOther, "!~": powerOther, "~*": powerOther, "!~*": powerOther, "@>": powerOther, "&&": powerOther, "<@": powerOther, "?": powerOther,
	"^@": powerOther, "&": powerOther, "|": powerOther, "#": powerOther, "<<": powerOther, ">>": powerOther, "^": powerPower, "**": powerPower,
	"+": powerSum, "-": powerSum, "*": powerProduct, "/": powerProduct, "//": powerProduct, "%": powerProduct,
	"#-": powerOther, "?|": powerOther, "?&": powerOther, "@?": powerOther, "@@": powerOther,
	"::": powerCast, "[": powerCast,
}

// prefixCalls are the functions that PostgreSQL also writes as an operator before their argument.
var prefixCalls = map[string]string{"@": "abs", "|/": "sqrt", "||/": "cbrt"}

// climber reads one expression by precedence climbing. Depth and the number of operators are counted, since the text chooses how
// far the stack goes.
type climber struct {
	lex       *cursor
	depth     int
	operators int
}

// expr reads an expression whose operators bind at least as tightly as power.
func (c *climber) expr(power int) (ast.Expr, error) {
	c.depth++
	defer func() { c.depth-- }()
	if c.depth > maxDepth {
		return nil, tooDeep(c.lex.peek())
	}
	left, err := c.prefix()
	for err == nil {
		op := c.lex.peek()
		p := infixPower(op)
		if p == 0 {
			p = c.wordPower(op)
		}
		if p < power {
			return left, nil
		}
		if err := c.count(op); err != nil {
			return nil, err
		}
		left, err = c.infix(left, op, p)
	}
	return nil, err
}

func infixPower(t token) int {
	if t.Type != tokenSymbol && t.Type != tokenKeyword {
		return 0
	}
	return infixPowers[upper(t.Value)]
}

func (c *climber) count(op token) error {
	c.operators++
	if c.operators > maxOperators {
		return event.Errorf(event.CodeSyntax, "expression has more than %d operators", maxOperators).At(position(op.Pos))
	}
	return nil
}

// prefix reads an operand with the operators before it.
func (c *climber) prefix() (ast.Expr, error) {
	t := c.lex.peek()
	switch {
	case is(t, "-"), is(t, "+"):
		return c.sign(t)
	case is(t, "NOT"):
		return c.unary(t, "NOT", powerNot)
	case is(t, "~"):
		return c.unary(t, "~", powerOther+1)
	case t.Type == tokenSymbol && prefixCalls[t.Value] != "":
		return c.prefixCall(t)
	default:
		return c.primary(t)
	}
}

func (c *climber) prefixCall(t token) (ast.Expr, error) {
	c.lex.next()
	if err := c.count(t); err != nil {
		return nil, err
	}
	x, err := c.expr(powerOther + 1)
	return &ast.Call{Name: ast.Name{Text: prefixCalls[t.Value], Pos: position(t.Pos)}, Args: []ast.Expr{x}}, err
}

func (c *climber) unary(t token, op string, power int) (ast.Expr, error) {
	c.lex.next()
	if err := c.count(t); err != nil {
		return nil, err
	}
	x, err := c.expr(power)
	return &ast.Unary{Pos: position(t.Pos), Op: op, Input: x}, err
}

// sign reads + and -, which become part of a number that follows, so that the least BIGINT can be written.
func (c *climber) sign(t token) (ast.Expr, error) {
	c.lex.next()
	if err := c.count(t); err != nil {
		return nil, err
	}
	x, err := c.expr(powerSign)
	if err != nil {
		return nil, err
	}
	if _, ok := x.(*ast.Column); ok && t.Value == "+" { // which is no name of the result any more
		return &ast.Unary{Pos: position(t.Pos), Op: "+", Input: x}, nil
	}
	if t.Value == "+" {
		return x, nil
	}
	if n, ok := x.(*ast.Number); ok {
		if n.Text[0] == '-' {
			return &ast.Number{Pos: n.Pos, Text: n.Text[1:]}, nil
		}
		return &ast.Number{Pos: position(t.Pos), Text: "-" + n.Text}, nil
	}
	return &ast.Unary{Pos: position(t.Pos), Op: "-", Input: x}, nil
}

// infix reads what follows an operator and joins it to the left operand.
func (c *climber) infix(left ast.Expr, op token, power int) (ast.Expr, error) {
	pos := position(op.Pos)
	word := upper(op.Value)
	switch word {
	case "AND", "OR":
		return c.chain(left, word, power)
	case "IS":
		c.lex.next()
		return c.is(left, pos)
	case "NOT", "BETWEEN", "IN", "LIKE", "ILIKE", "SIMILAR":
		return c.rangeTest(left)
	case "OVERLAPS":
		c.lex.next()
		right, err := c.expr(powerRange + 1)
		return &ast.Binary{Pos: pos, Op: word, Left: left, Right: right}, err
	case "AT":
		c.lex.next()
		return c.atTimeZone(left, pos)
	case "ISNULL", "NOTNULL", "COLLATE":
		return c.postfix(left, word, pos)
	case "[":
		c.lex.next()
		return c.subscript(left, pos)
	case "::":
		c.lex.next()
		return c.castTo(pos, left, false)
	}
	c.lex.next()
	if power == powerComparison {
		if out, err := c.quantified(left, word, pos); out != nil || err != nil {
			return out, err
		}
	}
	right, err := c.expr(power + 1)
	if err != nil {
		return nil, err
	}
	if next := c.lex.peek(); power == powerComparison && infixPower(next) == powerComparison {
		return nil, event.Errorf(event.CodeSyntax, "comparisons cannot be chained").At(position(next.Pos)).
			WithHint("join them by AND: a < b AND b < c")
	}
	return binary(pos, word, left, right), nil
}

// chain reads all operands joined by one of AND and OR and makes a balanced tree of them: both are associative, and long
// chains, which programs write, must not become deep trees.
func (c *climber) chain(first ast.Expr, word string, power int) (ast.Expr, error) {
	operands := []ast.Expr{first}
	var positions []event.Position
	for is(c.lex.peek(), word) {
		op := c.lex.next()
		positions = append(positions, position(op.Pos))
		if err := c.count(op); err != nil {
			return nil, err
		}
		x, err := c.expr(power + 1)
		if err != nil {
			return nil, err
		}
		operands = append(operands, x)
	}
	return balance(word, operands, positions), nil
}

// balance joins operands; positions[i] is that of the operator after operands[i].
func balance(word string, operands []ast.Expr, positions []event.Position) ast.Expr {
	if len(operands) == 1 {
		return operands[0]
	}
	middle := (len(operands) + 1) / 2
	return &ast.Binary{
		Pos: positions[middle-1], Op: word,
		Left:  balance(word, operands[:middle], positions[:middle-1]),
		Right: balance(word, operands[middle:], positions[middle:]),
	}
}

// is reads what follows IS.
func (c *climber) is(left ast.Expr, pos event.Position) (ast.Expr, error) {
	not := accept(c.lex, "NOT")
	t := c.lex.peek()
	for _, test := range []string{"NULL", "TRUE", "FALSE", "UNKNOWN"} {
		if accept(c.lex, test) {
			return &ast.Is{Pos: pos, Input: left, Test: test, Not: not}, nil
		}
	}
	if accept(c.lex, "JSON") {
		return c.isJSON(left, not, pos), nil
	}
	if !accept(c.lex, "DISTINCT") {
		return nil, &unexpected{token: t, expected: "NULL, TRUE, FALSE, UNKNOWN, JSON or DISTINCT FROM"}
	}
	if err := expect(c.lex, "FROM"); err != nil {
		return nil, err
	}
	op := "IS DISTINCT FROM"
	if not {
		op = "IS NOT DISTINCT FROM"
	}
	right, err := c.expr(powerIs + 1)
	return &ast.Binary{Pos: pos, Op: op, Left: left, Right: right}, err
}

// isJSON reads what follows IS JSON: the kind, a JSON value of any unless told.
func (c *climber) isJSON(left ast.Expr, not bool, pos event.Position) ast.Expr {
	test := &ast.Call{Name: ast.Name{Text: "json_valid", Pos: pos}, Args: []ast.Expr{left}}
	for _, kind := range []string{"VALUE", "OBJECT", "ARRAY", "SCALAR"} {
		if accept(c.lex, kind) {
			test.Args = append(test.Args, &ast.String{Pos: pos, Value: strings.ToLower(kind)})
			break
		}
	}
	if !not {
		return test
	}
	return &ast.Unary{Pos: pos, Op: "NOT", Input: test}
}

// rangeTest reads [NOT] BETWEEN, IN, LIKE, ILIKE or SIMILAR TO with what follows.
func (c *climber) rangeTest(left ast.Expr) (ast.Expr, error) {
	first := position(c.lex.peek().Pos)
	not := accept(c.lex, "NOT")
	t := c.lex.peek()
	pos := position(t.Pos)
	var test ast.Expr
	var err error
	switch {
	case accept(c.lex, "BETWEEN"):
		test, err = c.between(left, pos)
	case accept(c.lex, "IN"):
		test, err = c.in(left, pos)
	case accept(c.lex, "LIKE"), accept(c.lex, "ILIKE"):
		test, err = c.pattern(left, upper(t.Value), not, pos)
	case c.wordPower(t) == powerRange:
		c.lex.next()
		c.lex.next()
		test, err = c.pattern(left, "SIMILAR TO", not, pos)
	default:
		return nil, &unexpected{token: t, expected: "BETWEEN, IN, LIKE or ILIKE after NOT"}
	}
	if err == nil && not {
		test = &ast.Unary{Pos: first, Op: "NOT", Input: test}
	}
	return test, err
}

func (c *climber) between(left ast.Expr, pos event.Position) (ast.Expr, error) {
	symmetric := c.symmetric()
	low, err := c.expr(powerRange + 1)
	if err != nil {
		return nil, err
	}
	if err := expect(c.lex, "AND"); err != nil {
		return nil, err
	}
	high, err := c.expr(powerRange + 1)
	out := &ast.Between{Pos: pos, Input: left, Low: low, High: high}
	if err != nil || !symmetric {
		return out, err
	}
	return &ast.Binary{Pos: pos, Op: "OR", Left: out, Right: &ast.Between{Pos: pos, Input: left, Low: high, High: low}}, nil
}

// symmetric takes the word behind BETWEEN that says whether the bounds may stand in either order. Before AND it is a name.
func (c *climber) symmetric() bool {
	t := c.lex.peek()
	if t.Type != tokenIdent || (!is(t, "SYMMETRIC") && !is(t, "ASYMMETRIC")) {
		return false
	}
	start := c.lex.mark()
	c.lex.next()
	if next := c.lex.peek(); is(next, "AND") || is(next, ".") {
		c.lex.reset(start)
		return false
	}
	return is(t, "SYMMETRIC")
}

func (c *climber) in(left ast.Expr, pos event.Position) (ast.Expr, error) {
	if t := c.lex.peek(); t.Type == tokenString {
		return nil, notSupported(t, "IN with a span of time", "write ts >= '2026-03-01' AND ts < '2026-03-02', or a list in parentheses")
	}
	if err := expect(c.lex, "("); err != nil {
		return nil, err
	}
	if queryAhead(c.lex) {
		query, err := c.query()
		return &ast.InQuery{Pos: pos, Input: left, Query: query}, err
	}
	list, err := c.list()
	return &ast.In{Pos: pos, Input: left, List: list}, err
}

// list reads expressions with commas between them and the closing parenthesis.
func (c *climber) list() ([]ast.Expr, error) {
	var out []ast.Expr
	for {
		x, err := c.expr(powerOr)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !accept(c.lex, ",") {
			return out, expect(c.lex, ")")
		}
	}
}
