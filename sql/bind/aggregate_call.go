package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// sortedAggregates take the values of WITHIN GROUP (ORDER BY ...) as their last argument.
var sortedAggregates = []string{"percentile_cont", "percentile_disc", "mode"}

// orderedAggregates give a result that depends on the order of rows: without ORDER BY, that of event time.
var orderedAggregates = []string{"first", "last", "string_agg", "json_agg", "json_object_agg", "array_agg"}

// counterAggregates go by the times of their values, which are the event times unless a second argument gives others.
var counterAggregates = []string{"rate", "increase", "delta"}

// aggregate binds a call of an aggregate function and stands for it until the select has been regrouped.
func (x *scalars) aggregate(name string, e *ast.Call) (plan.Expr, error) {
	if x.outer == nil {
		if err := x.checkAggregate(name, e); err != nil {
			return nil, err
		}
	}
	restore := x.outer.mark()
	reads := &levels{}
	call, err := x.filteredAggregation(name, e, reads)
	if err == nil && reads.outer && !reads.own {
		restore() // what the arguments took is not read here
		return x.outerAggregate(name, e)
	}
	if wrong := x.checkAggregate(name, e); wrong != nil {
		return nil, wrong
	}
	if err != nil {
		return nil, err
	}
	return x.narrowSum(x.aggregates.add(call), &call), nil
}

// filteredAggregation binds the arguments of an aggregate and the condition of its FILTER, and notes whose columns they name.
func (x *scalars) filteredAggregation(name string, e *ast.Call, reads *levels) (plan.Aggregation, error) {
	inner := *x
	inner.aggregates, inner.place, inner.reads = nil, "the arguments of another aggregate", reads
	inner.windows, inner.spreads, inner.nested = nil, nil, "an aggregate"
	call, err := inner.aggregation(name, e)
	if err != nil || e.Filter == nil {
		return call, err
	}
	inner.place = "FILTER"
	filter, err := inner.condition(e.Filter, "the condition of FILTER")
	if err != nil {
		return call, err
	}
	if call.Filter != nil {
		filter, err = applied("and", e.Name.Pos, argument{filter, e.Name.Pos}, argument{call.Filter, e.Name.Pos})
	}
	call.Filter = filter
	return call, err
}

// levels tells whose columns expressions name, also those that constants rule out: the row's own, or those of the row around the query.
type levels struct{ own, outer bool }

// outerAggregate binds an aggregate that names columns of the row around this query only. As the SQL standard has it, it is one of the
// query around, and its value belongs to the row around then.
func (x *scalars) outerAggregate(name string, e *ast.Call) (plan.Expr, error) {
	value, err := x.outer.x.aggregate(name, e)
	if err != nil {
		return nil, err
	}
	return x.outer.take(value, name), nil
}

// checkAggregate refuses what no aggregate takes, or none at this place.
func (x *scalars) checkAggregate(name string, e *ast.Call) error {
	pos := e.Name.Pos
	switch {
	case x.aggregates == nil:
		err := event.Errorf(event.CodeBadRequest, "the aggregate %s cannot stand in %s", name, x.place).At(pos)
		if x.place == "WHERE" {
			err = err.WithHint("conditions on aggregates go into HAVING")
		}
		return err
	case e.Star && name != "count":
		return event.Errorf(event.CodeSyntax, "only count takes *").At(pos)
	case !e.Star && len(e.Args) == 0 && !e.Within:
		return event.Errorf(event.CodeTypeMismatch, "%s needs an argument", name).At(pos)
	case e.Within && !slices.Contains(sortedAggregates, name):
		return event.Errorf(event.CodeSyntax, "%s takes no WITHIN GROUP", name).At(pos).
			WithHint("an order goes inside its parentheses: %s(x ORDER BY y)", name)
	case e.Within && len(e.OrderBy) != 1:
		return event.Errorf(event.CodeSyntax, "WITHIN GROUP takes one ORDER BY expression here").At(pos)
	default:
		return nil
	}
}

// aggregation binds the arguments of an aggregate, the order that it takes its rows in and DISTINCT.
func (x *scalars) aggregation(name string, e *ast.Call) (plan.Aggregation, error) {
	args, err := x.arguments(e.Args)
	if err != nil {
		return plan.Aggregation{}, err
	}
	keys, err := x.callOrder(e)
	if err != nil {
		return plan.Aggregation{}, err
	}
	var present plan.Expr
	switch {
	case e.Within:
		args, err = sortedArguments(name, args, keys, e)
		keys = nil
	case len(args) == 2 && (name == "first" || name == "last"):
		args, keys, present, err = byKey(args, len(keys) > 0, false)
	case slices.Contains(counterAggregates, name):
		args, keys, err = x.counterArguments(name, args, e)
	case name == "json_object_agg" && len(args) == 2: // names of members are text, of whatever type they were
		args[0].expr, err = cast(args[0], text)
	case name == "string_agg" && len(args) == 1:
		args = append(args, argument{stringLiteral(",", text), e.Name.Pos})
	}
	if err != nil {
		return plan.Aggregation{}, err
	}
	fn, exprs, err := resolve(name, e.Name.Pos, args)
	if err != nil {
		return plan.Aggregation{}, err
	}
	if err := checkConstants(name, exprs, args); err != nil {
		return plan.Aggregation{}, err
	}
	call := plan.Aggregation{Fn: fn, Args: exprs, Order: keys, Filter: present}
	err = x.order(name, &call, e)
	return call, err
}

// callOrder binds ORDER BY inside a call.
func (x *scalars) callOrder(e *ast.Call) ([]plan.SortKey, error) {
	var keys []plan.SortKey
	for _, o := range e.OrderBy {
		key, err := x.value(o.Expr)
		if err != nil {
			return nil, err
		}
		first := o.Nulls == ast.NullsFirst || (o.Nulls == ast.NullsDefault && o.Descending)
		keys = append(keys, plan.SortKey{Expr: key, Descending: o.Descending, NullsFirst: first})
	}
	return keys, nil
}

// sortedArguments turns WITHIN GROUP (ORDER BY x) into an argument. NULLs are left out, so where they would stand is all one.
func sortedArguments(name string, args []argument, keys []plan.SortKey, e *ast.Call) ([]argument, error) {
	value := argument{keys[0].Expr, e.OrderBy[0].Expr.Position()}
	want, wanted := 1, "one argument"
	if name == "mode" {
		want, wanted = 0, "no argument"
	}
	if len(args) != want {
		return nil, event.Errorf(event.CodeTypeMismatch, "%s(...) WITHIN GROUP takes %s in its parentheses", name, wanted).At(e.Name.Pos)
	}
	args = append(args, value)
	if !keys[0].Descending || name == "mode" {
		return args, nil
	}
	if name == "percentile_disc" {
		return append(args, argument{boolLiteral(true), e.Name.Pos}), nil
	}
	one := argument{doubleLiteral(1), args[0].pos}
	rest, err := applied("-", args[0].pos, one, args[0])
	args[0].expr = rest
	return args, err
}

// byKey makes the second argument a key: rows in which it is NULL do not count.
func byKey(args []argument, ordered, descending bool) ([]argument, []plan.SortKey, plan.Expr, error) {
	key := args[1]
	if ordered {
		return nil, nil, nil, event.Errorf(event.CodeSyntax, "a second argument is the order, so there can be no ORDER BY").At(key.pos)
	}
	present, err := applied("is_not_null", key.pos, key)
	return args[:1], []plan.SortKey{{Expr: key.expr, Descending: descending, NullsFirst: descending}}, present, err
}

// counterArguments completes value and time, by which rows are ordered.
func (x *scalars) counterArguments(name string, args []argument, e *ast.Call) ([]argument, []plan.SortKey, error) {
	if len(args) == 1 {
		time := x.scope.eventTime()
		if time == nil {
			return nil, nil, event.Errorf(event.CodeTypeMismatch, "%s needs the time of each value as its second argument here", name).At(e.Name.Pos)
		}
		args = append(args, argument{time, e.Name.Pos})
	}
	if len(e.OrderBy) > 0 {
		return nil, nil, event.Errorf(event.CodeSyntax, "%s goes by time and takes no ORDER BY", name).At(e.Name.Pos)
	}
	return args, []plan.SortKey{{Expr: args[1].expr}}, nil
}

// constantArguments are the arguments that must be the same in every row, by index from the front.
var constantArguments = map[string][]int{
	"percentile_cont": {0}, "percentile_disc": {0}, "approx_percentile": {1}, "approx_top_k": {1}, "histogram": {1, 2, 3},
}

func checkConstants(name string, exprs []plan.Expr, args []argument) error {
	for _, i := range constantArguments[name] {
		varies := false
		plan.Walk(exprs[i], func(e plan.Expr) {
			_, ok := e.(*plan.ColumnRef)
			varies = varies || ok
		})
		if varies {
			return event.Errorf(event.CodeBadRequest, "this argument of %s must not depend on columns", name).At(args[i].pos)
		}
	}
	return nil
}

// order completes the order of a call, so that its result is one whatever worker reads which rows: ties go by event time, partition
// and offset, and so do all rows where there is no ORDER BY.
func (x *scalars) order(name string, call *plan.Aggregation, e *ast.Call) error {
	ordered := slices.Contains(orderedAggregates, name)
	call.Distinct = e.Distinct && name != "first" && name != "last"
	if !ordered && !slices.Contains(counterAggregates, name) {
		call.Order = nil // it makes no difference
		return nil
	}
	if !call.Distinct {
		call.Order = withTies(call.Order, x.scope.eventOrder(false))
		return nil
	}
	for _, k := range call.Order {
		if !slices.ContainsFunc(call.Args, func(a plan.Expr) bool { return sameExpr(a, k.Expr) }) {
			return event.Errorf(event.CodeBadRequest, "with DISTINCT, ORDER BY inside %s takes only its arguments", name).At(e.Name.Pos)
		}
	}
	if len(call.Order) == 0 {
		call.Order = []plan.SortKey{{Expr: call.Args[0]}}
	}
	return nil
}

// extremeBy binds arg_min(x, key) and arg_max(x, key): the x of the row with the least or the greatest key.
func (x *scalars) extremeBy(name string, e *ast.Call) (plan.Expr, error) {
	if len(e.Args) != 2 || len(e.OrderBy) > 0 {
		return nil, event.Errorf(event.CodeTypeMismatch, "%s takes a value and what to compare by", name).At(e.Name.Pos)
	}
	order := ast.Order{Expr: e.Args[1], Descending: name == "arg_max" || name == "max_by", Nulls: ast.NullsLast}
	present := ast.Expr(&ast.Is{Pos: e.Args[1].Position(), Input: e.Args[1], Test: "NULL", Not: true})
	if e.Filter != nil {
		present = &ast.Binary{Pos: e.Name.Pos, Op: "AND", Left: e.Filter, Right: present}
	}
	first := &ast.Call{Name: e.Name, Args: e.Args[:1], OrderBy: []ast.Order{order}, Filter: present}
	return x.aggregate("first", first)
}
