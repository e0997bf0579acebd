package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// maxTerms bounds the queries joined by UNION, INTERSECT and EXCEPT: they make a tree as deep as they are many.
const maxTerms = 500

// termReader reads the operands of UNION, INTERSECT and EXCEPT, and counts the operators.
type termReader struct {
	lex       *cursor
	operators int
}

// unions joins operands: INTERSECT before the others, each from left to right.
func (r *termReader) unions() (*ast.Select, error) {
	left, err := r.intersections()
	for err == nil {
		op := ast.Union
		switch t := r.lex.peek(); {
		case is(t, "UNION"):
		case is(t, "EXCEPT"):
			op = ast.Except
		default:
			return left, nil
		}
		left, err = r.join(left, op, r.intersections)
	}
	return nil, err
}

func (r *termReader) intersections() (*ast.Select, error) {
	left, err := queryTerm(r.lex)
	for err == nil && is(r.lex.peek(), "INTERSECT") {
		left, err = r.join(left, ast.Intersect, func() (*ast.Select, error) { return queryTerm(r.lex) })
	}
	return left, err
}

// join takes an operator and the operand behind it.
func (r *termReader) join(left *ast.Select, op ast.SetOp, operand func() (*ast.Select, error)) (*ast.Select, error) {
	set := &ast.SetOperation{Pos: position(r.lex.next().Pos), Op: op, Left: left}
	if r.operators++; r.operators >= maxTerms {
		return nil, event.Errorf(event.CodeSyntax, "more than %d queries are joined by UNION, INTERSECT or EXCEPT", maxTerms).At(set.Pos)
	}
	if set.All = accept(r.lex, "ALL"); !set.All {
		accept(r.lex, "DISTINCT")
	}
	set.ByName = op == ast.Union && acceptWords(r.lex, "BY", "NAME")
	var err error
	if set.Right, err = operand(); err != nil {
		return nil, err
	}
	return &ast.Select{Pos: left.Pos, Set: set}, nil
}

// queryTerm reads one operand: SELECT, VALUES, TABLE, FROM, or a query in parentheses.
func queryTerm(lex *cursor) (*ast.Select, error) {
	t := lex.peek()
	pos := position(t.Pos)
	switch {
	case accept(lex, "SELECT"):
		return readSelect(lex, pos)
	case accept(lex, "VALUES"):
		list, err := rows(lex)
		return &ast.Select{Pos: pos, Rows: list}, err
	case accept(lex, "TABLE"): // TABLE name is SELECT * FROM name
		p := tableParser{lex: lex}
		table, err := p.named(lex.peek())
		return allOf(table, pos), err
	case accept(lex, "FROM"):
		return fromFirst(lex, pos)
	case accept(lex, "("):
		c := climber{lex: lex}
		return c.query()
	default:
		return nil, &unexpected{token: t, expected: "SELECT"}
	}
}

// fromFirst is FROM table [SELECT ...], as DuckDB has it. Without SELECT it is all of the table.
func fromFirst(lex *cursor, pos event.Position) (*ast.Select, error) {
	table, matched, err := readTables(lex)
	if err != nil || !accept(lex, "SELECT") {
		all := allOf(table, pos)
		all.Where = matched
		return all, err
	}
	out, err := readSelect(lex, pos)
	if err == nil && out.From != nil {
		return nil, event.Errorf(event.CodeSyntax, "there are two FROM").At(out.From.Position())
	}
	if err == nil {
		out.From, out.Where = table, both(matched, out.Where)
	}
	return out, err
}

// lateAtEnd gives LATE at the end of a query to its SELECT, of which there must be one.
func lateAtEnd(lex *cursor, out *ast.Select, several bool) error {
	late, err := readLate(lex)
	switch {
	case late == nil || err != nil:
		return err
	case several || out.Late != nil:
		return event.Errorf(event.CodeSyntax, "LATE belongs to one SELECT").At(late.Pos).WithHint("put it behind the conditions of that SELECT")
	}
	out.Late = late
	return nil
}

// selectAll is SELECT * FROM (query), for a query in parentheses to which clauses are added.
func selectAll(query *ast.Select, pos event.Position) *ast.Select {
	return allOf(&ast.Subquery{Pos: pos, Query: query}, pos)
}

// allOf is SELECT * FROM table.
func allOf(table ast.Table, pos event.Position) *ast.Select {
	return &ast.Select{Pos: pos, Items: []ast.Item{{Expr: &ast.Star{Pos: pos}}}, From: table}
}
