package parser

import (
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// groupBy reads an element of GROUP BY: an expression, a list of them in parentheses, or one of the words for several lists.
func groupBy(lex *cursor, depth int) (ast.Expr, error) {
	t := lex.peek()
	if depth > maxDepth {
		return nil, tooDeep(t)
	}
	var kind string
	switch {
	case isTuple(lex):
		lex.next()
		return groupItems(lex, &ast.Grouping{Pos: position(t.Pos)}, depth)
	case acceptWords(lex, "GROUPING", "SETS", "("):
		kind = "GROUPING SETS"
	case acceptWords(lex, "ROLLUP", "("):
		kind = "ROLLUP"
	case acceptWords(lex, "CUBE", "("):
		kind = "CUBE"
	default:
		return readExpr(lex)
	}
	return groupItems(lex, &ast.Grouping{Pos: position(t.Pos), Kind: kind}, depth)
}

// groupItems reads the elements up to the closing parenthesis.
func groupItems(lex *cursor, out *ast.Grouping, depth int) (ast.Expr, error) {
	if accept(lex, ")") {
		return out, nil
	}
	for {
		item, err := groupBy(lex, depth+1)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
		if !accept(lex, ",") {
			return out, expect(lex, ")")
		}
	}
}

// isTuple reports whether what comes next is a list in parentheses and not an expression that begins with one: it is empty, or has
// a comma outside of further parentheses and brackets, and no operator follows it.
func isTuple(lex *cursor) bool {
	if !is(lex.peek(), "(") {
		return false
	}
	start := lex.mark()
	defer lex.reset(start)
	lex.next()
	if is(lex.peek(), ")") {
		return true
	}
	list := false
	for depth := 0; depth >= 0; {
		t := lex.next()
		switch {
		case t.EOF():
			return false
		case is(t, "("), is(t, "["):
			depth++
		case is(t, ")"), is(t, "]"):
			depth--
		case is(t, ","):
			list = list || depth == 0
		}
	}
	next := lex.peek()
	return list && infixPower(next) == 0 && !is(next, ".")
}

// latestOn reads LATEST ON time [PARTITION BY keys], or LATEST BY keys, which goes by the event time.
func latestOn(lex *cursor) (*ast.Latest, error) {
	out := &ast.Latest{Pos: position(lex.next().Pos)}
	var err error
	if accept(lex, "BY") {
		out.By, err = exprs(lex)
		return out, err
	}
	if err = expect(lex, "ON"); err != nil {
		return nil, err
	}
	if out.On, err = readExpr(lex); err != nil || !accept(lex, "PARTITION") {
		return out, err
	}
	if err = expect(lex, "BY"); err != nil {
		return nil, err
	}
	out.By, err = exprs(lex)
	return out, err
}

// exprs reads expressions with commas between them.
func exprs(lex *cursor) ([]ast.Expr, error) {
	var out []ast.Expr
	err := commas(lex, func() error {
		x, err := readExpr(lex)
		out = append(out, x)
		return err
	})
	return out, err
}
