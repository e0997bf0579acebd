package parser

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// parseQuery reads a query of any form: one or several terms, with what belongs to their joint result around them.
func parseQuery(lex *cursor) (*ast.Select, error) {
	pos := position(lex.peek().Pos)
	recursive, with, err := withQueries(lex)
	if err != nil {
		return nil, err
	}
	first, inside := lex.peek(), lex.second()
	terms := termReader{lex: lex}
	out, err := terms.unions()
	if err != nil {
		return nil, err
	}
	wrapped := terms.operators == 0 && is(first, "(")
	orderBy, err := queryOrder(lex)
	if err != nil {
		return nil, err
	}
	limits, err := readLimits(lex)
	if err != nil {
		return nil, err
	}
	if err := lateAtEnd(lex, out, wrapped || terms.operators > 0); err != nil {
		return nil, err
	}
	acceptWords(lex, "FOR", "READ", "ONLY") // which says of a query what all are
	if with == nil && orderBy == nil && !limits.given {
		return out, nil
	}
	if wrapped && repeats(out, with, orderBy, limits) {
		out = selectAll(out, position(inside.Pos))
	}
	out.Pos, out.Recursive = pos, out.Recursive || recursive
	out.With, out.OrderBy = append(out.With, with...), append(out.OrderBy, orderBy...)
	if limits.limit != nil {
		out.Limit = limits.limit
	}
	if limits.offset != nil {
		out.Offset = limits.offset
	}
	out.Ties = out.Ties || limits.ties
	return out, nil
}

// repeats reports whether a query in parentheses has a clause already that stands behind it again. One that does not is taken for its own, as
// in PostgreSQL: (SELECT a FROM t LIMIT 2) ORDER BY b has the order before the limit, and b need not be selected.
func repeats(inner *ast.Select, with []ast.CTE, orderBy []ast.Order, added limits) bool {
	return len(with) > 0 && len(inner.With) > 0 || len(orderBy) > 0 && len(inner.OrderBy) > 0 ||
		added.limit != nil && inner.Limit != nil || added.offset != nil && inner.Offset != nil
}

// withQueries reads WITH and the queries that have names.
func withQueries(lex *cursor) (recursive bool, out []ast.CTE, err error) {
	if !accept(lex, "WITH") {
		return false, nil, nil
	}
	recursive = accept(lex, "RECURSIVE")
	err = commas(lex, func() error {
		query, err := withQuery(lex)
		out = append(out, query)
		return err
	})
	return recursive, out, err
}

// withQuery reads name [(columns)] AS [[NOT] MATERIALIZED] (query).
func withQuery(lex *cursor) (ast.CTE, error) {
	var out ast.CTE
	var err error
	if out.Name, err = readName(lex); err != nil {
		return out, err
	}
	if out.Columns, err = namesInParentheses(lex); err != nil {
		return out, err
	}
	if err = expect(lex, "AS"); err != nil {
		return out, err
	}
	if accept(lex, "NOT") {
		if err = expect(lex, "MATERIALIZED"); err != nil {
			return out, err
		}
	} else {
		accept(lex, "MATERIALIZED")
	}
	if err = expect(lex, "("); err != nil {
		return out, err
	}
	c := climber{lex: lex}
	out.Query, err = c.query()
	return out, err
}

// queryOrder reads ORDER BY behind a query, if it comes next.
func queryOrder(lex *cursor) ([]ast.Order, error) {
	if !is(lex.peek(), "ORDER") {
		return nil, nil
	}
	c := climber{lex: lex}
	return c.orderKeys()
}

// limits are how many rows of a query are taken, and behind how many.
type limits struct {
	given, ties   bool
	limit, offset ast.Expr
}

// readLimits reads LIMIT and OFFSET in either order, or FETCH FIRST for LIMIT.
func readLimits(lex *cursor) (limits, error) {
	var out limits
	var err error
	switch t := lex.peek(); {
	case is(t, "OFFSET"):
		out.given = true
		if err = out.readOffset(lex); err != nil {
			return out, err
		}
		switch {
		case accept(lex, "LIMIT"):
			out.limit, err = limitCount(lex)
		case is(lex.peek(), "FETCH"):
			err = out.fetch(lex)
		}
		return out, err
	case is(t, "FETCH"):
		out.given = true
		if err = out.fetch(lex); err == nil && is(lex.peek(), "OFFSET") {
			err = out.readOffset(lex)
		}
		return out, err
	case accept(lex, "LIMIT"):
		return out.limitFirst(lex)
	default:
		return out, nil
	}
}

// limitFirst reads what follows LIMIT where it stands before OFFSET. LIMIT offset, count is how MySQL and ClickHouse have it.
func (l limits) limitFirst(lex *cursor) (limits, error) {
	var err error
	if l.limit, err = limitCount(lex); err != nil {
		return l, err
	}
	l.given = l.limit != nil
	if l.limit != nil && accept(lex, ",") {
		l.offset = l.limit
		if l.limit, err = readExpr(lex); err != nil {
			return l, err
		}
	}
	if !is(lex.peek(), "OFFSET") {
		return l, nil
	}
	twice := l.offset != nil
	l.given = true
	if err = l.readOffset(lex); err == nil && twice {
		err = event.Errorf(event.CodeSyntax, "there are two offsets").At(l.offset.Position())
	}
	return l, err
}

// limitCount reads what follows LIMIT, nil for ALL.
func limitCount(lex *cursor) (ast.Expr, error) {
	if accept(lex, "ALL") {
		return nil, nil
	}
	return readExpr(lex)
}

func (l *limits) readOffset(lex *cursor) error {
	lex.next()
	var err error
	if l.offset, err = readExpr(lex); err == nil {
		acceptOne(lex, "ROW", "ROWS")
	}
	return err
}

// fetch reads FETCH FIRST n ROWS ONLY or WITH TIES, as the SQL standard writes LIMIT. Without a number it is one row.
func (l *limits) fetch(lex *cursor) error {
	pos := position(lex.next().Pos)
	if !accept(lex, "NEXT") {
		if err := expect(lex, "FIRST"); err != nil {
			return err
		}
	}
	l.limit = &ast.Number{Pos: pos, Text: "1"}
	if !acceptOne(lex, "ROW", "ROWS") {
		var err error
		if l.limit, err = readExpr(lex); err != nil {
			return err
		}
		if !accept(lex, "ROWS") {
			if err := expect(lex, "ROW"); err != nil {
				return err
			}
		}
	}
	if l.ties = accept(lex, "WITH"); l.ties {
		return expect(lex, "TIES")
	}
	return expect(lex, "ONLY")
}
