package decode

import "bytes"

var (
	newline       = []byte{'\n'}
	byteOrderMark = []byte("\ufeff")
)

// lines walks a chunk's non-blank lines.
type lines struct{ rest []byte }

func splitLines(chunk []byte) lines {
	return lines{rest: bytes.TrimPrefix(chunk, byteOrderMark)}
}

// next is the next non-blank line without the spaces around it; false at the end.
func (l *lines) next() ([]byte, bool) {
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
