package parser

import (
	"strings"
)

// hiddenText stands in the place of what Redact takes out.
const hiddenText = "'***'"

// Redact is SQL text without what others may not see: the values of secrets, what ERASE looks for, and of URLs all but the scheme,
// since their paths and queries carry keys. Text that cannot be cut into words is left out as a whole.
func Redact(text string) string {
	tokens, err := tokenize(text)
	if err != nil {
		return ""
	}
	var out strings.Builder
	from := 0
	for _, piece := range split(tokens) {
		hides := hider(piece)
		for i, t := range piece {
			shown, hidden := hides(i, t)
			if !hidden {
				continue
			}
			out.WriteString(text[from:t.Pos.Offset])
			out.WriteString(shown)
			from = int(t.Pos.Offset) + len(t.Value)
		}
	}
	return out.String() + text[from:]
}

// hider tells of each literal of a statement whether it is hidden, and what is shown instead.
func hider(piece []token) func(i int, t token) (shown string, hidden bool) {
	secret := len(piece) > 1 && is(piece[0], "CREATE") && is(piece[1], "SECRET")
	where := len(piece)
	if is(piece[0], "ERASE") {
		for i, t := range piece {
			if is(t, "WHERE") {
				where = i
				break
			}
		}
	}
	return func(i int, t token) (string, bool) {
		if t.Type != tokenString && t.Type != tokenNumber {
			return "", false
		}
		if secret || i > where {
			return hiddenText, true
		}
		scheme, _, url := strings.Cut(t.Value, "://")
		if t.Type != tokenString || !url {
			return "", false
		}
		return "'" + scheme[strings.LastIndexByte(scheme, '\'')+1:] + "://***'", true
	}
}
