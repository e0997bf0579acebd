package parser

import (
	"github.com/alecthomas/participle/v2"
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
	ReadOnly  *readOnly   `parser:"@@?"`
}

// readOnly is FOR READ ONLY, which says of a query what all are.
type readOnly struct{}

// Parse takes the words if all of them come next.
func (*readOnly) Parse(lex *lexer.PeekingLexer) error {
	if !acceptWords(lex, "FOR", "READ", "ONLY") {
		return participle.NextMatch
	}
	return nil
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
	Skip       *expression `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )? )?"`
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
	if len(q.More) == 0 && q.First.Query != nil && q.repeats(out) {
		out = selectAll(out, position(q.First.Query.Pos))
	}
	out.Pos, out.Recursive = position(q.Pos), out.Recursive || q.Recursive
	if err := bounds.apply(out); err != nil {
		return nil, err
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

// repeats reports whether a query in parentheses has a clause already that stands behind it again. One that does not is taken for its own, as
// in PostgreSQL: (SELECT a FROM t LIMIT 2) ORDER BY b has the order before the limit, and b need not be selected.
func (q *selectQuery) repeats(inner *ast.Select) bool {
	added := &ast.Select{}
	if q.Bounds.apply(added) != nil {
		return true
	}
	return len(q.With) > 0 && len(inner.With) > 0 || len(q.OrderBy) > 0 && len(inner.OrderBy) > 0 ||
		added.Limit != nil && inner.Limit != nil || added.Offset != nil && inner.Offset != nil
}

// apply puts the bounds that are given into a query.
func (bounds limits) apply(out *ast.Select) error {
	if bounds.Behind != nil {
		if bounds.After != nil {
			return event.Errorf(event.CodeSyntax, "there are two offsets").At(bounds.After.Position())
		}
		bounds.After, bounds.Limit = bounds.Limit, bounds.Behind
	}
	for _, limit := range []ast.Expr{bounds.Limit.tree(), bounds.LimitAfter.tree(), bounds.Fetch.tree(), bounds.FetchAfter.tree()} {
		if limit != nil {
			out.Limit = limit
		}
	}
	out.Ties = out.Ties || bounds.Fetch != nil && bounds.Fetch.Ties || bounds.FetchAfter != nil && bounds.FetchAfter.Ties
	for _, offset := range []ast.Expr{bounds.Offset.tree(), bounds.Skip.tree(), bounds.After.tree()} {
		if offset != nil {
			out.Offset = offset
		}
	}
	return nil
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
