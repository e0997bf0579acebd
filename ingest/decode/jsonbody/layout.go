package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Layout is how a body of JSON is laid out.
type Layout uint8

// The layouts.
const (
	Undecided Layout = iota
	Lines            // a value on a line of its own, as newline-delimited JSON has it
	Documents        // values over several lines, as programs print them for people, several on one, or an array with the rows
	NoJSON           // neither an object nor an array comes first
)

// LayoutOf tells a layout by the beginning of a body. It is undecided where more has to be seen; more says that there is more to see. A line that
// was cut, before others that are whole, is not taken for the beginning of a document.
func LayoutOf(begin []byte, more bool) Layout {
	text := bytes.TrimLeft(bytes.TrimPrefix(begin, byteOrderMark), " \t\r\n")
	if len(text) == 0 {
		return Undecided
	}
	line, _, ended := bytes.Cut(text, []byte{'\n'})
	end := valueEnd(line)
	switch {
	case text[0] == '[':
		return layoutOfArray(text)
	case text[0] != '{':
		return NoJSON
	case end > 0:
		rest := bytes.TrimLeft(line[end:], " \t\r")
		switch {
		case len(rest) > 0 && (rest[0] == '{' || rest[0] == '['): // as curl -d leaves lines, without what is between them
			return Documents
		case len(rest) > 0 || ended || !more:
			return Lines
		}
		return Undecided
	case !ended:
		return Undecided
	default:
		return layoutOfObject(text, more)
	}
}

// layoutOfArray takes an array for one of rows unless its first element shows that it is none.
func layoutOfArray(text []byte) Layout {
	switch inside := bytes.TrimLeft(text[1:], " \t\r\n"); {
	case len(inside) == 0:
		return Undecided
	case inside[0] == '{' || inside[0] == ']':
		return Documents
	default:
		return Lines
	}
}

// layoutOfObject looks at an object that does not end on its first line.
func layoutOfObject(text []byte, more bool) Layout {
	var document json.RawMessage
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&document)
	switch {
	case err == nil:
		return Documents
	case !errors.Is(err, io.ErrUnexpectedEOF):
		return Lines
	case more:
		return Undecided
	default:
		return Documents
	}
}

// valueEnd is the index behind the object or array that a line begins with, or 0 if it does not end there.
func valueEnd(line []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
	}
	return 0
}
