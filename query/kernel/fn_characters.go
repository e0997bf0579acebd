package kernel

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerCharacters(r registry) {
	r.strict("reverse(TEXT)", unaryText(reversed))
	r.strict("initcap(TEXT)", unaryText(capitalized))
	r.strict("translate(TEXT, TEXT, TEXT)", translate)
	r.strict("ascii(TEXT)", textToInteger(func(s string) int64 {
		if s == "" {
			return 0
		}
		first, _ := utf8.DecodeRuneInString(s)
		return int64(first)
	}))
	r.strict("octet_length(TEXT)", textToInteger(func(s string) int64 { return int64(len(s)) }))
	r.strict("bit_length(TEXT)", textToInteger(func(s string) int64 { return int64(len(s)) * 8 }))
	r.strict("chr(BIGINT)", character)
	r.strict("to_hex(BIGINT)", toHex)
	for _, of := range []string{"(TEXT)", "(BYTEA)"} {
		r.strict("md5"+of, unaryText(func(s string) string {
			sum := md5.Sum([]byte(s)) //nolint:gosec // a fingerprint that SQL has a name for, not a secret
			return hex.EncodeToString(sum[:])
		}))
		r.strict("sha256"+of, unaryText(func(s string) string {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}))
	}
	r.strict("quote_literal(TEXT)", unaryText(quotedLiteral))
	r.strict("quote_ident(TEXT)", unaryText(quotedName))
}

func textToInteger(f func(s string) int64) kernel {
	return func(c *call) (arrow.Array, error) {
		a := textsOf(c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return f(a.at(i)), nil })
	}
}

func reversed(s string) string {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		_, size := utf8.DecodeLastRuneInString(s)
		out = append(out, s[len(s)-size:]...)
		s = s[:len(s)-size]
	}
	return string(out)
}

// capitalized writes the first letter of every run of letters and digits large and the others small.
func capitalized(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		start := !inside
		inside = unicode.IsLetter(r) || unicode.IsDigit(r)
		if start {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

// translate puts the characters of the third text in the place of those of the second; those that have no counterpart go.
func translate(c *call) (arrow.Array, error) {
	text, from, to := textsOf(c.args[0]), textsOf(c.args[1]), textsOf(c.args[2])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		old, replacements := []rune(from.at(i)), []rune(to.at(i))
		for _, r := range text.at(i) {
			at := indexRune(old, r)
			switch {
			case at < 0:
				dst = utf8.AppendRune(dst, r)
			case at < len(replacements):
				dst = utf8.AppendRune(dst, replacements[at])
			}
		}
		return dst, nil
	})
}

func indexRune(runes []rune, r rune) int {
	for i, candidate := range runes {
		if candidate == r {
			return i
		}
	}
	return -1
}

func character(c *call) (arrow.Array, error) {
	codes := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		code := codes.at(i)
		if code < 1 || code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return nil, event.Errorf(event.CodeInvalidValue, "chr(%d): there is no such character", code)
		}
		return utf8.AppendRune(dst, rune(code)), nil
	})
}

// toHex shows negative numbers in two's complement.
func toHex(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return strconv.AppendUint(dst, uint64(a.at(i)), 16), nil })
}

func quotedLiteral(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	if strings.IndexByte(s, '\\') >= 0 {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

// quotedName leaves a name without quotes only where it reads back as itself.
func quotedName(s string) string {
	plain := s != ""
	for i, r := range s {
		plain = plain && (r == '_' || 'a' <= r && r <= 'z' || i > 0 && '0' <= r && r <= '9')
	}
	if plain {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
