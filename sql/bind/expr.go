package bind

import (
	"errors"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// scalars binds expressions at one place of a statement.
type scalars struct {
	binder *binder
	scope  *scope
	// aggregates collects the aggregate calls; nil where they are not allowed.
	aggregates *aggregates
	// windows collects the window calls; nil where they are not allowed, and nested names what they would stand inside of.
	windows *windows
	nested  string
	// place names the place in errors.
	place string
	// outputs are the columns of the result, where a hint about their names can be due; byAlias makes the names usable.
	outputs []output
	byAlias bool
	// withs are the queries of WITH that can be named in subqueries; outer is the row around this query, if it is one itself.
	withs *withs
	outer *outerRow
	// spreads collects the calls that give several rows; nil where they are not allowed.
	spreads *spreads
	// queries says that subqueries are allowed here.
	queries bool
	// reads, if not nil, notes whose columns are named.
	reads *levels
	// bound has the subqueries over these rows by their text; nil where they are not looked for again.
	bound map[string]plan.Expr
	// at remembers where columns were named, for errors found after binding.
	at map[*plan.ColumnRef]event.Position
}

// constants binds expressions that may not name columns.
func (b *binder) constants(place string) *scalars {
	return &scalars{binder: b, scope: &scope{}, place: place}
}

// argument binds an expression and keeps its place.
func (x *scalars) argument(e ast.Expr) (argument, error) {
	bound, err := x.bind(e)
	return argument{bound, e.Position()}, err
}

func (x *scalars) arguments(list []ast.Expr) ([]argument, error) {
	out := make([]argument, len(list))
	for i, e := range list {
		a, err := x.argument(e)
		if err != nil {
			return nil, err
		}
		out[i] = a
	}
	return out, nil
}

// value binds an expression whose value leaves the query: what has no type by now is TEXT.
func (x *scalars) value(e ast.Expr) (plan.Expr, error) {
	a, err := x.argument(e)
	if err != nil || a.typ().Kind != event.Unknown {
		return a.expr, err
	}
	return cast(a, text)
}

// condition binds an expression that must be BOOLEAN.
func (x *scalars) condition(e ast.Expr, what string) (plan.Expr, error) {
	a, err := x.argument(e)
	if err != nil {
		return nil, err
	}
	if kind := a.typ().Kind; kind != event.Boolean && kind != event.Unknown {
		return nil, event.Errorf(event.CodeTypeMismatch, "%s must be BOOLEAN, not %s", what, a.typ()).At(a.pos)
	}
	return coerce(a, boolean)
}

// bind gives an expression its type. Literals without one have Unknown, everything else has a value type.
func (x *scalars) bind(e ast.Expr) (plan.Expr, error) {
	switch e := e.(type) {
	case *ast.Number:
		return x.number(e)
	case *ast.String:
		return stringLiteral(e.Value, unknown), nil
	case *ast.Bool:
		return boolLiteral(e.Value), nil
	case *ast.Null:
		return nullLiteral(unknown), nil
	case *ast.TypedLiteral:
		return x.typedLiteral(e)
	case *ast.Param:
		return x.param(e)
	case *ast.Column:
		return x.column(e)
	case *ast.Star:
		return nil, event.Errorf(event.CodeSyntax, "* stands only in a select list and in count(*)").At(e.Pos)
	case *ast.Call:
		return x.call(e)
	case *ast.Case:
		return x.caseOf(e)
	case *ast.Cast:
		return x.cast(e)
	case *ast.Unary:
		if e.Op == "+" {
			return x.bind(e.Input)
		}
		if lit, ok := negativeNumber(e); ok {
			return lit, nil
		}
		return x.apply(strings.ToLower(e.Op), e.Pos, e.Input)
	case *ast.Row:
		return x.rowValue(e, e)
	case *ast.Binary:
		_, left := x.rowOf(e.Left)
		if _, right := x.rowOf(e.Right); left || right {
			return x.compareRows(e)
		}
		if isComparison(e.Op) {
			return x.compare(e)
		}
		name, _ := plainName(strings.ToLower(e.Op))
		return x.apply(name, e.Pos, e.Left, e.Right)
	case *ast.Between:
		return x.between(e)
	case *ast.In:
		return x.in(e)
	case *ast.Is:
		return x.is(e)
	case *ast.Array:
		return x.array(e)
	case *ast.ArrayQuery:
		return x.arrayQuery(e)
	case *ast.QuantifiedArray:
		return x.quantifiedArray(e)
	case *ast.Query, *ast.Exists, *ast.InQuery, *ast.Quantified:
		return x.subquery(e)
	default:
		return nil, event.Errorf(event.CodeInternal, "bind expression: %T is not known", e).At(e.Position())
	}
}

// apply binds the arguments and applies a function or operator to them.
func (x *scalars) apply(name string, pos event.Position, list ...ast.Expr) (plan.Expr, error) {
	args, err := x.arguments(list)
	if err != nil {
		return nil, err
	}
	if args, err = asText(name, args); err != nil {
		return nil, err
	}
	out, err := applied(name, pos, args...)
	if err != nil {
		return nil, err
	}
	return firstKnown(out), nil
}

// applied applies a function or operator to bound arguments.
func applied(name string, pos event.Position, args ...argument) (plan.Expr, error) {
	if isComparison(name) {
		for i, a := range args { // a number that is computed takes the type of a column beside it as one written out does
			args[i].expr = computed(a.expr)
		}
	}
	fn, exprs, err := resolve(name, pos, args)
	if err != nil {
		return nil, err
	}
	return certain(&plan.Call{Fn: fn, Args: exprs}), nil
}

func (x *scalars) column(e *ast.Column) (plan.Expr, error) {
	i, path, err := x.scope.resolve(e.Parts)
	if err != nil {
		if out := x.aliased(e); out != nil {
			return out, nil
		}
		if out, ok := x.windowTimeColumn(e); ok {
			return out, nil
		}
		if out := x.outerColumn(e, err); out != nil {
			return out, nil
		}
		if row, ok := x.rowOf(e); ok {
			return x.rowValue(e, row)
		}
		return nil, x.explainAlias(e, err)
	}
	if out := x.outerMember(e, i, path); out != nil {
		return out, nil
	}
	ref := x.scope.ref(i)
	if x.reads != nil {
		x.reads.own = true
	}
	if x.at != nil {
		x.at[ref] = e.Position()
	}
	if bound := x.boundOfValue(i, ref, path); bound != nil {
		return bound, nil
	}
	var out plan.Expr = ref
	for _, member := range path {
		if out.Type().Kind != event.JSONB {
			return nil, noMember(ref.Name, ref.Typ, member)
		}
		key := argument{stringLiteral(member.Text, text), member.Pos}
		if out, err = applied("->", member.Pos, argument{out, e.Position()}, key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// noMember says that a column has no members.
func noMember(column string, t event.Type, member ast.Name) *event.Error {
	return event.Errorf(event.CodeTypeMismatch, "column %q is %s and has no member %q", column, t, member.Text).
		At(member.Pos).WithHint("only JSONB has members")
}

// explainAlias tells someone who uses a name of the result where only names of the input count.
func (x *scalars) explainAlias(e *ast.Column, err error) error {
	var coded *event.Error
	if len(e.Parts) > 1 || !errors.As(err, &coded) || coded.Code != event.CodeUnknownColumn {
		return err
	}
	for _, o := range x.outputs {
		if strings.EqualFold(o.name, e.Parts[0].Text) {
			return coded.WithHint("%s is a name of the result: write the expression itself here, or select from the query", o.name)
		}
	}
	return err
}

func (x *scalars) caseOf(e *ast.Case) (plan.Expr, error) {
	var operand argument
	if e.Operand != nil {
		var err error
		if operand, err = x.argument(e.Operand); err != nil {
			return nil, err
		}
		if err := checkCopies(operand, len(e.Whens)); err != nil {
			return nil, err
		}
	}
	out := &plan.Case{}
	var results []ast.Expr
	for _, w := range e.Whens {
		condition, err := x.when(e, operand, w)
		if err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, plan.When{Condition: condition})
		results = append(results, w.Then)
	}
	if e.Else != nil {
		results = append(results, e.Else)
	}
	args, err := x.arguments(results)
	if err != nil {
		return nil, err
	}
	var values []plan.Expr
	if out.Typ, values, err = unify(args, "CASE"); err != nil {
		return nil, err
	}
	for i := range out.Whens {
		out.Whens[i].Then = values[i]
	}
	if e.Else != nil {
		out.Else = values[len(values)-1]
	}
	return reachable(out), nil
}

// when is the condition of a branch: in the form with an operand, that the two are equal.
func (x *scalars) when(e *ast.Case, operand argument, w ast.When) (plan.Expr, error) {
	if e.Operand == nil {
		return x.condition(w.Condition, "the condition of WHEN")
	}
	a, err := x.argument(w.Condition)
	if err != nil {
		return nil, err
	}
	return applied("=", a.pos, operand, a)
}

func (x *scalars) between(e *ast.Between) (plan.Expr, error) {
	if _, ok := x.rowOf(e.Input); ok {
		low := &ast.Binary{Pos: e.Pos, Op: ">=", Left: e.Input, Right: e.Low}
		return x.bind(&ast.Binary{Pos: e.Pos, Op: "AND", Left: low, Right: &ast.Binary{Pos: e.Pos, Op: "<=", Left: e.Input, Right: e.High}})
	}
	args, err := x.arguments([]ast.Expr{e.Input, e.Low, e.High})
	if err != nil {
		return nil, err
	}
	if err := checkCopies(args[0], 2); err != nil {
		return nil, err
	}
	low, err := applied(">=", e.Pos, args[0], args[1])
	if err != nil {
		return nil, err
	}
	high, err := applied("<=", e.Pos, args[0], args[2])
	if err != nil {
		return nil, err
	}
	return applied("and", e.Pos, argument{low, e.Pos}, argument{high, e.Pos})
}

// in is equality with one of the list, as a balanced tree of OR.
func (x *scalars) in(e *ast.In) (plan.Expr, error) {
	if _, ok := x.rowOf(e.Input); ok {
		return x.rowIn(e)
	}
	input, err := x.argument(e.Input)
	if err != nil {
		return nil, err
	}
	if err := checkCopies(input, len(e.List)); err != nil {
		return nil, err
	}
	list, err := x.arguments(e.List)
	if err != nil {
		return nil, err
	}
	common, _ := commonType(append([]argument{input}, list...), "IN")
	tests := make([]argument, len(list))
	for i, a := range list {
		if s, quoted := literalText(a.expr); quoted && a.typ().Kind == event.Unknown && common.Kind == event.Numeric {
			if number, ok := numberLiteral(strings.TrimSpace(s)); ok { // 1 IN ('1.5', 2.5) compares numbers with a point
				a.expr = number
			}
		}
		test, err := applied("=", a.pos, input, a)
		if err != nil {
			return nil, err
		}
		tests[i] = argument{test, a.pos}
	}
	return anyOf(tests)
}

func anyOf(tests []argument) (plan.Expr, error) {
	if len(tests) == 1 {
		return tests[0].expr, nil
	}
	middle := (len(tests) + 1) / 2
	left, err := anyOf(tests[:middle])
	if err != nil {
		return nil, err
	}
	right, err := anyOf(tests[middle:])
	if err != nil {
		return nil, err
	}
	return applied("or", tests[middle].pos, argument{left, tests[0].pos}, argument{right, tests[middle].pos})
}

// is binds IS: the tests for truth are false, not NULL, where the input is NULL.
func (x *scalars) is(e *ast.Is) (plan.Expr, error) {
	if row, ok := x.rowOf(e.Input); ok {
		return x.rowIs(row, e)
	}
	if e.Test == "NULL" {
		name := "is_null"
		if e.Not {
			name = "is_not_null"
		}
		return x.apply(name, e.Pos, e.Input)
	}
	condition, err := x.condition(e.Input, "the operand of IS "+e.Test)
	if err != nil {
		return nil, err
	}
	test := argument{condition, e.Pos}
	never := argument{boolLiteral(false), e.Pos}
	name, args := "coalesce", []argument{test, never}
	switch e.Test {
	case "UNKNOWN":
		name, args = "is_null", []argument{test}
	case "FALSE":
		inverse, err := applied("not", e.Pos, test)
		if err != nil {
			return nil, err
		}
		args = []argument{{inverse, e.Pos}, never}
	}
	out, err := applied(name, e.Pos, args...)
	if err != nil || !e.Not {
		return out, err
	}
	return applied("not", e.Pos, argument{out, e.Pos})
}

// maxCopies bounds the tree that comes of writing an operand out several times, which BETWEEN, IN and CASE do: nested, they would
// double it at every level.
const maxCopies = 1_000_000

func checkCopies(a argument, copies int) error {
	if size(a.expr, maxCopies/max(copies, 1)) <= 0 {
		return event.Errorf(event.CodeBadRequest, "expression is too complex").At(a.pos).
			WithHint("compute the operand in a query of WITH first")
	}
	return nil
}

// size takes the number of nodes of e from a budget and returns what is left; it stops when nothing is.
func size(e plan.Expr, budget int) int {
	budget--
	if budget <= 0 || e == nil {
		return budget
	}
	for _, in := range inputs(e) {
		if budget = size(in, budget); budget <= 0 {
			return 0
		}
	}
	return budget
}

// inputs are the expressions that e is made of.
func inputs(e plan.Expr) []plan.Expr {
	switch e := e.(type) {
	case *plan.Call:
		return e.Args
	case *plan.Cast:
		return []plan.Expr{e.Input}
	case *plan.Subquery:
		return plan.Operands(e)
	case *plan.Case:
		var out []plan.Expr
		for _, w := range e.Whens {
			out = append(out, w.Condition, w.Then)
		}
		if e.Else != nil {
			out = append(out, e.Else)
		}
		return out
	default: // ColumnRef and Literal are made of nothing
		return nil
	}
}
