package plan

import "github.com/tidemarkdb/tidemark/event"

func aggregate(name string, result event.Type, args ...event.Type) *Function {
	return &Function{Name: name, Args: args, Result: result, Aggregate: true}
}

// statisticFunctions take y before x where they relate two variables, as in the SQL standard. A variance of a sample needs two
// values, that of a population one. The third argument of percentile_disc makes it count from the largest value.
func statisticFunctions() []*Function {
	var out []*Function
	for _, name := range []string{"var_samp", "var_pop", "stddev_samp", "stddev_pop", "median", "product", "geometric_mean"} {
		out = append(out, aggregate(name, double, double))
	}
	for _, name := range []string{
		"corr", "covar_samp", "covar_pop", "regr_slope", "regr_intercept", "regr_r2", "regr_avgx", "regr_avgy", "regr_sxx", "regr_syy",
		"regr_sxy",
	} {
		out = append(out, aggregate(name, double, double, double))
	}
	out = append(out, aggregate("regr_count", bigint, double, double), aggregate("percentile_cont", double, double, double))
	for _, t := range []event.Type{boolean, bigint, double, text, timestamptz} {
		out = append(out, aggregate("percentile_disc", t, double, t), aggregate("percentile_disc", t, double, t, boolean))
	}
	return out
}

// choiceFunctions give one of the values. first and last go by the order that the call has; any_value takes what comes first.
func choiceFunctions() []*Function {
	var out []*Function
	for _, t := range ValueTypes {
		for _, name := range []string{"first", "last", "any_value", "mode"} {
			out = append(out, aggregate(name, t, t))
		}
	}
	return out
}

// combiningFunctions put all values together. json_agg and json_object_agg keep NULLs, as JSON null.
func combiningFunctions() []*Function {
	out := []*Function{
		aggregate("bool_and", boolean, boolean), aggregate("bool_or", boolean, boolean),
		aggregate("bit_and", bigint, bigint), aggregate("bit_or", bigint, bigint), aggregate("bit_xor", bigint, bigint),
		aggregate("string_agg", text, text, text),
	}
	for _, t := range ValueTypes {
		out = append(out, aggregate("json_agg", jsonb, t), aggregate("json_object_agg", jsonb, text, t))
	}
	return out
}

// sketchFunctions answer within a stated error from little memory; their implementations state it.
func sketchFunctions() []*Function {
	out := []*Function{
		aggregate("approx_percentile", double, double, double),
		aggregate("histogram", jsonb, double, double, double, bigint),
	}
	for _, t := range ValueTypes {
		out = append(out, aggregate("approx_count_distinct", bigint, t), aggregate("approx_top_k", jsonb, t, bigint))
	}
	return out
}

// counterFunctions take a value and its time, in the order of time. rate is per second.
func counterFunctions() []*Function {
	var out []*Function
	for _, name := range []string{"increase", "rate", "delta"} {
		out = append(out, aggregate(name, double, double, timestamptz))
	}
	return out
}
