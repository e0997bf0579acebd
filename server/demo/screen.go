package demo

import (
	"fmt"
	"io"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// screen draws frames over one another on a terminal, and one after the other elsewhere.
type screen struct {
	out  io.Writer
	size func() (width, height int)
	// drawn is the number of lines of the frame on the terminal.
	drawn int
}

// frame draws lines. It writes once, so that a slow terminal shows no half of a frame.
func (s *screen) frame(lines []string) error {
	var b strings.Builder
	if s.size == nil {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
		b.WriteString("\n")
		_, err := io.WriteString(s.out, b.String())
		return err
	}
	width, height := s.size()
	// The last row stays free for the cursor: a full screen would scroll, and the next frame start a line too low.
	lines = lines[:min(len(lines), max(height-1, 1))]
	if s.drawn > 0 {
		// A terminal that was made smaller has pushed the frame's top out of reach.
		fmt.Fprintf(&b, "\x1b[%dA\r", min(s.drawn, max(height-1, 1)))
	}
	for _, line := range lines {
		b.WriteString(pretty.Snip(line, max(width-1, 1), "…"))
		b.WriteString("\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.drawn = len(lines)
	_, err := io.WriteString(s.out, b.String())
	return err
}
