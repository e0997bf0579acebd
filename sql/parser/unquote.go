package parser

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// nameOf is the name that an identifier token stands for.
func nameOf(t token) ast.Name {
	if t.Type == tokenQuoted {
		quote := t.Value[:1]
		text := strings.ReplaceAll(t.Value[1:len(t.Value)-1], quote+quote, quote)
		return ast.Name{Text: text, Quoted: true, Pos: position(t.Pos)}
	}
	return ast.Name{Text: t.Value, Pos: position(t.Pos)}
}

// stringOf is the literal that a string token stands for.
func stringOf(t token) (*ast.String, error) {
	out := &ast.String{Pos: position(t.Pos)}
	if tag := t.Value[:strings.IndexByte(t.Value[1:], '$')+2]; t.Value[0] == '$' {
		out.Value = t.Value[len(tag) : len(t.Value)-len(tag)]
		return out, nil
	}
	if t.Value[0] == '\'' {
		out.Value = strings.ReplaceAll(t.Value[1:len(t.Value)-1], "''", "'")
		return out, nil
	}
	value, ok := unescape(t.Value[2 : len(t.Value)-1])
	if !ok {
		return nil, event.Errorf(event.CodeSyntax, "string has an escape that is not known or not a character").At(out.Pos).
			WithHint(`E'...' knows \b \f \n \r \t \\ \' \xHH \uHHHH \UHHHHHHHH and \OOO`)
	}
	out.Value = value
	return out, nil
}

var simpleEscapes = map[byte]byte{
	'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '\'': '\'', '"': '"', '/': '/',
}

// unescape resolves what stands between the quotes of E'...'. The result must be valid UTF-8.
func unescape(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'':
			b.WriteByte(c)
			i++ // the second of two quotes
		case c != '\\':
			b.WriteByte(c)
		default:
			n, ok := appendEscape(&b, text[i+1:])
			if !ok {
				return "", false
			}
			i += n
		}
	}
	return b.String(), utf8.ValidString(b.String())
}

// appendEscape resolves the escape whose part after the backslash begins text, and counts the bytes of that part.
func appendEscape(b *strings.Builder, text string) (n int, ok bool) {
	if text == "" {
		return 0, false
	}
	c := text[0]
	if plain, ok := simpleEscapes[c]; ok {
		b.WriteByte(plain)
		return 1, true
	}
	switch {
	case c == 'x':
		return appendCode(b, text, 1, 1, 2, 16)
	case c == 'u':
		return appendCode(b, text, 1, 4, 4, 16)
	case c == 'U':
		return appendCode(b, text, 1, 8, 8, 16)
	case '0' <= c && c <= '7':
		return appendCode(b, text, 0, 1, 3, 8)
	default:
		return 0, false
	}
}

// appendCode reads least to most digits from start on: up to three digits are a byte, more are a character.
func appendCode(b *strings.Builder, text string, start, least, most, base int) (n int, ok bool) {
	end := start
	for end < len(text) && end-start < most && digitValue(text[end]) < base {
		end++
	}
	code, err := strconv.ParseUint(text[start:end], base, 32)
	if err != nil || end-start < least {
		return 0, false
	}
	switch {
	case most > 3 && (code > utf8.MaxRune || !utf8.ValidRune(rune(code))):
		return 0, false
	case most > 3:
		b.WriteRune(rune(code))
	case code > 0xff:
		return 0, false
	default:
		b.WriteByte(byte(code))
	}
	return end, true
}

func digitValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return 99
	}
}
