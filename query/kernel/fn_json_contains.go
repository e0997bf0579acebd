package kernel

import (
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

func registerJSONTests(r registry) {
	r.strict("@>(JSONB, JSONB)", textTest(containsJSON))
	r.strict("<@(JSONB, JSONB)", textTest(func(a, b string) bool { return containsJSON(b, a) }))
	r.strict("?(JSONB, TEXT)", textTest(hasKey))
	r.strict("jsonb_typeof(JSONB)", unaryText(func(s string) string { return jsonKindNames[kindOfJSON(strings.TrimSpace(s))] }))
	r.strict("jsonb_array_length(JSONB)", jsonLength)
	for _, signature := range []string{"(TEXT)", "(JSONB)", "(TEXT, TEXT)", "(JSONB, TEXT)"} {
		r.strict("json_valid"+signature, isJSON)
	}
}

var jsonKindNames = map[jsonKind]string{
	jsonNull: "null", jsonString: "string", jsonNumber: "number", jsonBoolean: "boolean", jsonArray: "array", jsonObject: "object",
}

// isJSON reports whether a text is JSON, and of the kind that a second argument names: value, object, array or scalar.
func isJSON(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	wanted := func(int) string { return "value" }
	if len(c.args) == 2 {
		kinds := textsOf(c.args[1])
		wanted = kinds.at
	}
	return mapBooleans(c, func(i int) (bool, error) {
		document := documents.at(i)
		kind := kindOfJSON(strings.TrimSpace(document))
		fits := true
		switch name := wanted(i); name {
		case "value":
		case "object":
			fits = kind == jsonObject
		case "array":
			fits = kind == jsonArray
		case "scalar":
			fits = kind < jsonArray
		default:
			return false, event.Errorf(event.CodeInvalidValue, "json_valid: there is no kind of JSON %q", name).
				WithHint("there are value, object, array and scalar")
		}
		return fits && json.Valid([]byte(document)), nil
	})
}

// containsJSON reports whether a document has all that another has, as PostgreSQL's @> does: members of objects by name, elements of
// arrays in any order and number; an array contains also a scalar that is an element of it.
func containsJSON(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if kindOfJSON(a) == jsonArray && kindOfJSON(b) < jsonArray {
		return hasElement(a, b, 0)
	}
	return containsAt(a, b, 0)
}

func containsAt(a, b string, depth int) bool {
	kind := kindOfJSON(a)
	if kind != kindOfJSON(b) || depth > maxJSONDepth {
		return false
	}
	switch kind {
	case jsonObject:
		for items := jsonscan.ItemsOf(b); items.Next(); {
			value, ok := jsonscan.Member(a, jsonscan.Unquote(items.Key))
			if !ok || !containsAt(value, items.Value, depth+1) {
				return false
			}
		}
		return true
	case jsonArray:
		for items := jsonscan.ItemsOf(b); items.Next(); {
			if !hasElement(a, items.Value, depth+1) {
				return false
			}
		}
		return true
	case jsonNull, jsonString, jsonNumber, jsonBoolean:
		return compareJSON(a, b) == 0
	default:
		return false
	}
}

func hasElement(array, value string, depth int) bool {
	for items := jsonscan.ItemsOf(array); items.Next(); {
		if containsAt(items.Value, value, depth) {
			return true
		}
	}
	return false
}

// hasKey reports whether a text is a member's name, an element of an array, or the string itself.
func hasKey(document, key string) bool {
	document = strings.TrimSpace(document)
	switch kindOfJSON(document) {
	case jsonObject:
		_, ok := jsonscan.Member(document, key)
		return ok
	case jsonArray:
		for items := jsonscan.ItemsOf(document); items.Next(); {
			if kindOfJSON(items.Value) == jsonString && jsonscan.Unquote(items.Value) == key {
				return true
			}
		}
		return false
	case jsonString:
		return jsonscan.Unquote(document) == key
	case jsonNull, jsonNumber, jsonBoolean:
		return false
	default:
		return false
	}
}

func jsonLength(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		document := strings.TrimSpace(documents.at(i))
		if kindOfJSON(document) != jsonArray {
			return 0, event.Errorf(event.CodeInvalidValue, "jsonb_array_length: the value is no array but %s", jsonKindNames[kindOfJSON(document)])
		}
		count := int64(0)
		for items := jsonscan.ItemsOf(document); items.Next(); {
			count++
		}
		return count, nil
	})
}
