package bind

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// Aliases are the other names that functions go by in PostgreSQL and DuckDB.
var Aliases = map[string]string{
	"substring": "substr", "char_length": "length", "character_length": "length", "len": "length", "btrim": "trim", "instr": "strpos",
	"^@": "starts_with", "lcase": "lower", "ucase": "upper", "prefix": "starts_with", "suffix": "ends_with",
	"regexp_matches": "regexp_like", "ord": "ascii", "unicode": "ascii",
	"ceiling": "ceil", "pow": "power", "^": "power", "mod": "%", "log10": "log", "xor": "#",
	"date_part": "extract", "datepart": "extract", "datetrunc": "date_trunc", "date_bin": "time_bucket",
	"transaction_timestamp": "now", "statement_timestamp": "now", "get_current_timestamp": "now",
	"json_typeof": "jsonb_typeof", "json_type": "jsonb_typeof", "json_array_length": "jsonb_array_length",
	"json_extract_path": "jsonb_extract_path", "json_extract_path_text": "jsonb_extract_path_text", "to_json": "to_jsonb",
	"json_build_array": "jsonb_build_array", "json_array": "jsonb_build_array", "json_build_object": "jsonb_build_object",
	"json_object": "jsonb_build_object", "json_strip_nulls": "jsonb_strip_nulls", "json_contains": "@>",
	"json_pretty": "jsonb_pretty",
	"list_value":  "array", "list_concat": "array_cat", "list_append": "array_append", "list_prepend": "array_prepend",
	"list_contains": "array_contains", "list_has": "array_contains", "array_has": "array_contains", "list_position": "array_position",
	"list_sort": "array_sort", "list_reverse": "array_reverse", "list_distinct": "array_distinct", "list_slice": "array_slice",
	"list_extract": "subscript", "array_extract": "subscript", "list": "array_agg", "str_split": "string_to_array",
	"string_split": "string_to_array", "regexp_split": "regexp_split_to_array",
	"uuid": "gen_random_uuid", "datediff": "date_diff", "nvl": "coalesce", "ifnull": "coalesce",
	"every": "bool_and", "variance": "var_samp", "stddev": "stddev_samp", "geomean": "geometric_mean", "jsonb_agg": "json_agg",
	"jsonb_object_agg": "json_object_agg", "approx_distinct": "approx_count_distinct", "listagg": "string_agg",
}

// formNames are the calls that stand for other expressions.
var formNames = []string{
	"if", "iif", "arg_min", "arg_max", "min_by", "max_by", "grouping", "grouping_id", "locf", "interpolate",
	"quantile_cont", "quantile_disc", "pg_typeof", "typeof", "current_database", "current_schema", "array_to_json", "row_to_json",
	"date", "date_diff_within", "div", "quote_nullable", "to_date", "make_date", "make_interval", "make_timestamp",
}

// form binds a call that stands for another expression, and reports whether it is one.
func (x *scalars) form(name string, e *ast.Call) (out plan.Expr, ok bool, err error) {
	if out, ok, err := x.bindRewritten(name, e); ok {
		return out, true, err
	}
	switch name {
	case "if", "iif":
		out, err = x.choice(e)
		return out, true, err
	case "arg_min", "arg_max", "min_by", "max_by":
		out, err = x.extremeBy(name, e)
		return out, true, err
	case "grouping", "grouping_id":
		out, err = x.grouping(e)
		return out, true, err
	case "locf", "interpolate":
		out, err = x.gapFiller(name, e)
		return out, true, err
	case "subscript":
		out, err = x.subscript(e)
		return out, true, err
	default:
		return nil, false, nil
	}
}

// plainName is the name under which a function is known. A symbol is one only by way of an alias.
func plainName(name string) (string, bool) {
	if other, ok := Aliases[name]; ok {
		return other, len(plan.Functions[other]) > 0
	}
	return name, len(plan.Functions[name]) > 0 && !plan.Functions[name][0].Symbol
}

// choice binds if(condition, then [, else]).
func (x *scalars) choice(e *ast.Call) (plan.Expr, error) {
	if len(e.Args) != 2 && len(e.Args) != 3 {
		return nil, event.Errorf(event.CodeTypeMismatch, "%s takes a condition and one or two values", e.Name.Text).At(e.Name.Pos)
	}
	out := &ast.Case{Pos: e.Name.Pos, Whens: []ast.When{{Condition: e.Args[0], Then: e.Args[1]}}}
	if len(e.Args) == 3 {
		out.Else = e.Args[2]
	}
	return x.caseOf(out)
}

// asText converts the arguments of what joins texts, since PostgreSQL joins values of any type. || does so where a text is among
// them, and has meanings of its own for JSONB and arrays.
func asText(name string, args []argument) ([]argument, error) {
	switch name {
	case "||":
		if !joinsText(args) {
			return args, nil
		}
	case "concat", "concat_ws", "format":
	case "jsonb_build_array", "jsonb_build_object":
		return asJSON(name, args)
	default:
		return args, nil
	}
	out := make([]argument, len(args))
	for i, a := range args {
		if a.typ().Kind == event.Unknown {
			out[i] = a
			continue
		}
		e, err := cast(a, text)
		if err != nil {
			return nil, err
		}
		out[i] = argument{e, a.pos}
	}
	return out, nil
}

// asJSON converts values to JSON, and what stands in the place of a member's name to a JSON string.
func asJSON(name string, args []argument) ([]argument, error) {
	out := make([]argument, len(args))
	for i, a := range args {
		var err error
		key := name == "jsonb_build_object" && i%2 == 0
		if key || a.typ().Kind == event.Unknown {
			if a.expr, err = cast(a, text); err != nil {
				return nil, err
			}
		}
		if a.expr, err = applied("to_jsonb", a.pos, a); err != nil {
			return nil, err
		}
		out[i] = a
	}
	return out, nil
}

func joinsText(args []argument) bool {
	found := false
	for _, a := range args {
		kind := a.typ().Kind
		if kind == event.JSONB || kind == event.Array {
			return false
		}
		found = found || kind == event.Text || kind == event.Unknown
	}
	return found
}
