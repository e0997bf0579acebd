package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

// groupElement is an element of GROUP BY: an expression, a list of them in parentheses, or one of the words for several lists.
type groupElement struct{ ast.Expr }

// Parse takes the element.
func (g *groupElement) Parse(lex *lexer.PeekingLexer) error {
	parsed, err := groupBy(lex, 0)
	g.Expr = parsed
	return err
}

func groupBy(lex *lexer.PeekingLexer, depth int) (ast.Expr, error) {
	t := *lex.Peek()
	if depth > maxDepth {
		return nil, tooDeep(t)
	}
	var kind string
	switch {
	case isTuple(lex):
		lex.Next()
		return groupItems(lex, &ast.Grouping{Pos: position(t.Pos)}, depth)
	case acceptWords(lex, "GROUPING", "SETS", "("):
		kind = "GROUPING SETS"
	case acceptWords(lex, "ROLLUP", "("):
		kind = "ROLLUP"
	case acceptWords(lex, "CUBE", "("):
		kind = "CUBE"
	default:
		var e expression
		err := e.Parse(lex)
		return e.Expr, err
	}
	return groupItems(lex, &ast.Grouping{Pos: position(t.Pos), Kind: kind}, depth)
}

// groupItems reads the elements up to the closing parenthesis.
func groupItems(lex *lexer.PeekingLexer, out *ast.Grouping, depth int) (ast.Expr, error) {
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
func isTuple(lex *lexer.PeekingLexer) bool {
	if !is(*lex.Peek(), "(") {
		return false
	}
	start := lex.MakeCheckpoint()
	defer lex.LoadCheckpoint(start)
	lex.Next()
	if is(*lex.Peek(), ")") {
		return true
	}
	list := false
	for depth := 0; depth >= 0; {
		t := *lex.Next()
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
	next := *lex.Peek()
	return list && infixPower(next) == 0 && !is(next, ".")
}

// latestOn is LATEST ON time PARTITION BY keys, or LATEST BY keys, which goes by the event time.
type latestOn struct {
	Pos lexer.Position
	On  *expression  `parser:"'LATEST' ( 'ON' @@"`
	By  []expression `parser:"( 'PARTITION' 'BY' @@ ( ',' @@ )* )?"`
	All []expression `parser:"| 'BY' @@ ( ',' @@ )* )"`
}

func (l *latestOn) tree() *ast.Latest {
	if l == nil {
		return nil
	}
	return &ast.Latest{Pos: position(l.Pos), On: l.On.tree(), By: append(trees(l.By), trees(l.All)...)}
}
