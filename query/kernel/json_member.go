package kernel

import (
	"strings"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// memberKey is a name to look for in objects. Most names are found by searching for their letters, which costs a fraction of walking over
// the members before them.
type memberKey struct {
	name string
	// literal says that the name, between two quotes of a document without escapes, is a whole string. Between a string's end and the
	// next one's beginning stands a comma or a colon, so a name with neither cannot lie there.
	literal bool
}

func keyOf(name string) memberKey {
	return memberKey{name: name, literal: name != "" && !strings.ContainsAny(name, `,:"\`)}
}

// jsonMember finds an object's member. Of members with the same name the last counts.
func jsonMember(document, name string) (value string, ok bool) { return keyOf(name).in(document) }

// in finds the member of a document; of several the last one.
func (k memberKey) in(document string) (value string, ok bool) {
	if !k.literal || strings.IndexByte(document, '\\') >= 0 {
		return k.walk(document)
	}
	start := jsonscan.SkipSpace(document, 0)
	if start == len(document) || document[start] != '{' {
		return "", false
	}
	// top lies among the object's own members, outside of strings.
	top := start + 1
	for from := top; ; {
		hit := strings.Index(document[from:], k.name)
		if hit < 0 {
			return value, ok
		}
		hit += from
		from = hit + 1
		end := hit + len(k.name)
		if document[hit-1] != '"' || end >= len(document) || document[end] != '"' {
			continue
		}
		from = end + 1
		colon := jsonscan.SkipSpace(document, from)
		if colon >= len(document) || document[colon] != ':' {
			continue // a value
		}
		if top = skipNestedBefore(document, top, hit-1); top < hit {
			at := jsonscan.SkipSpace(document, colon+1)
			top = jsonscan.SkipValue(document, at)
			value, ok = document[at:top], true
		}
		from = top
	}
}

// walk looks at one member after the other.
func (k memberKey) walk(document string) (value string, ok bool) {
	items := jsonscan.ItemsOf(document)
	for items.Next() {
		if items.Key != "" && jsonscan.KeyIs(items.Key, k.name) {
			value, ok = items.Value, true
		}
	}
	return value, ok
}

// skipNestedBefore is to, or the end of the array or object that to lies in. It walks over those that begin at at or behind it; at and to lie
// outside of strings, which have no escapes.
func skipNestedBefore(document string, at, to int) int {
	for at < to {
		opening := indexBracket(document[at:to])
		if opening < 0 {
			return to
		}
		opening += at
		if strings.Count(document[at:opening], `"`)%2 == 1 { // it is in a string
			at = jsonscan.SkipString(document, opening)
		} else {
			at = jsonscan.SkipNested(document, opening)
		}
	}
	return at
}

// indexBracket is the place of the first opening bracket, or -1.
func indexBracket(s string) int {
	if brace := strings.IndexByte(s, '{'); brace >= 0 {
		s = s[:brace]
		if bracket := strings.IndexByte(s, '['); bracket >= 0 {
			return bracket
		}
		return brace
	}
	return strings.IndexByte(s, '[')
}
