package parser

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/sql/ast"
)

type selectQuery struct {
	Pos      lexer.Position
	With     []cte        `parser:"( 'WITH' @@ ( ',' @@ )* )?"`
	Distinct bool         `parser:"'SELECT' ( @'DISTINCT' | 'ALL' )?"`
	Items    []selectItem `parser:"@@ ( ',' @@ )*"`
	From     *tableRef    `parser:"( 'FROM' @@ )?"`
	Where    *expression  `parser:"( 'WHERE' @@ )?"`
	GroupBy  []expression `parser:"( 'GROUP' 'BY' @@ ( ',' @@ )* )?"`
	Having   *expression  `parser:"( 'HAVING' @@ )?"`
	OrderBy  []orderKey   `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Bounds   limits       `parser:"@@?"`
}

type cte struct {
	Name    name         `parser:"@@"`
	Columns []name       `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Query   *selectQuery `parser:"'AS' '(' @@ ')'"`
}

type selectItem struct {
	Expr  expression `parser:"@@"`
	Alias *alias     `parser:"@@?"`
}

type orderKey struct {
	Expr       expression `parser:"@@"`
	Descending bool       `parser:"( 'ASC' | @'DESC' )?"`
	Nulls      string     `parser:"( 'NULLS' @( 'FIRST' | 'LAST' ) )?"`
}

// limits takes LIMIT and OFFSET in either order.
type limits struct {
	Offset     *expression `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )?"`
	LimitAfter *expression `parser:"( 'LIMIT' ( 'ALL' | @@ ) )?"`
	Limit      *expression `parser:"| 'LIMIT' ( 'ALL' | @@ )"`
	After      *expression `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )? )? )"`
}

func (q *selectQuery) tree() (*ast.Select, error) {
	out := &ast.Select{
		Pos: position(q.Pos), Distinct: q.Distinct, Where: q.Where.tree(), GroupBy: trees(q.GroupBy), Having: q.Having.tree(),
		Limit: q.Bounds.Limit.tree(), Offset: q.Bounds.Offset.tree(),
	}
	if q.Bounds.LimitAfter != nil {
		out.Limit = q.Bounds.LimitAfter.tree()
	}
	if q.Bounds.After != nil {
		out.Offset = q.Bounds.After.tree()
	}
	for _, c := range q.With {
		query, err := c.Query.tree()
		if err != nil {
			return nil, err
		}
		out.With = append(out.With, ast.CTE{Name: c.Name.Name, Columns: names(c.Columns), Query: query})
	}
	for _, item := range q.Items {
		out.Items = append(out.Items, ast.Item{Expr: item.Expr.Expr, Alias: item.Alias.tree()})
	}
	for _, k := range q.OrderBy {
		out.OrderBy = append(out.OrderBy, k.tree())
	}
	if q.From != nil {
		out.From = q.From.Table
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
