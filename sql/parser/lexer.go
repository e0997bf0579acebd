package parser

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/tidemarkdb/tidemark/event"
)

// definition is the lexical grammar, as participle wants it.
type definition struct{}

// Symbols names the kinds of token for the grammar.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Keyword": tokenKeyword, "Ident": tokenIdent, "Quoted": tokenQuoted, "String": tokenString,
		"Number": tokenNumber, "Param": tokenParam, "Symbol": tokenSymbol,
		"Duration": tokenDuration,
	}
}

// Lex reads all of r first: statements are short.
func (definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	var b strings.Builder
	if _, err := io.Copy(&b, r); err != nil {
		return nil, err
	}
	return newScanner(b.String()), nil
}

// scanner splits text into tokens.
type scanner struct {
	text string
	pos  lexer.Position
	// sampling counts the words of SAMPLE BY that were read last.
	sampling int
	// count is how many tokens have been asked for.
	count int
}

func newScanner(text string) *scanner {
	return &scanner{text: text, pos: lexer.Position{Line: 1, Column: 1}}
}

// tokenize reads all tokens of a text, the last being that of its end, and gives them as a lexer for the grammar too, which has them in the
// same memory.
func tokenize(text string) (*lexer.PeekingLexer, []lexer.Token, error) {
	s := newScanner(text)
	lex, err := lexer.Upgrade(s)
	if err != nil {
		return nil, nil, err
	}
	return lex, lex.Range(0, lexer.RawCursor(s.count)), nil
}

// Next reads one token. Its errors are of type *event.Error.
func (s *scanner) Next() (lexer.Token, error) {
	s.count++
	if err := s.skipBlank(); err != nil {
		return lexer.Token{}, err
	}
	rest := s.rest()
	if rest == "" {
		return lexer.EOFToken(s.pos), nil
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
func (s *scanner) take(kind lexer.TokenType, n int) lexer.Token {
	token := lexer.Token{Type: kind, Value: s.rest()[:n], Pos: s.pos}
	s.advance(n)
	return token
}

// advance moves on by n bytes.
func (s *scanner) advance(n int) {
	span := s.rest()[:n]
	s.pos.Offset += n
	if i := strings.LastIndexByte(span, '\n'); i >= 0 {
		s.pos.Line += strings.Count(span, "\n")
		s.pos.Column = 1
		span = span[i+1:]
	}
	s.pos.Column += utf8.RuneCountInString(span)
}

// skipBlank passes over white space and comments.
func (s *scanner) skipBlank() error {
	for {
		rest := s.rest()
		trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
		s.advance(len(rest) - len(trimmed))
		switch {
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
func (s *scanner) str(n int, escapes bool) (lexer.Token, error) {
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
	return lexer.Token{}, s.fail("string is not closed").WithHint("a quote inside a string is written twice: ''")
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
func (s *scanner) dollars(tag int) (lexer.Token, error) {
	rest := s.rest()
	end := strings.Index(rest[tag:], rest[:tag])
	if end < 0 {
		return lexer.Token{}, s.fail("string is not closed").WithHint("it ends with %s", rest[:tag])
	}
	return s.take(tokenString, end+2*tag), nil
}

// quoted reads a name between two quotes of a kind: double ones, or those that MySQL and ClickHouse have.
func (s *scanner) quoted() (lexer.Token, error) {
	rest := s.rest()
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] != rest[0]:
		case i+1 < len(rest) && rest[i+1] == rest[0]:
			i++
		case i == 1:
			return lexer.Token{}, s.fail("a name between quotes is empty").WithHint("strings take single quotes: ''")
		default:
			return s.take(tokenQuoted, i+1), nil
		}
	}
	return lexer.Token{}, s.fail("quoted name is not closed").WithHint("strings take single quotes")
}

// samplingAfter is how many words of SAMPLE BY have been read after one more.
func samplingAfter(word lexer.Token, before int) int {
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
func (s *scanner) number(unit bool) (lexer.Token, error) {
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
		return lexer.Token{}, err.WithHint("names that begin with a digit are written in double quotes, intervals as INTERVAL '5 minutes'")
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

func (s *scanner) param() (lexer.Token, error) {
	rest := s.rest()
	n := 1 + nameLength(rest[1:])
	if rest[0] == '$' {
		n = digits(rest, 1)
		if n == 1 || n > len("$99999") || rest[1] == '0' {
			return lexer.Token{}, s.fail("a $ begins a parameter, which is numbered from $1 to $99999")
		}
	}
	return s.take(tokenParam, n), nil
}

func (s *scanner) word() lexer.Token {
	token := s.take(tokenIdent, nameLength(s.rest()))
	if keywords[strings.ToUpper(token.Value)] {
		token.Type = tokenKeyword
	}
	return token
}

func (s *scanner) symbol() (lexer.Token, error) {
	rest := s.rest()
	for _, op := range operators {
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
		return lexer.Token{}, err.WithHint(`names with such characters are written in double quotes: "%s"`, rest[:utf8.RuneLen(r)+n])
	}
	return lexer.Token{}, err
}

// fail makes a syntax error at the place reached.
func (s *scanner) fail(format string, args ...any) *event.Error {
	return event.Errorf(event.CodeSyntax, format, args...).At(position(s.pos))
}

// nameLength is the length of the longest name that text begins with, whatever its first character.
func nameLength(text string) int {
	for i, r := range text {
		if !isNameStart(r) && !unicode.IsDigit(r) && r != '$' {
			return i
		}
	}
	return len(text)
}

func isNameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

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
