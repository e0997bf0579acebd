package decode

import "github.com/tidemarkdb/tidemark/event"

// Literals finds a type for texts that have none of their own, such as the cells of CSV: a text is a number or a boolean exactly if JSON
// would have it so. The zero value has seen nothing.
type Literals struct {
	scanner scanner
	seen    summary
}

// Add notes a text.
func (l *Literals) Add(text []byte) {
	switch {
	case string(text) == "true" || string(text) == "false":
		l.seen |= sawBoolean
	case l.scanner.isNumber(text):
		l.seen |= l.scanner.num.sort()
	default:
		l.seen |= sawText
	}
}

// Kind is BOOLEAN, BIGINT or DOUBLE PRECISION if that holds all texts noted, else TEXT.
func (l *Literals) Kind() event.Kind {
	switch kind := l.seen.firstKind(); {
	case l.seen == 0 || kind == event.JSONB:
		return event.Text
	default:
		return kind
	}
}

// isNumber reports whether the text is one JSON number and nothing else, and leaves it in s.num.
func (s *scanner) isNumber(text []byte) bool {
	if len(text) == 0 || !startsNumber(text[0]) {
		return false
	}
	s.text = text
	return s.number(0) == len(text)
}

// IsNumber reports whether a text is a number as JSON writes it.
func IsNumber(text []byte) bool {
	var s scanner
	return s.isNumber(text)
}

// IsJSON reports whether a text is a JSON value that a row may hold, without spaces around it.
func IsJSON(text []byte) bool {
	s := scanner{text: text}
	return s.value(0, 1) == len(text)
}

// CompactJSON gives a JSON value that a row may hold without the white space in and around it; false for any other text.
func CompactJSON(text string) (string, bool) {
	s := scanner{text: trimSpace([]byte(text))}
	if s.value(0, 1) != len(s.text) {
		return "", false
	}
	if s.spaced {
		return string(appendCompact(nil, s.text)), true
	}
	return string(s.text), true
}

// CheckName says why no column can have a name; empty if one can.
func CheckName(name string) string { return checkName([]byte(name)) }
