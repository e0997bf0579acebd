package shell

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// WriteError prints a failed statement's error over several lines: what is wrong, the line of SQL with a mark under the
// fault, and the hint.
func WriteError(w io.Writer, st Statement, err error) {
	var refused *client.Error
	if !errors.As(err, &refused) {
		fmt.Fprintf(w, "ERROR: %v\n", err)
		return
	}
	fmt.Fprintf(w, "ERROR: %s [%s]\n", refused.Detail, refused.Code)
	if refused.Position != nil {
		writeMark(w, st.Text, *refused.Position)
	}
	if refused.Hint != "" {
		fmt.Fprintf(w, "HINT: %s\n", refused.Hint)
	}
}

func writeMark(w io.Writer, text string, at event.Position) {
	lines := strings.Split(text, "\n")
	if at.Line < 1 || at.Line > len(lines) {
		return
	}
	line := strings.ReplaceAll(strings.TrimRight(lines[at.Line-1], "\r"), "\t", " ")
	prefix := fmt.Sprintf("LINE %d: ", at.Line)
	column := min(max(at.Column, 1), len([]rune(line))+1)
	fmt.Fprintf(w, "%s%s\n%s^\n", prefix, line, strings.Repeat(" ", len(prefix)+column-1))
}

// Locate moves an error's position from the statement to the text that the statement was cut from.
func Locate(st Statement, err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Position == nil {
		return err
	}
	moved := *refused
	at := *refused.Position
	if at.Line == 1 {
		at.Column += st.Column - 1
	}
	at.Line += st.Line - 1
	moved.Position = &at
	return &moved
}
