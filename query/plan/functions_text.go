package plan

import "github.com/tidemarkdb/tidemark/event"

// moreTextFunctions count positions in characters from 1. Regular expressions are RE2's.
func moreTextFunctions() []*Function {
	// concat and concat_ws pass over NULLs.
	out := []*Function{
		{Name: "concat", Args: []event.Type{text}, Variadic: true, Result: text},
		{Name: "concat_ws", Args: []event.Type{text, text}, Variadic: true, Result: text},
		{Name: "format", Args: []event.Type{text}, Result: text}, {Name: "format", Args: []event.Type{text, text}, Variadic: true, Result: text},
	}
	for _, name := range []string{"reverse", "initcap", "md5", "sha256", "quote_literal", "quote_ident"} {
		out = append(out, scalar(name, text, text))
	}
	for _, name := range []string{"ltrim", "rtrim"} {
		out = append(out, scalar(name, text, text), scalar(name, text, text, text))
	}
	for _, name := range []string{"left", "right", "repeat"} {
		out = append(out, scalar(name, text, text, bigint))
	}
	for _, name := range []string{"lpad", "rpad"} {
		out = append(out, scalar(name, text, text, bigint), scalar(name, text, text, bigint, text))
	}
	for _, name := range []string{"ascii", "octet_length", "bit_length"} {
		out = append(out, scalar(name, bigint, text))
	}
	for _, name := range []string{"ends_with", "contains"} {
		out = append(out, scalar(name, boolean, text, text))
	}
	return append(out,
		scalar("trim", text, text, text),
		scalar("strpos", bigint, text, text),
		scalar("overlay", text, text, text, bigint), scalar("overlay", text, text, text, bigint, bigint),
		scalar("translate", text, text, text, text),
		scalar("chr", text, bigint),
		scalar("to_hex", text, bigint),
		scalar("like_escape", text, text, text), // the pattern of LIKE ... ESCAPE, with a backslash as escape
	)
}

// regexFunctions take flags as PostgreSQL does: i without regard to case, c with it, n and m for lines, s for one line, x for space
// in the pattern that means nothing, and g for every match.
func regexFunctions() []*Function {
	return []*Function{
		operator("~*", boolean, text, text),
		operator("similar to", boolean, text, text),
		scalar("regexp_like", boolean, text, text), scalar("regexp_like", boolean, text, text, text),
		scalar("regexp_count", bigint, text, text), scalar("regexp_instr", bigint, text, text),
		scalar("regexp_extract", text, text, text), scalar("regexp_extract", text, text, text, bigint),
		scalar("regexp_substr", text, text, text),
		scalar("regexp_replace", text, text, text, text), scalar("regexp_replace", text, text, text, text, text),
	}
}
