package parser

import (
	"slices"
	"strings"
)

// clauseWords are what a misspelled word is compared with.
var clauseWords = []string{
	"SELECT", "DISTINCT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "BETWEEN", "ILIKE", "LIKE", "NULLS",
	"CREATE", "STREAM", "STREAMS", "WATERMARK", "TIMEOUT", "PARTITION", "PARTITIONS", "INSERT", "INTO", "VALUES", "SHOW", "DESCRIBE",
	"SUMMARIZE", "EXPLAIN", "WITH",
}

// symbolHints are for symbols that other languages have.
var symbolHints = map[string]string{
	"!":   "write NOT",
	"<=>": "write IS NOT DISTINCT FROM", "{": "values of JSONB are written as strings: '{\"a\": 1}'",
}

// hintFor guesses what was meant; it may have nothing to say.
func hintFor(u *unexpected, previous token) string {
	t := u.token
	if hint := symbolHints[t.Value]; hint != "" && t.Type == tokenSymbol {
		return hint
	}
	if u.expected == "BY" && previous.Type == tokenKeyword {
		return "did you mean " + upper(previous.Value) + " BY?"
	}
	if is(previous, ",") && (t.EOF() || t.Type == tokenKeyword || is(t, ")")) {
		return "there is a comma too many before it"
	}
	if t.Type == tokenIdent && u.expected != "" && oneSlip(upper(t.Value), u.expected) {
		return "did you mean " + u.expected + "?"
	}
	for _, candidate := range []token{t, previous} {
		if word := misspelled(candidate); word != "" {
			return "did you mean " + word + "?"
		}
	}
	switch {
	case t.Type == tokenString && strings.Contains(u.expected, "name"):
		return "names that need quotes take double quotes, strings single ones"
	case t.Type == tokenKeyword && strings.Contains(u.expected, "name"):
		return `a reserved word is a name only in double quotes: "` + t.Value + `"`
	case t.Type == tokenKeyword && u.expected == "an expression":
		return "if it is the name of a column, write it in double quotes"
	}
	return ""
}

// misspelled is the clause word that a name differs from by one slip of the hand.
func misspelled(t token) string {
	if t.Type != tokenIdent || len(t.Value) < 3 {
		return ""
	}
	word := upper(t.Value)
	if slices.Contains(clauseWords, word) {
		return ""
	}
	for _, c := range clauseWords {
		if oneSlip(word, c) {
			return c
		}
	}
	return ""
}

// oneSlip reports whether a and b differ by one letter added, left out or changed, or by two that changed places.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == b || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
