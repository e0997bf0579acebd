package plan

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// ArrayForm is one way to call a function over arrays, whatever the type T of their elements. Package kernel implements every form under
// its Name and Args; a test there holds the two lists equal.
type ArrayForm struct {
	Name string
	// Args has a letter for each argument: a for T[], e for T, i for BIGINT, t for TEXT, j for JSONB, m for TIMESTAMPTZ, v for INTERVAL, b for
	// BOOLEAN, I for BIGINT[], X for TEXT[].
	Args string
	// Result is such a letter too, or J for JSONB[], M for TIMESTAMPTZ[].
	Result byte
	// Variadic forms take their last argument any number of times, also not at all.
	Variadic bool
	// Lax forms see NULLs themselves; the others give NULL for one.
	Lax bool
	// Symbol marks operators.
	Symbol bool
}

// ArrayForms lists all of them. Of the forms of one name the first that fits is taken.
var ArrayForms = buildArrayForms()

func buildArrayForms() []ArrayForm {
	forms := []ArrayForm{
		{Name: "array", Args: "e", Result: 'a', Variadic: true, Lax: true},
		{Name: "subscript", Args: "ai", Result: 'e'}, {Name: "array_slice", Args: "aii", Result: 'a', Lax: true},
		{Name: "||", Args: "aa", Result: 'a', Lax: true, Symbol: true}, {Name: "||", Args: "ae", Result: 'a', Lax: true, Symbol: true},
		{Name: "||", Args: "ea", Result: 'a', Lax: true, Symbol: true},
		{Name: "array_cat", Args: "aa", Result: 'a', Lax: true}, {Name: "array_append", Args: "ae", Result: 'a', Lax: true},
		{Name: "array_prepend", Args: "ea", Result: 'a', Lax: true},
		{Name: "array_length", Args: "a", Result: 'i'}, {Name: "array_length", Args: "ai", Result: 'i'},
		{Name: "array_upper", Args: "ai", Result: 'i'}, {Name: "array_lower", Args: "ai", Result: 'i'},
		{Name: "cardinality", Args: "a", Result: 'i'}, {Name: "array_ndims", Args: "a", Result: 'i'},
		{Name: "array_position", Args: "ae", Result: 'i', Lax: true}, {Name: "array_positions", Args: "ae", Result: 'I', Lax: true},
		{Name: "array_contains", Args: "ae", Result: 'b'},
		{Name: "array_remove", Args: "ae", Result: 'a', Lax: true}, {Name: "array_replace", Args: "aee", Result: 'a', Lax: true},
		{Name: "array_reverse", Args: "a", Result: 'a'}, {Name: "array_sort", Args: "a", Result: 'a'},
		{Name: "array_distinct", Args: "a", Result: 'a'}, {Name: "trim_array", Args: "ai", Result: 'a'},
		{Name: "array_fill", Args: "eI", Result: 'a', Lax: true},
		{Name: "array_to_string", Args: "at", Result: 't'}, {Name: "array_to_string", Args: "att", Result: 't', Lax: true},
		{Name: "string_to_array", Args: "tt", Result: 'X', Lax: true}, {Name: "string_to_array", Args: "ttt", Result: 'X', Lax: true},
		{Name: "regexp_split_to_array", Args: "tt", Result: 'X'}, {Name: "regexp_split_to_array", Args: "ttt", Result: 'X'},
		{Name: "regexp_match", Args: "tt", Result: 'X'}, {Name: "regexp_match", Args: "ttt", Result: 'X'},
		{Name: "array_series", Args: "ii", Result: 'I'}, {Name: "array_series", Args: "iii", Result: 'I'},
		{Name: "array_series", Args: "mmv", Result: 'M'},
		{Name: "jsonb_elements", Args: "j", Result: 'J'}, {Name: "jsonb_elements_text", Args: "j", Result: 'X'},
		{Name: "jsonb_keys", Args: "j", Result: 'X'}, {Name: "jsonb_values", Args: "j", Result: 'J'},
		{Name: "jsonb_values_text", Args: "j", Result: 'X'},
		{Name: "to_jsonb", Args: "a", Result: 'j'},
		{Name: "#>", Args: "jX", Result: 'j', Symbol: true}, {Name: "#>>", Args: "jX", Result: 't', Symbol: true},
		{Name: "#-", Args: "jX", Result: 'j', Symbol: true},
		{Name: "?|", Args: "jX", Result: 'b', Symbol: true}, {Name: "?&", Args: "jX", Result: 'b', Symbol: true},
		{Name: "jsonb_set", Args: "jXj", Result: 'j'}, {Name: "jsonb_set", Args: "jXjb", Result: 'j'},
		{Name: "jsonb_insert", Args: "jXj", Result: 'j'}, {Name: "jsonb_insert", Args: "jXjb", Result: 'j'},
		{Name: "@>", Args: "aa", Result: 'b', Symbol: true}, {Name: "<@", Args: "aa", Result: 'b', Symbol: true},
		{Name: "&&", Args: "aa", Result: 'b', Symbol: true},
		{Name: "is distinct from", Args: "aa", Result: 'b', Lax: true, Symbol: true},
		{Name: "is not distinct from", Args: "aa", Result: 'b', Lax: true, Symbol: true},
		{Name: "is_null", Args: "a", Result: 'b', Lax: true}, {Name: "is_not_null", Args: "a", Result: 'b', Lax: true},
		{Name: "coalesce", Args: "a", Result: 'a', Variadic: true, Lax: true}, {Name: "nullif", Args: "aa", Result: 'a', Lax: true},
		{Name: "greatest", Args: "a", Result: 'a', Variadic: true, Lax: true}, {Name: "least", Args: "a", Result: 'a', Variadic: true, Lax: true},
	}
	for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
		forms = append(forms, ArrayForm{Name: op, Args: "aa", Result: 'b', Symbol: true},
			ArrayForm{Name: op + " any", Args: "ea", Result: 'b', Lax: true, Symbol: true},
			ArrayForm{Name: op + " all", Args: "ea", Result: 'b', Lax: true, Symbol: true})
	}
	return forms
}

// arrayAggregates make arrays of their argument's values.
func arrayAggregates() []*Function {
	out := make([]*Function, 0, len(ValueTypes))
	for _, t := range ValueTypes {
		out = append(out, ArrayAgg(t))
	}
	return out
}

// FormsOf lists the forms of one name.
func FormsOf(name string) []ArrayForm {
	var out []ArrayForm
	for _, f := range ArrayForms {
		if f.Name == name {
			out = append(out, f)
		}
	}
	return out
}

// Parameter is the letter of argument i; 0 where the form has none.
func (f ArrayForm) Parameter(i int) byte {
	if i >= len(f.Args) && f.Variadic {
		i = len(f.Args) - 1
	}
	if i >= len(f.Args) {
		return 0
	}
	return f.Args[i]
}

// Of is the form for arrays of elem, called with so many arguments.
func (f ArrayForm) Of(elem event.Type, arguments int) *Function {
	out := &Function{Name: f.Name, Result: letterType(f.Result, elem), Strict: !f.Lax, Symbol: f.Symbol}
	for i := range arguments {
		out.Args = append(out.Args, letterType(f.Parameter(i), elem))
	}
	return out
}

// ArrayAgg is array_agg over values of elem.
func ArrayAgg(elem event.Type) *Function {
	return &Function{Name: "array_agg", Args: []event.Type{elem}, Result: event.ArrayOf(elem), Aggregate: true}
}

func letterType(letter byte, elem event.Type) event.Type {
	switch letter {
	case 'a':
		return event.ArrayOf(elem)
	case 'e':
		return elem
	case 'I':
		return event.ArrayOf(bigint)
	case 'X':
		return event.ArrayOf(text)
	case 'J':
		return event.ArrayOf(jsonb)
	case 'M':
		return event.ArrayOf(timestamptz)
	case 'b':
		return boolean
	case 't':
		return text
	case 'j':
		return jsonb
	case 'm':
		return timestamptz
	case 'v':
		return interval
	default:
		return bigint
	}
}

// LetterType is the type that a letter of a form stands for, if that does not depend on the elements.
func LetterType(letter byte) (event.Type, bool) {
	return letterType(letter, bigint), !slices.Contains([]byte{'a', 'e'}, letter)
}
