package kernel

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// jsonKind is what kind of value a JSON text is. The order of the kinds is their order in comparisons, PostgreSQL's.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonString
	jsonNumber
	jsonBoolean
	jsonArray
	jsonObject
)

func kindOfJSON(s string) jsonKind {
	if s == "" {
		return jsonNull
	}
	switch s[0] {
	case '{':
		return jsonObject
	case '[':
		return jsonArray
	case '"':
		return jsonString
	case 't', 'f':
		return jsonBoolean
	case 'n':
		return jsonNull
	default:
		return jsonNumber
	}
}

// compareJSON orders two JSON texts: first by kind, then by value. Arrays go element by element, objects by their members in
// the order of their names. Equal means the same value: spelling, space, and the order of members do not matter.
func compareJSON(a, b string) int { return compareJSONAt(a, b, 0) }

// maxJSONDepth bounds the work on nested values, each level of which is walked again: what lies deeper compares as text.
const maxJSONDepth = 128

func compareJSONAt(a, b string, depth int) int {
	if a == b {
		return 0
	}
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	kind := kindOfJSON(a)
	if c := cmp.Compare(kind, kindOfJSON(b)); c != 0 {
		return c
	}
	if depth == maxJSONDepth {
		return strings.Compare(a, b)
	}
	switch kind {
	case jsonString:
		return strings.Compare(jsonscan.Unquote(a), jsonscan.Unquote(b))
	case jsonNumber:
		return compareNumbers(a, b)
	case jsonBoolean:
		return strings.Compare(a, b) // "false" is before "true"
	case jsonArray:
		return compareArrays(a, b, depth+1)
	case jsonObject:
		return compareObjects(a, b, depth+1)
	default:
		return 0
	}
}

func compareArrays(a, b string, depth int) int {
	x, y := jsonscan.ItemsOf(a), jsonscan.ItemsOf(b)
	for {
		xMore, yMore := x.Next(), y.Next()
		if !xMore || !yMore {
			return compareBooleans(xMore, yMore)
		}
		if c := compareJSONAt(x.Value, y.Value, depth); c != 0 {
			return c
		}
	}
}

// jsonField is one member of an object, its name unquoted.
type jsonField struct{ name, value string }

func compareObjects(a, b string, depth int) int {
	return slices.CompareFunc(fieldsOf(a), fieldsOf(b), func(x, y jsonField) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return compareJSONAt(x.value, y.value, depth)
	})
}

// fieldsOf lists an object's members by name. Of members with the same name the last counts.
func fieldsOf(object string) []jsonField {
	var fields []jsonField
	for items := jsonscan.ItemsOf(object); items.Next(); {
		fields = append(fields, jsonField{name: jsonscan.Unquote(items.Key), value: items.Value})
	}
	slices.Reverse(fields)
	byName := func(x, y jsonField) int { return strings.Compare(x.name, y.name) }
	slices.SortStableFunc(fields, byName)
	return slices.CompactFunc(fields, func(x, y jsonField) bool { return x.name == y.name })
}
