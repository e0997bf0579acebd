package bind

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// compareRows binds a comparison of two rows, which is made of comparisons of their values: rows are equal where all pairs are, and
// ordered by the first pair that is not.
func (x *scalars) compareRows(e *ast.Binary) (plan.Expr, error) {
	if query, ok := e.Right.(*ast.Query); ok {
		return x.bind(x.rowWithQuery(e, query))
	}
	left, right, err := x.rowPair(e.Left, e.Right, e.Pos)
	if err != nil {
		return nil, err
	}
	op := x.rowOperator(e)
	pair := func(op string, i int) ast.Expr {
		return &ast.Binary{Pos: e.Pos, Op: op, Left: left.Items[i], Right: right.Items[i]}
	}
	tests := make([]ast.Expr, len(left.Items))
	for i := range tests {
		tests[i] = pair(op, i)
	}
	switch op {
	case "=", "IS NOT DISTINCT FROM":
		return x.bind(joinTests("AND", tests, e.Pos))
	case "<>", "IS DISTINCT FROM":
		return x.bind(joinTests("OR", tests, e.Pos))
	case "<", "<=", ">", ">=":
	case "OVERLAPS":
		return x.overlaps(left, right, e.Pos)
	default:
		return nil, event.Errorf(event.CodeTypeMismatch, "%s is not defined for rows of values", e.Op).At(e.Pos)
	}
	last := len(tests) - 1
	out := tests[last]
	for i := last - 1; i >= 0; i-- {
		rest := &ast.Binary{Pos: e.Pos, Op: "AND", Left: pair("=", i), Right: out}
		out = &ast.Binary{Pos: e.Pos, Op: "OR", Left: pair(e.Op[:1], i), Right: rest}
	}
	return x.bind(out)
}

// rowWithQuery is the comparison of a row with the one that a query gives: a query over that one which compares them. It is NULL where
// there is no row, and an error where there are several.
func (x *scalars) rowWithQuery(e *ast.Binary, query *ast.Query) ast.Expr {
	left, _ := x.rowOf(e.Left)
	right := &ast.Row{Pos: query.Pos}
	from := &ast.Subquery{Pos: query.Pos, Query: query.Query, Alias: &ast.Name{Text: "?row", Quoted: true, Pos: query.Pos}}
	for i := range left.Items {
		column := ast.Name{Text: fmt.Sprintf("?%d", i+1), Quoted: true, Pos: query.Pos} // no column of the row around it has such a name
		from.Columns = append(from.Columns, column)
		right.Items = append(right.Items, &ast.Column{Parts: []ast.Name{column}})
	}
	test := &ast.Binary{Pos: e.Pos, Op: e.Op, Left: left, Right: right}
	return &ast.Query{Pos: query.Pos, Query: &ast.Select{Pos: query.Pos, Items: []ast.Item{{Expr: test}}, From: from}}
}

// rowPair checks that two operands are rows of the same length and takes those inside them apart, which compare as if their values
// stood in the row around them.
func (x *scalars) rowPair(a, b ast.Expr, pos event.Position) (left, right *ast.Row, err error) {
	left, ok := x.rowOf(a)
	right, also := x.rowOf(b)
	switch {
	case !ok || !also:
		return nil, nil, event.Errorf(event.CodeTypeMismatch, "a row of values is compared with what is none").At(pos).
			WithHint("as in (a, b) = (1, 2) or (a, b) IN (SELECT x, y FROM ...)")
	case len(left.Items) != len(right.Items):
		return nil, nil, event.Errorf(event.CodeBadRequest, "a row of %d values is compared with one of %d", len(left.Items), len(right.Items)).
			At(pos)
	}
	flatLeft, flatRight := &ast.Row{Pos: left.Pos}, &ast.Row{Pos: right.Pos}
	for i := range left.Items {
		innerLeft, innerRight := &ast.Row{Items: left.Items[i : i+1]}, &ast.Row{Items: right.Items[i : i+1]}
		_, nested := x.rowOf(left.Items[i])
		if _, also := x.rowOf(right.Items[i]); nested || also {
			if innerLeft, innerRight, err = x.rowPair(left.Items[i], right.Items[i], left.Items[i].Position()); err != nil {
				return nil, nil, err
			}
		}
		flatLeft.Items, flatRight.Items = append(flatLeft.Items, innerLeft.Items...), append(flatRight.Items, innerRight.Items...)
	}
	return flatLeft, flatRight, nil
}

// joinTests joins conditions in a balanced tree.
func joinTests(op string, tests []ast.Expr, pos event.Position) ast.Expr {
	if len(tests) == 1 {
		return tests[0]
	}
	middle := (len(tests) + 1) / 2
	return &ast.Binary{Pos: pos, Op: op, Left: joinTests(op, tests[:middle], pos), Right: joinTests(op, tests[middle:], pos)}
}

// rowIn binds (a, b) IN ((1, 2), (3, 4)).
func (x *scalars) rowIn(e *ast.In) (plan.Expr, error) {
	tests := make([]ast.Expr, len(e.List))
	for i, item := range e.List {
		tests[i] = &ast.Binary{Pos: e.Pos, Op: "=", Left: e.Input, Right: item}
	}
	return x.bind(joinTests("OR", tests, e.Pos))
}

// rowIs binds (a, b) IS NULL, which is true where all values are NULL, and IS NOT NULL, which is true where none is.
func (x *scalars) rowIs(row *ast.Row, e *ast.Is) (plan.Expr, error) {
	if e.Test != "NULL" {
		return nil, event.Errorf(event.CodeTypeMismatch, "IS %s is not defined for rows of values", e.Test).At(e.Pos)
	}
	tests := make([]ast.Expr, len(row.Items))
	for i, item := range row.Items {
		tests[i] = &ast.Is{Pos: e.Pos, Input: item, Test: "NULL", Not: e.Not}
	}
	return x.bind(joinTests("AND", tests, e.Pos))
}

// overlaps binds (start, end) OVERLAPS (start, end), where an end may be an interval and the two may stand in either order. Spans take
// in their start but not their end, unless they are of no length.
func (x *scalars) overlaps(left, right *ast.Row, pos event.Position) (plan.Expr, error) {
	if len(left.Items) != 2 {
		return nil, event.Errorf(event.CodeTypeMismatch, "OVERLAPS takes two spans of two values each").At(pos).
			WithHint("as in (start, end) OVERLAPS (start, INTERVAL '1 day')")
	}
	call := func(name string, args ...ast.Expr) ast.Expr {
		return &ast.Call{Name: ast.Name{Text: name, Pos: pos}, Args: args}
	}
	bounds := make([]ast.Expr, 0, 4)
	for _, row := range []*ast.Row{left, right} {
		start, end := row.Items[0], row.Items[1]
		bound, err := x.argument(end)
		if err != nil {
			return nil, err
		}
		if bound.typ().Kind == event.Interval {
			end = &ast.Binary{Pos: pos, Op: "+", Left: start, Right: end}
		}
		bounds = append(bounds, call("least", start, end), call("greatest", start, end))
	}
	compare := func(op string, a, b ast.Expr) ast.Expr { return &ast.Binary{Pos: pos, Op: op, Left: a, Right: b} }
	apart := compare("AND", compare("<", bounds[0], bounds[3]), compare("<", bounds[2], bounds[1]))
	return x.bind(compare("OR", compare("=", bounds[0], bounds[2]), apart))
}
