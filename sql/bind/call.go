package bind

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// comingFunctions are those of the dialect that this version does not have.
var comingFunctions = []string{
	"stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "corr", "median", "percentile_cont", "percentile_disc",
	"mode", "first", "last", "arg_min", "arg_max", "bool_and", "bool_or", "string_agg", "array_agg", "approx_count_distinct",
	"approx_percentile", "approx_top_k", "histogram", "rate", "delta", "increase", "format", "unnest",
	"generate_series", "rollup", "cube", "exists",
}

func (x *scalars) call(e *ast.Call) (plan.Expr, error) {
	name := e.Name.Text
	if !e.Name.Quoted {
		name = strings.ToLower(name)
	}
	if e.Over != nil {
		return x.window(name, e)
	}
	if out, ok, err := x.form(name, e); ok {
		return out, err
	}
	name, ok := plainName(name)
	if !ok {
		return nil, unknownFunction(name, e.Name.Pos)
	}
	if plan.Functions[name][0].Window {
		return nil, event.Errorf(event.CodeSyntax, "%s is a window function and needs OVER", name).At(e.Name.Pos).
			WithHint("write %s(...) OVER (PARTITION BY ... ORDER BY ...)", name)
	}
	if plan.Functions[name][0].Aggregate {
		return x.aggregate(name, e)
	}
	switch {
	case e.Filter != nil:
		return nil, event.Errorf(event.CodeSyntax, "%s is no aggregate and takes no FILTER", name).At(e.Name.Pos)
	case e.Star, e.Distinct:
		return nil, event.Errorf(event.CodeSyntax, "%s is no aggregate and takes neither * nor DISTINCT", name).At(e.Name.Pos)
	}
	return x.apply(name, e.Name.Pos, e.Args...)
}

func unknownFunction(name string, pos event.Position) error {
	if slices.Contains(comingFunctions, name) {
		return event.Errorf(event.CodeNotSupported, "%s: not supported yet", name).At(pos)
	}
	known := slices.AppendSeq(slices.Clone(formNames), maps.Keys(Aliases))
	for _, k := range slices.Sorted(maps.Keys(plan.Functions)) {
		if !plan.Functions[k][0].Symbol {
			known = append(known, k)
		}
	}
	slices.Sort(known)
	return suggest(event.Errorf(event.CodeUnknownFunction, "there is no function %q", name).At(pos), name, known)
}

// aggregate binds a call of an aggregate function and stands for it until the select has been regrouped.
func (x *scalars) aggregate(name string, e *ast.Call) (plan.Expr, error) {
	pos := e.Name.Pos
	switch {
	case x.aggregates == nil:
		err := event.Errorf(event.CodeBadRequest, "the aggregate %s cannot stand in %s", name, x.place).At(pos)
		if x.place == "WHERE" {
			err = err.WithHint("conditions on aggregates go into HAVING")
		}
		return nil, err
	case e.Distinct:
		return nil, event.Errorf(event.CodeNotSupported, "%s(DISTINCT ...): not supported yet", name).At(pos).
			WithHint("select DISTINCT in a query of WITH, then aggregate that")
	case e.Star && name != "count":
		return nil, event.Errorf(event.CodeSyntax, "only count takes *").At(pos)
	case !e.Star && len(e.Args) == 0:
		return nil, event.Errorf(event.CodeTypeMismatch, "%s needs an argument", name).At(pos)
	}
	inner := *x
	inner.aggregates, inner.place = nil, "the arguments of another aggregate"
	inner.windows, inner.nested = nil, "an aggregate"
	args, err := inner.arguments(e.Args)
	if err != nil {
		return nil, err
	}
	fn, exprs, err := resolve(name, pos, args)
	if err != nil {
		return nil, err
	}
	call := plan.Aggregation{Fn: fn, Args: exprs}
	if e.Filter != nil {
		inner.place = "FILTER"
		if call.Filter, err = inner.condition(e.Filter, "the condition of FILTER"); err != nil {
			return nil, err
		}
	}
	return x.aggregates.add(call), nil
}
