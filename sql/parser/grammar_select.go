package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// selectQuery is a query of any form: one or several terms, with what belongs to their joint result around them.
type selectQuery struct {
	Pos       lexer.Position
	Recursive bool        `parser:"( 'WITH' @'RECURSIVE'?"`
	With      []cte       `parser:"@@ ( ',' @@ )* )?"`
	First     queryTerm   `parser:"@@"`
	More      []setTerm   `parser:"@@*"`
	OrderBy   []orderKey  `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Bounds    limits      `parser:"@@?"`
	Late      *lateClause `parser:"@@?"`
}

type cte struct {
	Name    name         `parser:"@@"`
	Columns []name       `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Query   *selectQuery `parser:"'AS' ( 'NOT'? 'MATERIALIZED' )? '(' @@ ')'"`
}

type orderKey struct {
	Expr       expression `parser:"@@"`
	Descending bool       `parser:"( 'ASC' | @'DESC' )?"`
	Nulls      string     `parser:"( 'NULLS' @( 'FIRST' | 'LAST' ) )?"`
}

// limits takes LIMIT and OFFSET in either order, and FETCH FIRST for LIMIT.
type limits struct {
	Offset     *expression `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )?"`
	LimitAfter *expression `parser:"( 'LIMIT' ( 'ALL' | @@ )"`
	FetchAfter *fetchFirst `parser:"| @@ )?"`
	Fetch      *fetchFirst `parser:"| @@"`
	Limit      *expression `parser:"| 'LIMIT' ( 'ALL' | @@ ( ','"`
	Behind     *expression `parser:"@@ )? )"` // LIMIT offset, count, as MySQL and ClickHouse have it
	After      *expression `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )? )? )"`
}

// fetchFirst is FETCH FIRST n ROWS ONLY or WITH TIES, as the SQL standard writes LIMIT. Without a number it is one row.
type fetchFirst struct {
	Pos   lexer.Position
	Count *expression `parser:"'FETCH' ( 'FIRST' | 'NEXT' ) ( 'ROW' | 'ROWS' | @@ ( 'ROW' | 'ROWS' ) )"`
	Ties  bool        `parser:"( 'ONLY' | @'WITH' 'TIES' )"`
}

func (f *fetchFirst) tree() ast.Expr {
	switch {
	case f == nil:
		return nil
	case f.Count == nil:
		return &ast.Number{Pos: position(f.Pos), Text: "1"}
	default:
		return f.Count.Expr
	}
}

func (q *selectQuery) tree() (*ast.Select, error) {
	out, err := q.terms()
	if err != nil {
		return nil, err
	}
	if err := q.late(out); err != nil {
		return nil, err
	}
	bounds := q.Bounds
	if len(q.With) == 0 && len(q.OrderBy) == 0 && bounds == (limits{}) {
		return out, nil
	}
	if len(q.More) == 0 && q.First.Query != nil {
		out = selectAll(out, position(q.First.Query.Pos))
	}
	out.Pos, out.Recursive = position(q.Pos), q.Recursive
	if bounds.Behind != nil {
		if bounds.After != nil {
			return nil, event.Errorf(event.CodeSyntax, "there are two offsets").At(bounds.After.Position())
		}
		bounds.After, bounds.Limit = bounds.Limit, bounds.Behind
	}
	for _, limit := range []ast.Expr{bounds.Limit.tree(), bounds.LimitAfter.tree(), bounds.Fetch.tree(), bounds.FetchAfter.tree()} {
		if limit != nil {
			out.Limit = limit
		}
	}
	out.Ties = bounds.Fetch != nil && bounds.Fetch.Ties || bounds.FetchAfter != nil && bounds.FetchAfter.Ties
	out.Offset = bounds.Offset.tree()
	if bounds.After != nil {
		out.Offset = bounds.After.tree()
	}
	for _, c := range q.With {
		query, err := c.Query.tree()
		if err != nil {
			return nil, err
		}
		out.With = append(out.With, ast.CTE{Name: c.Name.Name, Columns: names(c.Columns), Query: query})
	}
	for _, k := range q.OrderBy {
		out.OrderBy = append(out.OrderBy, k.tree())
	}
	return out, nil
}

func (k orderKey) tree() ast.Order {
	out := ast.Order{Expr: k.Expr.Expr, Descending: k.Descending}
	switch upper(k.Nulls) {
	case "FIRST":
		out.Nulls = ast.NullsFirst
	case "LAST":
		out.Nulls = ast.NullsLast
	}
	return out
}
