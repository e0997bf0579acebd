// Package logfmtbody takes lines of logfmt apart, as many programs in Go log: key=value pairs with spaces between them, whose values may be quoted.
//
// What always holds: a value is what was logged, with what is escaped in quotes undone; a line without a pair, or with text that is none behind a quote, is
// refused. A Form is used by one goroutine.
package logfmtbody

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/fieldbody"
)

// Form is lines of logfmt.
type Form struct{}

// Head takes none: every line is a row.
func (Form) Head([]byte) (bool, error) { return false, nil }

// Fields gives the pairs of a line. A key alone is true, and one with nothing behind its = the empty text.
func (Form) Fields(dst []fieldbody.Field, line []byte) (fields []fieldbody.Field, reason string) {
	first, pairs := len(dst), 0
	for rest := spaceCut(line); len(rest) > 0; rest = spaceCut(rest) {
		key := rest[:keyEnd(rest)]
		if rest = rest[len(key):]; len(key) == 0 {
			return dst[:first], fmt.Sprintf("not logfmt at byte %d: a key is missing", len(line)-len(rest)+1)
		}
		if len(dst)-first == decode.MaxMembers {
			return dst[:first], fmt.Sprintf("the row has more than %d members", decode.MaxMembers)
		}
		field := fieldbody.Field{Name: key, Text: []byte("true")}
		switch {
		case len(rest) > 0 && rest[0] == '"':
			return dst[:first], fmt.Sprintf("not logfmt at byte %d: a quote in a key", len(line)-len(rest)+1)
		case len(rest) > 1 && rest[0] == '=' && rest[1] == '"':
			var ok bool
			if field.Text, rest, ok = unquoted(rest[1:]); !ok {
				return dst[:first], fmt.Sprintf("not logfmt: the quoted value of %q has no end, or text behind it", key)
			}
			field.Quoted = true
			pairs++
		case len(rest) > 0 && rest[0] == '=':
			field.Text, rest = cutWord(rest[1:])
			pairs++
		}
		dst = append(dst, field)
	}
	if pairs == 0 {
		return dst[:first], "not logfmt: the line has no key=value"
	}
	return dst, ""
}

func spaceCut(text []byte) []byte {
	for len(text) > 0 && text[0] <= ' ' {
		text = text[1:]
	}
	return text
}

// keyEnd is where a key ends.
func keyEnd(text []byte) int {
	for i, c := range text {
		if c <= ' ' || c == '=' || c == '"' {
			return i
		}
	}
	return len(text)
}

// cutWord cuts a text at the first space.
func cutWord(text []byte) (word, rest []byte) {
	for i, c := range text {
		if c <= ' ' {
			return text[:i], text[i:]
		}
	}
	return text, nil
}

// unquoted is the value in the quotes that a text begins with, and what is behind it: nothing, or a space.
func unquoted(text []byte) (inside, rest []byte, ok bool) {
	escaped := false
	for at := 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			escaped = true
			at++
		case '"':
			if inside, rest = text[1:at], text[at+1:]; len(rest) > 0 && rest[0] > ' ' {
				return nil, nil, false
			}
			if escaped {
				inside = withoutEscapes(inside)
			}
			return inside, rest, true
		}
	}
	return nil, nil, false
}

// withoutEscapes undoes the escapes of Go and JSON. What is none stays as it is, and so does what stands for bytes that are no text.
func withoutEscapes(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return append(out, text...)
		}
		out, text = append(out, text[:at]...), text[at:]
		if len(text) > 1 && text[1] == '/' {
			out, text = append(out, '/'), text[2:]
			continue
		}
		head := string(text[:min(len(text), len(`\U0010ffff`))])
		char, wide, tail, err := strconv.UnquoteChar(head, '"')
		if err != nil || !wide && char >= utf8.RuneSelf {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		out, text = utf8.AppendRune(out, char), text[len(head)-len(tail):]
	}
	return out
}

// likelyPairs is how many pairs the first line of a body has at least that is told by it.
const likelyPairs = 2

// LooksLike reports whether a body begins with a line of logfmt: pairs alone, whose keys are made as keys are. The audit log of Linux has pairs in its pairs.
func LooksLike(begin []byte) bool {
	begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte("\ufeff")), "\r\n")
	line, _, whole := bytes.Cut(begin, []byte{'\n'})
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if bytes.HasPrefix(line, []byte("type=")) && bytes.Contains(line, []byte(" msg=audit(")) {
		return false
	}
	if !whole && len(line) > decode.MaxRowBytes || !utf8.Valid(line) {
		return false
	}
	pairs := 0
	for rest := spaceCut(line); len(rest) > 0; pairs++ {
		key := rest[:keyEnd(rest)]
		rest = rest[len(key):]
		if !isKey(key) || len(rest) == 0 || rest[0] != '=' {
			return false
		}
		ok := true
		if len(rest) > 1 && rest[1] == '"' {
			_, rest, ok = unquoted(rest[1:])
		} else {
			_, rest = cutWord(rest[1:])
		}
		if !ok {
			return false
		}
		rest = spaceCut(rest)
	}
	return pairs >= likelyPairs
}

// isKey takes letters, digits and what joins them.
func isKey(key []byte) bool {
	for i, c := range key {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '@'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '.' && c != '-' && c != '/') {
			return false
		}
	}
	return len(key) > 0
}
