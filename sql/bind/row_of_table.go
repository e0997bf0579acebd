package bind

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// rowOf is the row that an operand is, if it is one: values in parentheses, or the name of a table where a value stands, with or
// without .* behind it.
func (x *scalars) rowOf(e ast.Expr) (*ast.Row, bool) {
	if row, ok := e.(*ast.Row); ok {
		return row, true
	}
	table, sc := x.tableOf(e)
	if sc == nil {
		return nil, false
	}
	row := &ast.Row{Pos: e.Position()}
	for _, i := range sc.starred(table) {
		column := ast.Name{Text: sc.columns[i].name, Quoted: true, Pos: e.Position()}
		row.Items = append(row.Items, &ast.Column{Parts: []ast.Name{*table, column}})
	}
	return row, true
}

// tableOf is the table whose row an expression stands for and the scope that has it; nil where it stands for none. A column goes before
// a table of the same name, and what is here before what is around the query.
func (x *scalars) tableOf(e ast.Expr) (*ast.Name, *scope) {
	switch e := e.(type) {
	case *ast.Star:
		if e.Table == nil || len(e.Exclude) > 0 || len(e.Replace) > 0 {
			return nil, nil
		}
		return e.Table, x.scopeWith(*e.Table)
	case *ast.Column:
		if len(e.Parts) > 1 || x.aliased(e) != nil {
			return nil, nil
		}
		for s := x; s != nil; s = s.around() {
			if _, matches := s.scope.find(e.Parts[0].Text); len(matches) > 0 {
				return nil, nil
			}
			if s.scope.has(e.Parts[0].Text) {
				return &e.Parts[0], s.scope
			}
		}
	}
	return nil, nil
}

// rowOperator is the operator of a comparison of rows. Those of tables are values themselves, which are equal or not even where there
// are NULLs in them.
func (x *scalars) rowOperator(e *ast.Binary) string {
	for _, side := range []ast.Expr{e.Left, e.Right} {
		if table, _ := x.tableOf(side); table == nil {
			continue
		}
		switch e.Op {
		case "=":
			return "IS NOT DISTINCT FROM"
		case "<>":
			return "IS DISTINCT FROM"
		}
	}
	return e.Op
}

// scopeWith is the scope that has a table, here or around the query.
func (x *scalars) scopeWith(table ast.Name) *scope {
	for s := x; s != nil; s = s.around() {
		if s.scope.has(table.Text) {
			return s.scope
		}
	}
	return nil
}

// around is what binds the row around this query; nil where there is none.
func (x *scalars) around() *scalars {
	if x.outer == nil {
		return nil
	}
	return x.outer.x
}

// countRows is count of a row of values: rows are told apart as JSON arrays are.
func (x *scalars) countRows(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	row, ok := x.rowOf(e.Args[0])
	if !ok {
		return nil
	}
	value := ast.Expr(&ast.Bool{Pos: e.Name.Pos, Value: true})
	if e.Distinct {
		value = callOf(e, "jsonb_build_array", row.Items...)
	}
	if present := x.present(e.Args[0], row); present != nil {
		value = &ast.Case{Pos: e.Name.Pos, Whens: []ast.When{{Condition: present, Then: value}}}
	}
	out := *e
	out.Args = []ast.Expr{value}
	return &out
}

// present is the condition on which there is a row of a table that an outer join may have filled with NULL; nil where there always is
// one. Rows of streams have an offset. What else has a value in some column, or else cannot be told from a row that was filled in.
func (x *scalars) present(e ast.Expr, row *ast.Row) ast.Expr {
	table, sc := x.tableOf(e)
	if sc == nil || len(sc.parts) == 0 {
		return nil
	}
	pos := e.Position()
	if i, matches := sc.findIn(table.Text, "_offset"); len(matches) == 1 && sc.columns[i].hidden {
		offset := &ast.Column{Parts: []ast.Name{*table, {Text: "_offset", Pos: pos}}}
		return &ast.Is{Pos: pos, Input: offset, Test: "NULL", Not: true}
	}
	return &ast.Unary{Pos: pos, Op: "NOT", Input: &ast.Is{Pos: pos, Input: row, Test: "NULL"}}
}

// rowToJSON is to_jsonb of an array, and an object of a row: its members are the columns of a table, or else f1, f2 and so on.
func (x *scalars) rowToJSON(name string, e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	row, ok := x.rowOf(e.Args[0])
	switch {
	case ok:
		return x.rowObject(e.Args[0], row)
	case name == "array_to_json":
		return callOf(e, "to_jsonb", e.Args[0])
	default:
		return nil
	}
}

// rowValue is a row where a value stands, as a column of the result or what a function takes: an object of JSON.
func (x *scalars) rowValue(e ast.Expr, row *ast.Row) (plan.Expr, error) {
	return x.bind(x.rowObject(e, row))
}

// rowObject is the object of a row. One that an outer join has filled with NULLs is NULL.
func (x *scalars) rowObject(e ast.Expr, row *ast.Row) ast.Expr {
	_, sc := x.tableOf(e)
	out := &ast.Call{Name: ast.Name{Text: "jsonb_build_object", Pos: e.Position()}}
	for i, item := range row.Items {
		member := fmt.Sprintf("f%d", i+1)
		if sc != nil {
			member = item.(*ast.Column).Parts[1].Text
		}
		out.Args = append(out.Args, &ast.String{Pos: item.Position(), Value: member}, item)
	}
	if present := x.present(e, row); present != nil {
		return &ast.Case{Pos: e.Position(), Whens: []ast.When{{Condition: present, Then: out}}}
	}
	return out
}

// rowsToJSON is json_agg of the objects that rows of values are.
func (x *scalars) rowsToJSON(e *ast.Call) ast.Expr {
	if len(e.Args) != 1 {
		return nil
	}
	row, ok := x.rowOf(e.Args[0])
	if !ok {
		return nil
	}
	out := *e
	out.Args = []ast.Expr{x.rowObject(e.Args[0], row)}
	return &out
}
