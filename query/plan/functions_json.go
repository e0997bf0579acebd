package plan

import "github.com/tidemarkdb/tidemark/event"

// moreJSONFunctions take paths as texts like '{a,0,b}', or as a list of steps: names of members and numbers of elements.
func moreJSONFunctions() []*Function {
	out := []*Function{
		operator("#>", jsonb, jsonb, text), operator("#>>", text, jsonb, text),
		operator("@>", boolean, jsonb, jsonb), operator("<@", boolean, jsonb, jsonb),
		operator("?", boolean, jsonb, text),
		operator("||", jsonb, jsonb, jsonb),
		operator("-", jsonb, jsonb, text), operator("-", jsonb, jsonb, bigint),
		scalar("jsonb_typeof", text, jsonb),
		scalar("jsonb_array_length", bigint, jsonb),
		scalar("jsonb_strip_nulls", jsonb, jsonb), scalar("jsonb_pretty", text, jsonb),
		// The second argument is a kind of JSON: value, object, array or scalar.
		scalar("json_valid", boolean, text), scalar("json_valid", boolean, jsonb),
		scalar("json_valid", boolean, text, text), scalar("json_valid", boolean, jsonb, text),
		// NULLs become JSON's null; the names of members may not be NULL.
		{Name: "jsonb_build_array", Result: jsonb},
		{Name: "jsonb_build_array", Args: []event.Type{jsonb}, Variadic: true, Result: jsonb},
		{Name: "jsonb_build_object", Result: jsonb},
		{Name: "jsonb_build_object", Args: []event.Type{jsonb}, Variadic: true, Result: jsonb},
	}
	for _, f := range []*Function{
		scalar("jsonb_extract_path", jsonb, jsonb, text), scalar("jsonb_extract_path_text", text, jsonb, text),
	} {
		f.Variadic = true
		out = append(out, f)
	}
	for _, t := range []event.Type{boolean, bigint, double, text, timestamptz, interval, jsonb, date, timeOfDay, uuid} {
		out = append(out, scalar("to_jsonb", jsonb, t))
	}
	return out
}
