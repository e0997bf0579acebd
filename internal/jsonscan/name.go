package jsonscan

import "strings"

// Name is a name to look for in objects. Most names are found by searching for one of their letters, which costs a fraction of walking over the
// members before them.
type Name struct {
	name string
	// plain says that the name, between two quotes of a document, is a whole string, and that no escape but \u spells any of it. Between a string's
	// end and the next one's beginning stands a comma or a colon, so a name with neither cannot lie there.
	plain bool
	// rare is a letter of the name that is seldom elsewhere, and rareAt its place.
	rare   byte
	rareAt int
}

// byRarity are letters of names, the rarest in text first. Those that are not listed are rarer.
const byRarity = "ZQXJKVYBGHWFULOMNRDPISTCAEzqjx_kvwybgpmufhdlcnsraoite.-0123456789"

// NameOf prepares a name to be looked for.
func NameOf(name string) Name {
	n := Name{name: name, plain: name != ""}
	best := len(byRarity)
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`,:"\/`, c) >= 0 {
			n.plain = false
		}
		if rank := strings.IndexByte(byRarity, c); rank < best {
			best, n.rare, n.rareAt = rank, c, i
		}
	}
	return n
}

// Is reports that it is the name's text.
func (n *Name) Is(name string) bool { return n.name == name }

// Member finds an object's member of a name that is looked for once; of several the last one.
func Member(document, name string) (value string, ok bool) {
	n := NameOf(name)
	return n.In(document)
}

// is reports that a key as it stands in a document, in quotes, is the name without any escape.
func (n *Name) is(key string) bool {
	return len(key) == len(n.name)+2 && key[1:len(key)-1] == n.name && (n.plain || strings.IndexByte(key, '\\') < 0)
}

// In finds the name's member of a document that is an object; of several the last one.
func (n *Name) In(document string) (value string, ok bool) {
	if !n.plain {
		return n.walk(document)
	}
	escapes := strings.IndexByte(document, '\\') >= 0
	if escapes && hasUnicodeEscape(document) {
		return n.walk(document)
	}
	start := SkipSpace(document, 0)
	if start == len(document) || document[start] != '{' {
		return "", false
	}
	// top lies among the object's own members, outside of strings.
	top := start + 1
	for from := top; ; {
		hit := n.search(document, from)
		if hit < 0 {
			return value, ok
		}
		from = hit + len(n.name) + 2
		if escapes && isEscaped(document, hit) {
			continue
		}
		colon := SkipSpace(document, from)
		if colon >= len(document) || document[colon] != ':' {
			continue // a value
		}
		if top = skipNestedBefore(document, top, hit, escapes); top == hit {
			at := SkipSpace(document, colon+1)
			if escapes {
				top = SkipValue(document, at)
			} else {
				top = skipPlain(document, at)
			}
			value, ok = document[at:top], at < top
		}
		from = top
	}
}

// search is the place of the first name between quotes, from its quote on, or -1.
func (n *Name) search(s string, from int) int {
	for at := from + 1 + n.rareAt; at < len(s); at++ {
		next := strings.IndexByte(s[at:], n.rare)
		if next < 0 {
			return -1
		}
		at += next
		start := at - n.rareAt
		end := start + len(n.name)
		if s[start-1] == '"' && end < len(s) && s[end] == '"' && s[start:end] == n.name {
			return start - 1
		}
	}
	return -1
}

// hasUnicodeEscape reports that a text may have a character as \u and its number.
func hasUnicodeEscape(s string) bool {
	for at := 1; at < len(s); at++ {
		next := strings.IndexByte(s[at:], 'u')
		if next < 0 {
			return false
		}
		if at += next; s[at-1] == '\\' {
			return true
		}
	}
	return false
}

// isEscaped reports that an odd number of backslashes stands before at.
func isEscaped(s string, at int) bool {
	before := at
	for before > 0 && s[before-1] == '\\' {
		before--
	}
	return (at-before)%2 == 1
}

// walk looks at one member after the other.
func (n *Name) walk(document string) (value string, ok bool) {
	items := ItemsOf(document)
	for items.Next() {
		if items.Key != "" && KeyIs(items.Key, n.name) {
			value, ok = items.Value, true
		}
	}
	return value, ok
}

// skipNestedBefore is to, or the end of the array or object that to lies in. It walks over those that begin at at or behind it; at and to lie
// outside of strings.
func skipNestedBefore(document string, at, to int, escapes bool) int {
	for at < to {
		opening := indexBracket(document[at:to])
		switch {
		case opening < 0:
			return to
		case escapes:
			at = skipToken(document, at, to)
			continue
		}
		opening += at
		if strings.Count(document[at:opening], `"`)%2 == 1 { // it is in a string
			at = SkipString(document, opening)
		} else {
			at = skipPlain(document, opening)
		}
	}
	return at
}

// skipPlain is SkipValue for a document without escapes, which goes from bracket to bracket and counts the quotes between them.
func skipPlain(s string, at int) int {
	if at >= len(s) || s[at] != '{' && s[at] != '[' {
		return SkipValue(s, at)
	}
	opens, closes := s[at], s[at]+2
	depth, inside := 0, 0
	opening, closing := at, nextByte(s, at, closes)
	for {
		to := min(opening, closing)
		if to == len(s) {
			return len(s)
		}
		inside += strings.Count(s[at:to], `"`)
		if at = to; to == opening {
			opening = nextByte(s, to+1, opens)
			if inside%2 == 0 {
				depth++
			}
			continue
		}
		closing = nextByte(s, to+1, closes)
		if inside%2 == 0 {
			if depth--; depth == 0 {
				return to + 1
			}
		}
	}
}

// nextByte is the place of the first c from at on, or the text's end.
func nextByte(s string, at int, c byte) int {
	next := strings.IndexByte(s[at:], c)
	if next < 0 {
		return len(s)
	}
	return at + next
}

// skipToken is to, or the place behind the string, array or object that begins first before it.
func skipToken(s string, at, to int) int {
	for ; at < to; at++ {
		if c := s[at]; c == '"' || c == '{' || c == '[' {
			return SkipValue(s, at)
		}
	}
	return to
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
