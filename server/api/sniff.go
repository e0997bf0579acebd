package api

import (
	"bytes"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/event"
)

// formMedia is what curl says of a body unless it is told otherwise. A body that really is a form holds no events.
const formMedia = "application/x-www-form-urlencoded"

// sniffBytes is how much of a body is looked at to tell its format.
const sniffBytes = 64 << 10

// sniffed is the format of a body that its sender gave no name: newline-delimited JSON if its first line is an object, other JSON, Arrow or
// Parquet. curl -d takes the line breaks out of a file, so that objects may follow one another without any. What is chosen
// depends on the bytes alone and not on how they come.
func (b *body) sniffed() (format, error) {
	seen := make([]byte, 0, firstSniff)
	for {
		name, done := sniff(seen, len(seen) == sniffBytes)
		if done {
			b.plain = io.MultiReader(bytes.NewReader(seen), b.plain)
			return b.formatNamed(name, seen)
		}
		if len(seen) == cap(seen) {
			seen = append(make([]byte, 0, min(4*cap(seen), sniffBytes)), seen...)
		}
		n, err := b.plain.Read(seen[len(seen):cap(seen)])
		seen = seen[:len(seen)+n]
		if errors.Is(err, io.EOF) {
			name, _ = sniff(seen, true)
			b.plain = bytes.NewReader(seen)
			return b.formatNamed(name, seen)
		}
		if err != nil {
			return format{}, brokenOff(err)
		}
	}
}

// firstSniff is enough to tell the format of most bodies.
const firstSniff = 1 << 10

func (b *body) formatNamed(name string, begin []byte) (format, error) {
	for _, f := range formats {
		if f.name == name {
			return f, nil
		}
	}
	if err := b.mistaken(begin); err != nil {
		return format{}, err
	}
	return format{}, event.Errorf(event.CodeMediaType, "events cannot be read from %q, and the body does not look like JSON, Arrow or Parquet", formMedia).
		WithHint("send one JSON object a line with 'Content-Type: application/x-ndjson', or name another format in ?format=: %s", formatNames())
}

// sniff tells the format of a body by its beginning; "" is none that can be told. done is false while more has to be seen, which all is
// set against.
func sniff(seen []byte, all bool) (name string, done bool) {
	for name, magic := range map[string]string{"parquet": "PAR1", "arrow": "ARROW1"} {
		if bytes.HasPrefix(seen, []byte(magic)) {
			return name, true
		}
	}
	if bytes.HasPrefix(seen, []byte{0xff, 0xff, 0xff, 0xff}) { // the marker of a message
		return "arrow", true
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(seen, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(text) == 0 && all:
		return "ndjson", true
	case len(text) == 0 || len(seen) < len("ARROW1") && !all:
		return "", false
	case text[0] == '[':
		return "json", true
	case text[0] == '{':
		return sniffObject(text, all)
	default:
		return "", true
	}
}

// sniffObject tells lines with an object each from objects that are written otherwise.
func sniffObject(text []byte, all bool) (name string, done bool) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n' && depth == 0:
			return "ndjson", true
		case c == '\n', depth == 0 && i > 0 && !isBlank(c):
			return "json", true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
	switch {
	case !all:
		return "", false
	case depth == 0:
		return "ndjson", true
	default:
		return "json", true
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
