package kernel

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
)

// format writes its arguments into a text, as PostgreSQL's does: %s for an argument as it is, %I as a name and %L as a literal of SQL, %% for
// a percent sign. Between, n$ chooses an argument, - puts it to the left, and a number is the least width.
func format(_ *Context, args []Operand, rows int) (Operand, error) {
	return joined(args, rows, args[:1], func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error) {
		f := formatter{parts: parts[1:], valid: valid[1:], row: i}
		return f.write(dst, parts[0].at(i))
	})
}

type formatter struct {
	parts []texts
	valid []event.Bitmap
	row   int
	next  int // the argument that follows the last one written
}

func (f *formatter) write(dst []byte, pattern string) ([]byte, error) {
	for {
		at := strings.IndexByte(pattern, '%')
		if at < 0 {
			return append(dst, pattern...), nil
		}
		dst, pattern = append(dst, pattern[:at]...), pattern[at+1:]
		if strings.HasPrefix(pattern, "%") {
			dst, pattern = append(dst, '%'), pattern[1:]
			continue
		}
		var err error
		if dst, pattern, err = f.field(dst, pattern); err != nil {
			return nil, err
		}
	}
}

// field writes the argument that a specifier names; pattern begins behind the percent sign.
func (f *formatter) field(dst []byte, pattern string) ([]byte, string, error) {
	at := 0
	number := func() (int, bool) {
		start := at
		for at < len(pattern) && pattern[at] >= '0' && pattern[at] <= '9' {
			at++
		}
		n, err := strconv.Atoi(pattern[start:at])
		return n, err == nil
	}
	left := false
	width, given := number()
	if given && at < len(pattern) && pattern[at] == '$' {
		f.next = width - 1
		at++
		width, given = 0, false
	}
	if !given {
		if at < len(pattern) && pattern[at] == '-' {
			left = true
			at++
		}
		width, _ = number()
	}
	const widest = 1 << 20
	if at == len(pattern) || width > widest {
		return nil, "", event.Errorf(event.CodeInvalidValue, "format: a specifier is not complete, or too wide")
	}
	value, err := f.value(pattern[at])
	if err != nil {
		return nil, "", err
	}
	padding := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(value)))
	if left {
		return append(append(dst, value...), padding...), pattern[at+1:], nil
	}
	return append(append(dst, padding...), value...), pattern[at+1:], nil
}

func (f *formatter) value(specifier byte) (string, error) {
	if f.next < 0 || f.next >= len(f.parts) {
		return "", event.Errorf(event.CodeInvalidValue, "format: there are too few arguments")
	}
	null, value := !f.valid[f.next].Valid(f.row), ""
	if !null {
		value = f.parts[f.next].at(f.row)
	}
	f.next++
	switch {
	case specifier == 's':
		return value, nil
	case specifier == 'L' && null:
		return "NULL", nil
	case specifier == 'L':
		return quotedLiteral(value), nil
	case specifier == 'I' && null:
		return "", event.Errorf(event.CodeInvalidValue, "format: NULL is no name")
	case specifier == 'I':
		return quotedName(value), nil
	default:
		return "", event.Errorf(event.CodeInvalidValue, "format: %%%c is none of %%s, %%I, %%L and %%%%", specifier)
	}
}
