package decode

import "bytes"

var (
	newline       = []byte{'\n'}
	byteOrderMark = []byte("\ufeff")
)

// lines walks a chunk's rows: non-blank lines, or texts that have been told apart already.
type lines struct {
	rest  []byte
	texts [][]byte
}

func splitLines(chunk []byte) lines {
	return lines{rest: bytes.TrimPrefix(chunk, byteOrderMark)}
}

// atMost is how many rows there can be.
func (l *lines) atMost() int {
	if l.texts != nil {
		return len(l.texts)
	}
	return bytes.Count(l.rest, newline) + 1
}

// next is the next non-blank line without the spaces around it; false at the end.
func (l *lines) next() ([]byte, bool) {
	if len(l.texts) > 0 {
		text := l.texts[0]
		l.texts = l.texts[1:]
		return trimSpace(text), true
	}
	for len(l.rest) > 0 {
		line := l.rest
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line, l.rest = line[:end], line[end+1:]
		} else {
			l.rest = nil
		}
		if line = trimSpace(line); len(line) > 0 {
			return line, true
		}
	}
	return nil, false
}

// trimSpace cuts the whitespace of JSON off both ends, and none other.
func trimSpace(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
