package parser

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
)

// scanner splits text into tokens.
type scanner struct {
	text string
	pos  place
	// sampling counts the words of SAMPLE BY that were read last.
	sampling int
}

const (
	// bytesPerToken is a little less than what texts have, which are names, operators and blanks in turn.
	bytesPerToken = 3
	// maxTokensAhead bounds the room made for tokens before they are read: a text may be one long string.
	maxTokensAhead = 4096
)

// tokenize reads all tokens of a text, the last being that of its end. Its errors are of type *event.Error.
func tokenize(text string) ([]token, error) {
	s := scanner{text: text, pos: place{Line: 1, Column: 1}}
	tokens := make([]token, 0, min(len(text)/bytesPerToken, maxTokensAhead)+1)
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		if t.EOF() {
			return tokens, nil
		}
	}
}

// next reads one token.
func (s *scanner) next() (token, error) {
	if err := s.skipBlank(); err != nil {
		return token{}, err
	}
	rest := s.rest()
	if rest == "" {
		return token{Type: tokenEnd, Pos: s.pos}, nil
	}
	sampling := s.sampling
	s.sampling = 0
	switch c := rest[0]; {
	case c == '\'':
		return s.str(1, false)
	case (c == 'E' || c == 'e') && len(rest) > 1 && rest[1] == '\'':
		return s.str(2, true)
	case (c == 'N' || c == 'n') && len(rest) > 1 && rest[1] == '\'': // the standard's text of a national character set
		s.advance(1)
		return s.str(1, false)
	case c == '"', c == '`': // some systems write names so
		return s.quoted()
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return s.number(sampling == 2)
	case c == '$' && dollarTag(rest) > 0:
		return s.dollars(dollarTag(rest))
	case c == '$', c == ':' && len(rest) > 1 && isNameStart(firstRune(rest[1:])):
		return s.param()
	case isNameStart(firstRune(rest)):
		word := s.word()
		s.sampling = samplingAfter(word, sampling)
		return word, nil
	default:
		return s.symbol()
	}
}

func (s *scanner) rest() string { return s.text[s.pos.Offset:] }

// take makes a token of the next n bytes.
func (s *scanner) take(kind tokenKind, n int) token {
	t := token{Type: kind, Value: s.rest()[:n], Pos: s.pos}
	s.advance(n)
	return t
}

// advance moves on by n bytes.
func (s *scanner) advance(n int) {
	span := s.rest()[:n]
	s.pos.Offset += int32(n)
	for i := range len(span) {
		switch c := span[i]; {
		case c == '\n':
			s.pos.Line++
			s.pos.Column = 1
		case utf8.RuneStart(c):
			s.pos.Column++
		}
	}
}

// skipBlank passes over white space and comments.
func (s *scanner) skipBlank() error {
	for {
		rest := s.rest()
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		s.advance(len(rest) - len(trimmed))
		switch {
		case trimmed == "" || trimmed[0] != '-' && trimmed[0] != '/':
			return nil
		case strings.HasPrefix(trimmed, "--"):
			end := strings.IndexByte(trimmed, '\n')
			if end < 0 {
				end = len(trimmed)
			}
			s.advance(end)
		case strings.HasPrefix(trimmed, "/*"):
			end, ok := commentEnd(trimmed)
			if !ok {
				return s.fail("comment is not closed").WithHint("end it with */; comments nest")
			}
			s.advance(end)
		default:
			return nil
		}
	}
}

// commentEnd is the length of the comment that text begins with, counting nested ones.
func commentEnd(text string) (int, bool) {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1, true
			}
		}
	}
	return 0, false
}

// str reads a string whose opening takes n bytes. Two quotes stand for one; with escapes, so does a backslash and a quote.
func (s *scanner) str(n int, escapes bool) (token, error) {
	rest := s.rest()
	for i := n; i < len(rest); i++ {
		switch {
		case escapes && rest[i] == '\\':
			i++
		case rest[i] == '\'' && i+1 < len(rest) && rest[i+1] == '\'':
			i++
		case rest[i] == '\'':
			return s.take(tokenString, i+1), nil
		}
	}
	return token{}, s.fail("string is not closed").WithHint("a quote inside a string is written twice: ''")
}

// dollarTag is the length of the $tag$ that text begins with; 0 where it begins with none.
func dollarTag(text string) int {
	n := 1
	if n < len(text) && isNameStart(firstRune(text[n:])) {
		n += strings.IndexFunc(text[n:]+"$", func(r rune) bool { return !isNameStart(r) && !unicode.IsDigit(r) })
	}
	if n < len(text) && text[n] == '$' {
		return n + 1
	}
	return 0
}

// dollars reads a string between two equal tags, in which nothing is an escape.
func (s *scanner) dollars(tag int) (token, error) {
	rest := s.rest()
	end := strings.Index(rest[tag:], rest[:tag])
	if end < 0 {
		return token{}, s.fail("string is not closed").WithHint("it ends with %s", rest[:tag])
	}
	return s.take(tokenString, end+2*tag), nil
}

// quoted reads a name between two quotes of a kind: double ones, or those that MySQL and ClickHouse have.
func (s *scanner) quoted() (token, error) {
	rest := s.rest()
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] != rest[0]:
		case i+1 < len(rest) && rest[i+1] == rest[0]:
			i++
		case i == 1:
			return token{}, s.fail("a name between quotes is empty").WithHint("strings take single quotes: ''")
		default:
			return s.take(tokenQuoted, i+1), nil
		}
	}
	return token{}, s.fail("quoted name is not closed").WithHint("strings take single quotes")
}

// samplingAfter is how many words of SAMPLE BY have been read after one more.
func samplingAfter(word token, before int) int {
	switch {
	case is(word, "SAMPLE"):
		return 1
	case before == 1 && is(word, "BY"):
		return 2
	default:
		return 0
	}
}

// number reads a number, with a unit behind it where that is allowed.
func (s *scanner) number(unit bool) (token, error) {
	rest := s.rest()
	n := digits(rest, 0)
	if n < len(rest) && rest[n] == '.' {
		n = digits(rest, n+1)
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		exponent := n + 1
		if exponent < len(rest) && (rest[exponent] == '+' || rest[exponent] == '-') {
			exponent++
		}
		if end := digits(rest, exponent); end > exponent {
			n = end
		}
	}
	if n < len(rest) && isNameStart(firstRune(rest[n:])) {
		end := n + nameLength(rest[n:])
		if _, wrong := event.ParseInterval(rest[:end]); unit || wrong == nil {
			return s.take(tokenDuration, end), nil
		}
		err := s.fail("%q is not a number", rest[:end])
		return token{}, err.WithHint("names that begin with a digit are written in double quotes, intervals as INTERVAL '5 minutes'")
	}
	return s.take(tokenNumber, n), nil
}

// digits is the end of the run of digits from i on.
func digits(text string, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

func (s *scanner) param() (token, error) {
	rest := s.rest()
	n := 1 + nameLength(rest[1:])
	if rest[0] == '$' {
		n = digits(rest, 1)
		if n == 1 || n > len("$99999") || rest[1] == '0' {
			return token{}, s.fail("a $ begins a parameter, which is numbered from $1 to $99999")
		}
	}
	return s.take(tokenParam, n), nil
}

func (s *scanner) word() token {
	t := s.take(tokenIdent, nameLength(s.rest()))
	if isKeyword(t.Value) {
		t.Type = tokenKeyword
	}
	return t
}

// isKeyword reports whether a word is reserved, in capitals or not.
func isKeyword(word string) bool {
	if len(word) > longestKeyword {
		return false
	}
	var capitals [longestKeyword]byte
	for i := range len(word) {
		c := word[i]
		if 'a' <= c && c <= 'z' {
			c -= caseBit
		}
		capitals[i] = c
	}
	return keywords[string(capitals[:len(word)])]
}

func (s *scanner) symbol() (token, error) {
	rest := s.rest()
	for _, op := range operatorsAt[rest[0]] {
		if strings.HasPrefix(rest, op) {
			return s.take(tokenSymbol, len(op)), nil
		}
	}
	if strings.IndexByte("()[]{},.;:+-*/%<>=~^&|!?#@", rest[0]) >= 0 {
		return s.take(tokenSymbol, 1), nil
	}
	r := firstRune(rest)
	err := s.fail("%q is not a character that SQL has", r)
	if n := nameLength(rest[utf8.RuneLen(r):]); n > 0 {
		return token{}, err.WithHint(`names with such characters are written in double quotes: "%s"`, rest[:utf8.RuneLen(r)+n])
	}
	return token{}, err
}

// fail makes a syntax error at the place reached.
func (s *scanner) fail(format string, args ...any) *event.Error {
	return event.Errorf(event.CodeSyntax, format, args...).At(position(s.pos))
}

// operatorsAt are the symbols of more than one character by their first one.
var operatorsAt = func() (out [utf8.RuneSelf * 2][]string) {
	for _, op := range operators {
		out[op[0]] = append(out[op[0]], op)
	}
	return out
}()

// nameLength is the length of the longest name that text begins with, whatever its first character.
func nameLength(text string) int {
	for i, r := range text {
		if !isNameStart(r) && !unicode.IsDigit(r) && r != '$' {
			return i
		}
	}
	return len(text)
}

func isNameStart(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|caseBit && r|caseBit <= 'z' || r == '_'
	}
	return unicode.IsLetter(r)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func firstRune(text string) rune {
	r, _ := utf8.DecodeRuneInString(text)
	return r
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}
