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

// countedBytes is how much of a chunk is looked at for how many lines it may have.
const countedBytes = 64 << 10

// about is how many rows there will be, if the lines of the chunk are like the first ones.
func (l *lines) about() int {
	if l.texts != nil {
		return len(l.texts)
	}
	first := l.rest[:min(len(l.rest), countedBytes)]
	rows := bytes.Count(first, newline) + 1
	if len(first) < len(l.rest) { // and some more, so that columns need not grow for the last few
		rows = rows * (len(l.rest) + len(l.rest)/32) / countedBytes
	}
	return rows
}

// next is the next non-blank line without the spaces around it; false at the end. A line that is too long with them keeps them: it may have been cut, and
// without them would be short enough for a row that it is not.
func (l *lines) next() ([]byte, bool) {
	if len(l.texts) > 0 {
		text := l.texts[0]
		l.texts = l.texts[1:]
		if len(text) > MaxRowBytes {
			return text, true
		}
		return trimSpace(text), true
	}
	for len(l.rest) > 0 {
		line := l.rest
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line, l.rest = line[:end], line[end+1:]
		} else {
			l.rest = nil
		}
		if len(line) > MaxRowBytes {
			return line, true
		}
		if line = trimSpace(line); len(line) > 0 {
			return line, true
		}
	}
	return nil, false
}

// CutLine cuts the first line off whole lines. It comes without its line break, LF or CRLF. One that is too long for a row keeps its CR, and is not blank
// whatever it has: it may have been cut, and be short enough without.
func CutLine(text []byte) (line, rest []byte, blank bool) {
	line, rest, _ = bytes.Cut(text, newline)
	if len(line) > MaxRowBytes {
		return line, rest, false
	}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	return line, rest, len(bytes.TrimSpace(line)) == 0
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
