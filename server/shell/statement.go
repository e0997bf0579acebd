package shell

import (
	"strings"
	"unicode/utf8"
)

// Statement is a piece of SQL text and where it began; both count from 1, columns in characters.
type Statement struct {
	Text         string
	Line, Column int
}

// Split cuts text at the semicolons that end statements: those outside of quotes and comments. What follows the last one is
// the rest, which is all blanks and comments when nothing is missing. Statements that are nothing but blanks and comments
// are left out.
func Split(text string) (statements []Statement, rest Statement) {
	start := 0
	for i := 0; i < len(text); {
		next := skipToken(text, i)
		if text[i] == ';' {
			if st := statementAt(text, start, i); st.Text != "" {
				statements = append(statements, st)
			}
			start = next
		}
		i = next
	}
	return statements, statementAt(text, start, len(text))
}

// Complete reports whether text ends outside of quotes and comments with nothing left to run, or is a backslash command.
func Complete(text string) bool {
	_, rest := Split(text)
	return rest.Text == "" || isCommand(rest.Text) || isCommand(strings.TrimSpace(text))
}

// statementAt trims blanks and comments in front, so that positions the server reports are those of the first word. An
// unfinished comment is kept, for more of it is to come.
func statementAt(text string, start, end int) Statement {
	for start < end {
		next := start + 1
		switch {
		case strings.HasPrefix(text[start:], "--"):
			next = skipToken(text, start)
		case strings.HasPrefix(text[start:], "/*"):
			if commentEnd, closed := blockComment(text, start); closed {
				next = commentEnd
			} else {
				next = start
			}
		case !strings.ContainsRune(" \t\r\n", rune(text[start])):
			next = start
		}
		if next == start {
			break
		}
		start = next
	}
	start = min(start, end)
	line := 1 + strings.Count(text[:start], "\n")
	column := 1 + utf8.RuneCountInString(text[strings.LastIndexByte(text[:start], '\n')+1:start])
	return Statement{Text: strings.TrimRight(text[start:end], " \t\r\n"), Line: line, Column: column}
}

// skipToken returns where the quoted text, comment or single byte at i ends; unfinished ones end with the text.
func skipToken(text string, i int) int {
	switch {
	case text[i] == '\'':
		escapes := i > 0 && (text[i-1] == 'E' || text[i-1] == 'e') && (i == 1 || !isWordByte(text[i-2]))
		return skipQuoted(text, i, escapes)
	case text[i] == '"':
		return skipQuoted(text, i, false)
	case strings.HasPrefix(text[i:], "--"):
		if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
			return i + n + 1
		}
		return len(text)
	case strings.HasPrefix(text[i:], "/*"):
		end, _ := blockComment(text, i)
		return end
	default:
		return i + 1
	}
}

// skipQuoted ends after the closing quote. A doubled quote needs no care: it reads as two quoted texts side by side.
func skipQuoted(text string, i int, escapes bool) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		if escapes && text[i] == '\\' {
			i++
			continue
		}
		if text[i] == quote {
			return i + 1
		}
	}
	return len(text)
}

// blockComment returns where the comment at i ends, counting comments inside it, as PostgreSQL does.
func blockComment(text string, i int) (end int, closed bool) {
	depth := 0
	for i < len(text) {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i, true
			}
		default:
			i++
		}
	}
	return len(text), false
}

func isWordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' || b >= utf8.RuneSelf
}
