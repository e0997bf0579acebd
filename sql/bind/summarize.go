package bind

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// summaryColumns are the columns that SUMMARIZE answers with, one row for each column of the query.
var summaryColumns = []string{
	"column_name", "column_type", "min", "max", "approx_unique", "avg", "std", "count", "null_percentage",
}

// summarize makes of SUMMARIZE a query with one pass over the rows: all aggregates of all columns side by side, then a row for each column.
func (b *binder) summarize(s *ast.Summarize) (Bound, error) {
	q, err := b.query(s.Query)
	if err != nil {
		return nil, err
	}
	m := summary{pos: s.Pos}
	measured := m.query(&ast.Subquery{Pos: s.Pos, Query: s.Query, Alias: m.alias("source")})
	source := measured.From.(*ast.Subquery)
	shown := &ast.Select{Pos: s.Pos}
	for i, c := range q.Plan.Columns() {
		column := m.name(fmt.Sprintf("c%d", i))
		source.Columns = append(source.Columns, column)
		row := []ast.Expr{m.text(c.Name), m.text(c.Type.String())}
		for j, value := range append(m.values(column, c.Type), m.nulls(column)) {
			measure := m.name(fmt.Sprintf("c%d_%d", i, j))
			measured.Items = append(measured.Items, ast.Item{Expr: value, Alias: &measure})
			row = append(row, m.column(measure))
		}
		shown.Rows = append(shown.Rows, row)
	}
	columns := &ast.Subquery{Lateral: true, Pos: s.Pos, Query: shown, Alias: m.alias("columns")}
	for _, name := range summaryColumns {
		columns.Columns = append(columns.Columns, m.name(name))
	}
	out := m.query(&ast.Join{
		Pos: s.Pos, Kind: ast.CrossJoin,
		Left:  &ast.Subquery{Pos: s.Pos, Query: measured, Alias: m.alias("measured")},
		Right: columns,
	})
	out.Items = []ast.Item{{Expr: &ast.Star{Pos: s.Pos, Table: m.alias("columns")}}}
	return b.query(out)
}

// summary builds expressions that stand where SUMMARIZE does.
type summary struct{ pos event.Position }

// values are what is told of a column from min to count: NULL where its type knows no such thing.
func (m summary) values(column ast.Name, t event.Type) []ast.Expr {
	x := m.column(column)
	var out []ast.Expr
	for _, extreme := range []string{"min", "max"} {
		value := ast.Expr(&ast.Null{Pos: m.pos})
		if t.Kind != event.JSONB {
			value = m.call(extreme, x)
		}
		out = append(out, m.cast(value, "TEXT"))
	}
	number := m.cast(x, "DOUBLE PRECISION")
	if !t.IsNumeric() {
		number = m.cast(&ast.Null{Pos: m.pos}, "DOUBLE PRECISION")
	}
	counted := x
	if t.Kind == event.Array || t.Kind == event.JSONB {
		counted = m.cast(x, "TEXT")
	}
	return append(out, m.call("approx_count_distinct", counted), m.call("avg", number), m.call("stddev_samp", number), m.call("count", x))
}

// nulls is the share of NULLs in a column in per cent, NULL where there is no row.
func (m summary) nulls(column ast.Name) ast.Expr {
	number := func(text string) ast.Expr { return &ast.Number{Pos: m.pos, Text: text} }
	all := &ast.Call{Name: m.name("count"), Star: true}
	none := &ast.Binary{Pos: m.pos, Op: "-", Left: all, Right: m.call("count", m.column(column))}
	share := &ast.Binary{
		Pos: m.pos, Op: "/",
		Left:  &ast.Binary{Pos: m.pos, Op: "*", Left: number("100.0"), Right: none},
		Right: m.call("nullif", all, number("0")),
	}
	return m.call("round", share, number("2"))
}

func (m summary) query(from ast.Table) *ast.Select { return &ast.Select{Pos: m.pos, From: from} }

func (m summary) name(text string) ast.Name { return ast.Name{Text: text, Quoted: true, Pos: m.pos} }

func (m summary) alias(text string) *ast.Name {
	name := m.name(text)
	return &name
}

func (m summary) column(name ast.Name) ast.Expr { return &ast.Column{Parts: []ast.Name{name}} }

func (m summary) text(value string) ast.Expr { return &ast.String{Pos: m.pos, Value: value} }

func (m summary) call(name string, args ...ast.Expr) ast.Expr {
	return &ast.Call{Name: m.name(name), Args: args}
}

func (m summary) cast(x ast.Expr, to string) ast.Expr {
	return &ast.Cast{Pos: m.pos, Input: x, Type: ast.TypeName{Text: to, Pos: m.pos}}
}
