package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// unknownWindow is the error of a call with OVER whose name is no function's.
func unknownWindow(name string, e *ast.Call) error {
	if !slices.Contains(formNames, name) {
		return unknownFunction(name, e.Name.Pos)
	}
	err := event.Errorf(event.CodeNotSupported, "%s with OVER: not supported yet", name).At(e.Name.Pos)
	switch name {
	case "arg_min", "min_by", "arg_max", "max_by":
		err = err.WithHint("first_value(x) OVER (PARTITION BY ... ORDER BY key) gives the value at the least key")
	}
	return err
}

// windowArguments binds the arguments of a window function. For an aggregate they are those of any aggregate, and Order is the one
// that it takes its rows in by nature.
func (x *scalars) windowArguments(name string, e *ast.Call) (plan.Aggregation, error) {
	pos := e.Name.Pos
	switch fn := plan.Functions[name][0]; {
	case fn.Window && (len(e.OrderBy) > 0 || e.Within):
		return plan.Aggregation{}, event.Errorf(event.CodeSyntax, "%s takes its order from OVER", name).At(pos).
			WithHint("as in %s(...) OVER (ORDER BY ...)", name)
	case fn.Window:
		args, err := x.arguments(e.Args)
		if err != nil {
			return plan.Aggregation{}, err
		}
		if args, err = literalValues(name, args); err != nil {
			return plan.Aggregation{}, err
		}
		var out plan.Aggregation
		out.Fn, out.Args, err = resolve(name, pos, args)
		return out, err
	case len(e.OrderBy) > 0 && !e.Within:
		return plan.Aggregation{}, event.Errorf(event.CodeNotSupported, "an ORDER BY inside %s with OVER: not supported yet", name).At(pos).
			WithHint("%s takes the rows in the order of its window", name)
	case len(e.Args) == 2 && (name == "first" || name == "last"):
		return plan.Aggregation{}, event.Errorf(event.CodeNotSupported, "%s by a key with OVER: not supported yet", name).At(pos).
			WithHint("%s_value(x) OVER (ORDER BY key) takes the rows in the order of its window", name)
	}
	if err := x.checkAggregate(name, e); err != nil {
		return plan.Aggregation{}, err
	}
	return x.aggregation(name, e)
}

// follow settles in which order an aggregate takes its rows: in the window's, else in the one that it has by nature. Those that go
// by the time of their values have to agree with the window's.
func (c *windowCall) follow(name string, natural []plan.SortKey, e *ast.Call) error {
	if len(natural) == 0 {
		return nil
	}
	if len(c.order) == 0 {
		c.order, c.natural = natural, true
		return nil
	}
	if slices.Contains(counterAggregates, name) && !sameKeys(c.order[:1], natural[:1]) {
		return event.Errorf(event.CodeBadRequest, "%s goes by time, so its window must be ordered by that", name).At(e.Over.Pos)
	}
	return nil
}

// literalValues makes TEXT of the values of a window function where all are quoted literals: a number of rows beside them says nothing of
// their type.
func literalValues(name string, args []argument) ([]argument, error) {
	if len(args) < 2 || !plan.Functions[name][0].FetchesValue() || args[0].typ().Kind != event.Unknown || isNull(args[0].expr) {
		return args, nil
	}
	if len(args) > 2 && args[2].typ().Kind != event.Unknown {
		return args, nil
	}
	out := slices.Clone(args)
	var err error
	out[0].expr, err = cast(args[0], text)
	return out, err
}
