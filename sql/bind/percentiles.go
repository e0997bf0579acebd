package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// percentiles is what a call of percentile_cont or percentile_disc stands for; nil where it stands for itself.
func (x *scalars) percentiles(name string, e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	if fractions, ok := e.Args[0].(*ast.Array); ok {
		return severalPercentiles(fractions, e)
	}
	if name == "percentile_disc" && e.Within && len(e.OrderBy) == 1 {
		return x.discretePercentile(e)
	}
	return nil
}

// severalPercentiles is percentile_cont(ARRAY[...]): an array of the percentiles, NULL where there are no values.
func severalPercentiles(fractions *ast.Array, e *ast.Call) ast.Expr {
	out := &ast.Array{Pos: e.Name.Pos}
	for _, fraction := range fractions.Items {
		one := *e
		one.Args = []ast.Expr{fraction}
		out.Items = append(out.Items, &one)
	}
	if len(e.OrderBy) != 1 || len(out.Items) == 0 {
		return out
	}
	zero := &ast.Number{Pos: e.Name.Pos, Text: "0"}
	some := &ast.Binary{Pos: e.Name.Pos, Op: ">", Left: countOf(e, e.OrderBy[0].Expr), Right: zero}
	return &ast.Case{Pos: e.Name.Pos, Whens: []ast.When{{Condition: some, Then: out}}}
}

func countOf(e *ast.Call, value ast.Expr) ast.Expr {
	count := callOf(e, "count", value)
	count.Filter = e.Filter
	return count
}

// discretePercentile is percentile_disc of values of a type that it is not made for: the one at its place among all, in their order. A call
// over a constant in place of each value, which is 1, checks the fraction.
func (x *scalars) discretePercentile(e *ast.Call) ast.Expr {
	pos, value := e.Name.Pos, e.OrderBy[0].Expr
	inner := *x
	inner.aggregates = nil
	a, err := inner.argument(value)
	if err != nil {
		return nil // the call will say so
	}
	switch a.typ().Kind {
	case event.Date, event.Time, event.UUID, event.Interval, event.Bytea, event.Array:
	default:
		return nil
	}
	present := ast.Expr(&ast.Is{Pos: pos, Input: value, Test: "NULL", Not: true})
	one := &ast.Case{Pos: pos, Whens: []ast.When{{Condition: present, Then: &ast.Number{Pos: pos, Text: "1"}}}}
	checked := *e
	checked.OrderBy = []ast.Order{{Expr: one}}
	sorted := callOf(e, "array_agg", value)
	sorted.OrderBy, sorted.Filter = e.OrderBy, present
	if e.Filter != nil {
		sorted.Filter = &ast.Binary{Pos: pos, Op: "AND", Left: e.Filter, Right: present}
	}
	share := &ast.Binary{Pos: pos, Op: "*", Left: as(e.Args[0], "DOUBLE PRECISION"), Right: countOf(e, value)}
	place := callOf(e, "greatest", &ast.Number{Pos: pos, Text: "1"}, as(callOf(e, "ceil", share), "BIGINT"))
	return callOf(e, "subscript", sorted, &ast.Binary{Pos: pos, Op: "*", Left: place, Right: &checked})
}
