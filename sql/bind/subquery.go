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
	if x.reads != nil {
		x.reads.outer = true
	}
	return x.outer.take(value, e.Parts[len(e.Parts)-1].Text)
}

// outerMember finds what looks like a member of a column here, of a type that has none, as a column of a table around this query: a table
// may have the name of a column.
func (x *scalars) outerMember(e *ast.Column, i int, path []ast.Name) plan.Expr {
	if len(path) == 0 || len(path) != len(e.Parts)-1 || x.scope.columns[i].typ.Kind == event.JSONB {
		return nil
	}
	unknown := noMember(x.scope.columns[i].name, x.scope.columns[i].typ, path[0])
	unknown.Code = event.CodeUnknownColumn
	return x.outerColumn(e, unknown)
}

// mark returns what takes back all that is read of this row, and of those around it, from now on.
func (o *outerRow) mark() (restore func()) {
	if o == nil {
		return func() {}
	}
	taken, around := len(o.args), o.x.outer.mark()
	return func() {
		o.args = o.args[:taken]
		around()
	}
}

// take refers to a value of the row.
func (o *outerRow) take(value plan.Expr, name string) *plan.OuterRef {
	for i, known := range o.args {
		if sameExpr(known, value) {
			return &plan.OuterRef{Index: i, Name: name, Typ: value.Type()}
		}
	}
	o.args = append(o.args, value)
	return &plan.OuterRef{Index: len(o.args) - 1, Name: name, Typ: value.Type()}
}

// outerTable names the columns of a table of a row around this query, the nearest that has a table of that name.
func (x *scalars) outerTable(table *ast.Name) ([]*ast.Column, bool) {
	for o := x.outer; o != nil; o = o.x.outer {
		if !o.x.scope.has(table.Text) {
			continue
		}
		var out []*ast.Column
		for _, i := range o.x.scope.starred(table) {
			name := ast.Name{Text: o.x.scope.columns[i].name, Quoted: true, Pos: table.Pos}
			out = append(out, &ast.Column{Parts: []ast.Name{*table, name}})
		}
		return out, true
	}
	return nil, false
}

// subquery binds a query inside an expression. One that is written twice over the same rows is bound once, so that GROUP BY finds it again
// in the select list.
func (x *scalars) subquery(e ast.Expr) (plan.Expr, error) {
	text := e.String()
	if known := x.bound[text]; known != nil && x.reads == nil {
		return known, nil
	}
	before := x.binder.volatiles
	out, err := x.newSubquery(e)
	if err == nil && x.bound != nil && x.binder.volatiles == before {
		x.bound[text] = out
	}
	return out, err
}

func (x *scalars) newSubquery(e ast.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Query:
		return x.scalarQuery(e, nil)
	case *ast.Exists:
		out, err := x.query(withColumn(e.Query), e.Pos, nil)
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

// withColumn gives a query without columns one, where only its rows count: EXISTS (SELECT FROM t).
func withColumn(s *ast.Select) *ast.Select {
	out := *s
	switch {
	case s.Set != nil:
		set := *s.Set
		set.Left, set.Right = withColumn(set.Left), withColumn(set.Right)
		out.Set = &set
	case s.Rows == nil && len(s.Items) == 0:
		out.Items = []ast.Item{{Expr: &ast.Number{Pos: s.Pos, Text: "1"}}}
	default:
		return s
	}
	return &out
}

// argumentAs is argument, but the literals of a query take the type wanted, where they have none.
func (x *scalars) argumentAs(e ast.Expr, wanted []event.Type) (argument, error) {
	q, ok := e.(*ast.Query)
	if !ok {
		return x.argument(e)
	}
	out, err := x.scalarQuery(q, wanted)
	return argument{out, e.Position()}, err
}

func isComparison(op string) bool {
	switch op {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	default:
		return false
	}
}

// compare binds a comparison. A query on one side is bound after the other side, whose type its literals take.
func (x *scalars) compare(e *ast.Binary) (plan.Expr, error) {
	operands := []ast.Expr{e.Left, e.Right}
	var args [2]argument
	order := []int{0, 1}
	if _, query := e.Left.(*ast.Query); query {
		order = []int{1, 0}
	}
	var wanted []event.Type
	for _, i := range order {
		var err error
		if args[i], err = x.argumentAs(operands[i], wanted); err != nil {
			return nil, err
		}
		if wanted = typesOfArguments(args[i : i+1]); wanted != nil && wanted[0].Kind == event.JSONB {
			wanted = nil // which is compared with what is none
		}
	}
	return applied(e.Op, e.Pos, args[:]...)
}

func (x *scalars) scalarQuery(e *ast.Query, wanted []event.Type) (plan.Expr, error) {
	out, err := x.query(e.Query, e.Pos, wanted)
	if err != nil {
		return nil, err
	}
	return out, oneColumn(out, e.Pos)
}

// quantified asks whether a comparison is true for one row of a query. For all rows it is the negation of whether the comparison's
// negation is true for one.
func (x *scalars) quantified(e *ast.Quantified) (plan.Expr, error) {
	input, err := x.operands(e)
	if err != nil {
		return nil, err
	}
	out, err := x.query(e.Query, e.Pos, typesOfArguments(input))
	if err != nil {
		return nil, err
	}
	test, err := quantifiedTest(e, input, out)
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

// operands binds what is compared with the columns of a query: a value, or those of a row.
func (x *scalars) operands(e *ast.Quantified) ([]argument, error) {
	row, ok := x.rowOf(e.Input)
	if !ok {
		return x.arguments([]ast.Expr{e.Input})
	}
	return x.arguments(row.Items)
}

// quantifiedTest compares operands with the columns of a query.
func quantifiedTest(e *ast.Quantified, input []argument, s *plan.Subquery) (plan.Expr, error) {
	columns := s.Plan.Columns()
	if len(columns) != len(input) {
		if len(input) == 1 {
			return nil, oneColumn(s, e.Pos)
		}
		return nil, event.Errorf(event.CodeBadRequest, "a row of %d values is compared with a query of %d columns", len(input), len(columns)).
			At(e.Pos)
	}
	columnOf := func(i int) argument {
		return argument{&plan.OuterRef{Index: plan.SubqueryColumn - i, Name: columns[i].Name, Typ: columns[i].Type}, e.Pos}
	}
	if e.Op != "=" && e.Op != "<>" {
		return orderedTest(e, input, columnOf)
	}
	connective := "and"
	if e.Op == "<>" {
		connective = "or"
	}
	var out plan.Expr
	for i, in := range input {
		test, err := applied(e.Op, e.Pos, in, columnOf(i))
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = test
		} else if out, err = applied(connective, e.Pos, argument{out, e.Pos}, argument{test, e.Pos}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// orderedTest compares by the first pair that differs.
func orderedTest(e *ast.Quantified, input []argument, columnOf func(i int) argument) (plan.Expr, error) {
	last := len(input) - 1
	out, err := applied(e.Op, e.Pos, input[last], columnOf(last))
	for i := last - 1; i >= 0 && err == nil; i-- {
		var before, same plan.Expr
		if before, err = applied(e.Op[:1], e.Pos, input[i], columnOf(i)); err != nil {
			return nil, err
		}
		if same, err = applied("=", e.Pos, input[i], columnOf(i)); err != nil {
			return nil, err
		}
		if same, err = applied("and", e.Pos, argument{same, e.Pos}, argument{out, e.Pos}); err != nil {
			return nil, err
		}
		out, err = applied("or", e.Pos, argument{before, e.Pos}, argument{same, e.Pos})
	}
	return out, err
}

// typesOfArguments are the types that literals of a query take which is compared with the arguments; nil where these have none
// themselves.
func typesOfArguments(args []argument) []event.Type {
	out := make([]event.Type, len(args))
	for i, a := range args {
		if out[i] = a.typ(); out[i].Kind == event.Unknown {
			return nil
		}
	}
	return out
}

func oneColumn(s *plan.Subquery, pos event.Position) error {
	if n := plan.Width(s.Plan); n != 1 {
		return event.Errorf(event.CodeBadRequest, "a query used as a value must have one column, and this has %d", n).At(pos)
	}
	return nil
}

// query plans a query that can name the columns of the row around it. Its literals without type become what is wanted, if that is not
// nil.
func (x *scalars) query(s *ast.Select, pos event.Position, wanted []event.Type) (*plan.Subquery, error) {
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
	node, err := x.binder.selectPlan(s, x.withs, wanted)
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
