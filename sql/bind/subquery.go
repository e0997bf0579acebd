package bind

import (
	"errors"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// outerRow is the row around a subquery, whose columns it can name.
type outerRow struct {
	x *scalars
	// args are the values of the row that the subquery reads.
	args []plan.Expr
}

// outerColumn finds a name that means no column here in the row around this query; nil where it means none there either. err says
// why it means none here.
func (x *scalars) outerColumn(e *ast.Column, err error) plan.Expr {
	var coded *event.Error
	if x.outer == nil || !errors.As(err, &coded) || coded.Code != event.CodeUnknownColumn {
		return nil
	}
	value, err := x.outer.x.column(e)
	if err != nil {
		return nil
	}
	o := x.outer
	name := e.Parts[len(e.Parts)-1].Text
	for i, known := range o.args {
		if sameExpr(known, value) {
			return &plan.OuterRef{Index: i, Name: name, Typ: value.Type()}
		}
	}
	o.args = append(o.args, value)
	return &plan.OuterRef{Index: len(o.args) - 1, Name: name, Typ: value.Type()}
}

// subquery binds a query inside an expression.
func (x *scalars) subquery(e ast.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Query:
		return x.scalarQuery(e)
	case *ast.Exists:
		out, err := x.query(e.Query, e.Pos)
		if err != nil {
			return nil, err
		}
		out.Mark = true
		return out, nil
	case *ast.InQuery:
		return x.quantified(&ast.Quantified{Pos: e.Pos, Op: "=", Input: e.Input, Query: e.Query})
	case *ast.Quantified:
		return x.quantified(e)
	default:
		return nil, event.Errorf(event.CodeInternal, "bind subquery: %T is not known", e).At(e.Position())
	}
}

func (x *scalars) scalarQuery(e *ast.Query) (plan.Expr, error) {
	out, err := x.query(e.Query, e.Pos)
	if err != nil {
		return nil, err
	}
	return out, oneColumn(out, e.Pos)
}

// quantified asks whether a comparison is true for one row of a query. For all rows it is the negation of whether the comparison's
// negation is true for one.
func (x *scalars) quantified(e *ast.Quantified) (plan.Expr, error) {
	input, err := x.argument(e.Input)
	if err != nil {
		return nil, err
	}
	out, err := x.query(e.Query, e.Pos)
	if err != nil {
		return nil, err
	}
	if err := oneColumn(out, e.Pos); err != nil {
		return nil, err
	}
	column := &plan.OuterRef{Index: plan.SubqueryColumn, Name: out.Plan.Columns()[0].Name, Typ: out.Type()}
	test, err := applied(e.Op, e.Pos, input, argument{column, e.Pos})
	if err != nil {
		return nil, err
	}
	if e.All {
		if test, err = applied("not", e.Pos, argument{test, e.Pos}); err != nil {
			return nil, err
		}
	}
	out.Mark, out.Test = true, test
	if !e.All {
		return out, nil
	}
	return applied("not", e.Pos, argument{out, e.Pos})
}

func oneColumn(s *plan.Subquery, pos event.Position) error {
	if n := len(s.Plan.Columns()); n != 1 {
		return event.Errorf(event.CodeBadRequest, "a query used as a value must have one column, and this has %d", n).At(pos)
	}
	return nil
}

// query plans a query that can name the columns of the row around it.
func (x *scalars) query(s *ast.Select, pos event.Position) (*plan.Subquery, error) {
	if !x.queries {
		return nil, event.Errorf(event.CodeNotSupported, "a query inside an expression of %s: not supported yet", x.place).At(pos).
			WithHint("join it in FROM, or name it in WITH")
	}
	if err := x.binder.countTable(pos); err != nil {
		return nil, err
	}
	around := x.binder.outer
	row := &outerRow{x: x}
	x.binder.outer = row
	node, err := x.binder.selectPlan(s, x.withs, nil)
	x.binder.outer = around
	if err != nil {
		return nil, err
	}
	return &plan.Subquery{Plan: node, Args: row.args}, nil
}

// rewriteSubquery rewrites what a subquery takes from the rows of a select into what it takes from the groups.
func (g *grouping) rewriteSubquery(e *plan.Subquery) (plan.Expr, error) {
	args, err := g.rewriteAll(e.Args)
	if err != nil {
		return nil, err
	}
	out := &plan.Subquery{Plan: e.Plan, Args: args, Mark: e.Mark}
	if e.Test != nil {
		out.Test, err = g.rewrite(e.Test)
	}
	return out, err
}
