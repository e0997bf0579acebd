package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// maxTerms bounds the queries joined by UNION, INTERSECT and EXCEPT: they make a tree as deep as they are many.
const maxTerms = 500

// queryTerm is one operand of UNION, INTERSECT and EXCEPT.
type queryTerm struct {
	Pos    lexer.Position
	Select *selectCore  `parser:"@@"`
	Rows   []insertRow  `parser:"| 'VALUES' @@ ( ',' @@ )*"`
	Table  *wholeTable  `parser:"| 'TABLE' @@"`
	From   *tableRef    `parser:"| 'FROM' @@"`
	Core   *selectCore  `parser:"@@?"`
	Query  *selectQuery `parser:"| '(' @@ ')'"`
}

// setTerm is an operand with the words before it.
type setTerm struct {
	Pos  lexer.Position
	Op   string    `parser:"@( 'UNION' | 'INTERSECT' | 'EXCEPT' )"`
	All  bool      `parser:"( @'ALL' | 'DISTINCT' )?"`
	Term queryTerm `parser:"@@"`
}

// wholeTable is the table that TABLE name reads, which is SELECT * FROM name.
type wholeTable struct{ ast.Table }

// Parse takes the name.
func (t *wholeTable) Parse(lex *lexer.PeekingLexer) error {
	p := tableParser{lex: lex}
	var err error
	t.Table, err = p.named(*lex.Peek())
	return err
}

func (t *queryTerm) tree() (*ast.Select, error) {
	switch {
	case t.Query != nil:
		return t.Query.tree()
	case t.From != nil:
		return t.fromFirst()
	case t.Table != nil:
		return allOf(t.Table.Table, position(t.Pos)), nil
	case t.Select != nil:
		return t.Select.tree(position(t.Pos)), nil
	}
	out := &ast.Select{Pos: position(t.Pos)}
	for _, row := range t.Rows {
		out.Rows = append(out.Rows, trees(row.Values))
	}
	return out, nil
}

// fromFirst is FROM table [SELECT ...], as DuckDB has it. Without SELECT it is all of the table.
func (t *queryTerm) fromFirst() (*ast.Select, error) {
	pos := position(t.Pos)
	if t.Core == nil {
		return allOf(t.From.Table, pos), nil
	}
	if t.Core.From != nil {
		return nil, event.Errorf(event.CodeSyntax, "there are two FROM").At(t.Core.From.Position())
	}
	out := t.Core.tree(pos)
	out.From = t.From.Table
	return out, nil
}

// terms joins the operands: INTERSECT before the others, each from left to right.
func (q *selectQuery) terms() (*ast.Select, error) {
	if len(q.More) >= maxTerms {
		return nil, event.Errorf(event.CodeSyntax, "more than %d queries are joined by UNION, INTERSECT or EXCEPT", maxTerms).
			At(position(q.More[maxTerms-1].Pos))
	}
	left, err := q.First.tree()
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(q.More); {
		tail := &q.More[i]
		i++
		right, err := tail.Term.tree()
		if err != nil {
			return nil, err
		}
		for upper(tail.Op) != "INTERSECT" && i < len(q.More) && upper(q.More[i].Op) == "INTERSECT" {
			next, err := q.More[i].Term.tree()
			if err != nil {
				return nil, err
			}
			right = q.More[i].join(right, next)
			i++
		}
		left = tail.join(left, right)
	}
	return left, nil
}

func (t *setTerm) join(left, right *ast.Select) *ast.Select {
	op := map[string]ast.SetOp{"UNION": ast.Union, "INTERSECT": ast.Intersect, "EXCEPT": ast.Except}[upper(t.Op)]
	return &ast.Select{Pos: left.Pos, Set: &ast.SetOperation{Pos: position(t.Pos), Op: op, All: t.All, Left: left, Right: right}}
}

// selectAll is SELECT * FROM (query), for a query in parentheses to which clauses are added.
func selectAll(query *ast.Select, pos event.Position) *ast.Select {
	return allOf(&ast.Subquery{Pos: pos, Query: query}, pos)
}

// allOf is SELECT * FROM table.
func allOf(table ast.Table, pos event.Position) *ast.Select {
	return &ast.Select{Pos: pos, Items: []ast.Item{{Expr: &ast.Star{Pos: pos}}}, From: table}
}
