package kernel

import (
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
)

// likePattern is a LIKE pattern cut at its % signs. The first segment has to stand at the start of a text, the last one at its
// end, and each of the others at the first place after the one before: a later place could not help those that follow, so
// nothing is ever tried twice.
type likePattern struct {
	segments []segment
	// fold compares without regard to case; the segments are then in lower case.
	fold bool
}

// segment is what stands between two % signs: pieces of text, between each two of which exactly one character is free.
type segment struct {
	pieces []string
	// characters is how long a match is.
	characters int
}

// parseLike reads a pattern with % for any text, _ for any character and backslash before a character that stands for itself.
func parseLike(pattern string, fold bool) (*likePattern, error) {
	p := &likePattern{fold: fold}
	if fold {
		pattern = strings.ToLower(pattern)
	}
	var piece strings.Builder
	var current segment
	endPiece := func() {
		current.pieces = append(current.pieces, piece.String())
		current.characters += utf8.RuneCountInString(piece.String())
		piece.Reset()
	}
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '%':
			endPiece()
			p.segments = append(p.segments, current)
			current = segment{}
		case '_':
			endPiece()
			current.characters++
		case '\\':
			i++
			if i == len(pattern) {
				return nil, event.Errorf(event.CodeInvalidValue, "LIKE pattern %q ends with an escape character", pattern).
					WithHint("write \\\\ for a backslash")
			}
			piece.WriteByte(pattern[i])
		default:
			piece.WriteByte(pattern[i])
		}
	}
	endPiece()
	p.segments = append(p.segments, current)
	return p, nil
}

// plain reports whether the segment has no free characters.
func (g *segment) plain() bool { return len(g.pieces) == 1 }

func (g *segment) matchAll(s string) bool {
	if g.plain() {
		return s == g.pieces[0]
	}
	return g.matchStart(s) == len(s)
}

// matchStart is the length of the match at the start of s, or -1.
func (g *segment) matchStart(s string) int {
	at := 0
	for i, piece := range g.pieces {
		if i > 0 {
			if at == len(s) {
				return -1
			}
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
		}
		if !strings.HasPrefix(s[at:], piece) {
			return -1
		}
		at += len(piece)
	}
	return at
}

// matchEnd is where the match at the end of s begins, or -1.
func (g *segment) matchEnd(s string) int {
	if g.plain() {
		if !strings.HasSuffix(s, g.pieces[0]) {
			return -1
		}
		return len(s) - len(g.pieces[0])
	}
	at := len(s)
	for range g.characters {
		if at == 0 {
			return -1
		}
		_, size := utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	if g.matchStart(s[at:]) != len(s)-at {
		return -1
	}
	return at
}

// find is where the first match in s ends, or -1.
func (g *segment) find(s string) int {
	for at := 0; ; {
		// Only places where the first piece stands are worth trying.
		n := strings.Index(s[at:], g.pieces[0])
		if n < 0 {
			return -1
		}
		at += n
		if length := g.matchStart(s[at:]); length >= 0 {
			return at + length
		}
		if at == len(s) {
			return -1
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
}
