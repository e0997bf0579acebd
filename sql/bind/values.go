package bind

import (
	"slices"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// valuesPlan plans VALUES as a query: its columns are called column1, column2 and so on, and each has the one type that all of
// its values can take.
func (b *binder) valuesPlan(rows [][]ast.Expr, w *withs, targets []event.Type) (plan.Node, error) {
	x := b.constants("VALUES")
	x.withs, x.outer, x.queries = w, b.outer, true
	bound := make([][]argument, len(rows))
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return nil, event.Errorf(event.CodeBadRequest, "this row has %d values and the first %d", len(row), len(rows[0])).
				At(row[0].Position())
		}
		var err error
		if bound[i], err = x.arguments(row); err != nil {
			return nil, err
		}
	}
	out := &plan.Values{Rows: make([][]plan.Expr, len(rows))}
	for i := range rows {
		out.Rows[i] = make([]plan.Expr, len(rows[0]))
	}
	for c := range rows[0] {
		column := make([]argument, len(rows))
		for i := range rows {
			column[i] = bound[i][c]
		}
		typ, values, err := unifyAs(column, "a column of VALUES", targets, c)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			out.Rows[i][c] = v
		}
		out.Cols = append(out.Cols, plan.Column{Name: "column" + strconv.Itoa(c+1), Type: typ})
	}
	return withQueries(out), nil
}

// withQueries is VALUES with the subqueries in it joined to the rows that hold them: each of these becomes a part of a union.
func withQueries(values *plan.Values) plan.Node {
	names := make([]string, len(values.Cols))
	for i, c := range values.Cols {
		names[i] = c.Name
	}
	out := &plan.Union{}
	plain := &plan.Values{Cols: values.Cols}
	for _, row := range values.Rows {
		if !slices.ContainsFunc(row, hasQuery) {
			plain.Rows = append(plain.Rows, row)
			continue
		}
		if len(plain.Rows) > 0 {
			out.Parts = append(out.Parts, plain)
			plain = &plan.Values{Cols: values.Cols}
		}
		a := &attachment{node: oneRow()}
		exprs := each(row, a.rewrite)
		out.Parts = append(out.Parts, &plan.Project{Input: a.node, Exprs: exprs, Names: names})
	}
	if len(out.Parts) == 0 {
		return values
	}
	if len(plain.Rows) > 0 {
		out.Parts = append(out.Parts, plain)
	}
	return out
}

// unifyAs is unify, but values that all have no type take the target's, where there is one.
func unifyAs(args []argument, what string, targets []event.Type, at int) (event.Type, []plan.Expr, error) {
	for _, a := range args {
		if at >= len(targets) || a.typ().Kind != event.Unknown {
			return unify(args, what)
		}
	}
	out := make([]plan.Expr, len(args))
	for i, a := range args {
		e, err := coerce(a, targets[at])
		if err != nil {
			return targets[at], nil, err
		}
		out[i] = e
	}
	return targets[at], out, nil
}
