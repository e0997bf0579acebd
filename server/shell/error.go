package shell

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// failure is a statement's error; in the shell it is shown beside the statement.
type failure struct {
	statement Statement
	err       error
}

// Error implements error.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the error without the statement.
func (f *failure) Unwrap() error { return f.err }

// mistake is what the user got wrong in a backslash command, and what would help.
type mistake struct{ text, hint string }

// Error implements error.
func (m *mistake) Error() string {
	if m.hint == "" {
		return m.text
	}
	return m.text + " (" + m.hint + ")"
}

func mistakef(hint, format string, args ...any) error {
	return &mistake{text: fmt.Sprintf(format, args...), hint: hint}
}

// report prints why an entry ended early, if it did.
func (s *Shell) report(err error) {
	var failed *failure
	var wrong *mistake
	switch {
	case err == nil:
	case client.IsCancelled(err):
		fmt.Fprintln(s.out, "Cancelled.")
	case errors.As(err, &wrong):
		fmt.Fprintf(s.out, "ERROR: %s\n", wrong.text)
		if wrong.hint != "" {
			fmt.Fprintf(s.out, "HINT: %s\n", wrong.hint)
		}
	case errors.As(err, &failed):
		if s.layout.Color {
			fmt.Fprint(s.out, red)
			defer fmt.Fprint(s.out, plain)
		}
		WriteError(s.out, failed.statement, failed.err)
	default:
		fmt.Fprintf(s.out, "ERROR: %v\n", err)
	}
}

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
