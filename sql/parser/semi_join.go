package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// semiJoin reads [LEFT] SEMI JOIN or ANTI JOIN with its table and its condition, if that comes next. The rows of left that have a partner, or have
// none, are those that WHERE EXISTS keeps, which is what it becomes. That is so for all joins of one FROM but for those in parentheses, which may
// stand beside an outer join.
func (p *tableParser) semiJoin(left ast.Table) (bool, error) {
	start, first := p.lex.mark(), p.lex.peek()
	if first.Type != tokenIdent && !is(first, "LEFT") {
		return false, nil
	}
	accept(p.lex, "LEFT")
	anti := acceptWords(p.lex, "ANTI", "JOIN")
	if !anti && !acceptWords(p.lex, "SEMI", "JOIN") {
		p.lex.reset(start)
		return false, nil
	}
	if p.inner > 0 {
		return false, notSupported(first, "a SEMI or ANTI JOIN in parentheses", "write WHERE EXISTS (SELECT 1 FROM b WHERE ...) in a query in FROM")
	}
	right, err := p.single()
	if err != nil {
		return false, err
	}
	join := &ast.Join{Pos: position(first.Pos), Kind: ast.InnerJoin, Left: left, Right: right}
	if err := p.condition(join); err != nil {
		return false, err
	}
	on, err := semiCondition(join)
	if err != nil {
		return false, err
	}
	var matched ast.Expr = &ast.Exists{Pos: join.Pos, Query: &ast.Select{Pos: join.Pos, From: right, Where: on}}
	if anti {
		matched = &ast.Unary{Pos: join.Pos, Op: "NOT", Input: matched}
	}
	p.matched = both(p.matched, matched)
	return true, nil
}

// semiCondition is the condition of a semi join, with the names of USING as those of both tables.
func semiCondition(join *ast.Join) (ast.Expr, error) {
	if join.Within != nil {
		return nil, event.Errorf(event.CodeSyntax, "WITHIN goes with the joins that give pairs").At(join.Pos).
			WithHint("bound the time in ON: b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 minutes'")
	}
	on := join.On
	for _, name := range join.Using {
		l, r := calledBy(join.Left), calledBy(join.Right)
		if l == nil || r == nil {
			return nil, event.Errorf(event.CodeNotSupported, "USING of a SEMI or ANTI JOIN beside more than a named table").At(name.Pos).
				WithHint("write ON a.x = b.x")
		}
		equal := &ast.Binary{Pos: name.Pos, Op: "=", Left: &ast.Column{Parts: []ast.Name{*l, name}}, Right: &ast.Column{Parts: []ast.Name{*r, name}}}
		on = both(on, equal)
	}
	return on, nil
}

// calledBy is the name that the columns of a table go by; nil where it has none.
func calledBy(t ast.Table) *ast.Name {
	switch t := t.(type) {
	case *ast.StreamTable:
		if t.Alias != nil {
			return t.Alias
		}
		return &t.Name
	case *ast.Subquery:
		return t.Alias
	default:
		return nil
	}
}

// both is that two conditions hold, of which either may be nil.
func both(a, b ast.Expr) ast.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	default:
		return &ast.Binary{Pos: b.Position(), Op: "AND", Left: a, Right: b}
	}
}
