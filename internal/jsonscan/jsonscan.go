// Package jsonscan walks JSON text by index and builds nothing. The text is valid: of other text the answers mean nothing, but no input makes
// anything panic or read past its end. No depth of nesting hurts.
package jsonscan

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// SkipSpace is the next place that is not white space.
func SkipSpace(s string, at int) int {
	for at < len(s) && (s[at] == ' ' || s[at] == '\n' || s[at] == '\t' || s[at] == '\r') {
		at++
	}
	return at
}

// SkipString is the place behind the string that opens at a quote. A quote behind an odd number of backslashes does not end it.
func SkipString(s string, at int) int {
	for at++; at < len(s); {
		quote := strings.IndexByte(s[at:], '"')
		if quote < 0 {
			return len(s)
		}
		quote += at
		escapes := 0
		for quote-escapes > at && s[quote-escapes-1] == '\\' {
			escapes++
		}
		at = quote + 1
		if escapes%2 == 0 {
			return at
		}
	}
	return len(s)
}

// SkipValue is the place behind the value that begins at at.
func SkipValue(s string, at int) int {
	if at >= len(s) {
		return len(s)
	}
	switch s[at] {
	case '"':
		return SkipString(s, at)
	case '{', '[':
		return SkipNested(s, at)
	}
	for at < len(s) && s[at] != ',' && s[at] != '}' && s[at] != ']' && s[at] > ' ' {
		at++
	}
	return at
}

// SkipNested counts brackets instead of recursing, so that no depth of nesting hurts.
func SkipNested(s string, at int) int {
	depth := 0
	for at < len(s) {
		switch s[at] {
		case '"':
			at = SkipString(s, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		}
		at++
	}
	return len(s)
}

// Items iterates over the elements of an array or the members of an object. Space is skipped around all tokens.
type Items struct {
	text string
	at   int
	// Key is the present member's name as it stands, in quotes; empty for elements.
	Key string
	// Value is the present item's text.
	Value string
}

// ItemsOf begins an iteration over a document that is an array or an object; others have no items.
func ItemsOf(document string) Items {
	at := SkipSpace(document, 0)
	if at == len(document) || document[at] != '{' && document[at] != '[' {
		return Items{}
	}
	return Items{text: document, at: at}
}

// Next moves to the next item and reports whether there is one.
func (it *Items) Next() bool {
	s := it.text
	if it.at >= len(s) || s[it.at] == '}' || s[it.at] == ']' {
		return false
	}
	// it.at is at the opening bracket or at a comma.
	object := s[it.at] == '{' || it.Key != ""
	at := SkipSpace(s, it.at+1)
	if at >= len(s) || s[at] == '}' || s[at] == ']' {
		it.at = len(s)
		return false
	}
	if object {
		end := SkipString(s, at)
		it.Key = s[at:end]
		at = SkipSpace(s, end)
		at = SkipSpace(s, min(at+1, len(s))) // the colon
	}
	end := SkipValue(s, at)
	it.Value = s[at:end]
	it.at = SkipSpace(s, end)
	return true
}

// KeyIs compares a key as it stands in the text with a name. An escape is longer than what it stands for, so a key of the name's
// own length has none, and a shorter one cannot be it.
func KeyIs(quoted, name string) bool {
	switch inner := len(quoted) - 2; {
	case inner < len(name):
		return false
	case inner == len(name):
		return quoted[1:1+inner] == name && strings.IndexByte(name, '\\') < 0
	default:
		return strings.IndexByte(quoted, '\\') >= 0 && Unquote(quoted) == name
	}
}

// Element finds an array's element, from 0, or from the end where the index is negative.
func Element(document string, index int64) (string, bool) {
	at := SkipSpace(document, 0)
	if at == len(document) || document[at] != '[' {
		return "", false
	}
	if index < 0 {
		count := int64(0)
		for items := ItemsOf(document); items.Next(); {
			count++
		}
		if index += count; index < 0 {
			return "", false
		}
	}
	items := ItemsOf(document)
	for items.Next() {
		if index == 0 {
			return items.Value, true
		}
		index--
	}
	return "", false
}

// Unquote is the text that a JSON string stands for. Half a surrogate pair becomes U+FFFD.
func Unquote(quoted string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	return string(AppendUnquoted(make([]byte, 0, len(inner)), inner))
}

// AppendUnquoted appends what the inside of a JSON string, without its quotes, stands for.
func AppendUnquoted(dst []byte, inner string) []byte {
	for {
		at := strings.IndexByte(inner, '\\')
		if at < 0 || at+1 >= len(inner) {
			return append(dst, inner...)
		}
		dst = append(dst, inner[:at]...)
		c := inner[at+1]
		inner = inner[at+2:]
		if c == 'u' {
			var r rune
			r, inner = unicodeEscape(inner)
			dst = utf8.AppendRune(dst, r)
			continue
		}
		if short := strings.IndexByte("bfnrt", c); short >= 0 {
			c = "\b\f\n\r\t"[short]
		}
		dst = append(dst, c)
	}
}

// unicodeEscape reads the digits behind \u, and a second escape where the two make up one character.
func unicodeEscape(s string) (rune, string) {
	r, ok := hex4(s)
	if !ok {
		return utf8.RuneError, s
	}
	s = s[4:]
	if !utf16.IsSurrogate(r) {
		return r, s
	}
	if strings.HasPrefix(s, `\u`) {
		if low, ok := hex4(s[2:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, s[6:]
			}
		}
	}
	return utf8.RuneError, s
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		digit := strings.IndexByte("0123456789abcdef", s[i]|0x20)
		if digit < 0 || s[i] < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}
