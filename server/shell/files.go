package shell

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// formatTable is the one format that the shell makes itself.
const formatTable = "table"

// formats are those of \format. The last two are for files only.
var formats = []string{formatTable, "json", "ndjson", "csv", "arrow", "parquet"}

// maxDepth bounds files of \i that name each other.
const maxDepth = 16

// setFormat chooses the form of answers, or says which it is.
func (s *Shell) setFormat(_ context.Context, args string) error {
	format := strings.ToLower(strings.TrimRight(args, "; "))
	switch {
	case format == "":
	case !slices.Contains(formats, format):
		return mistakef(strings.Join(formats, ", "), "there is no format %q", format)
	case s.file == nil && binary(format):
		return mistakef(`\o FILE first`, "%s is not for a terminal", format)
	default:
		s.format = format
	}
	fmt.Fprintf(s.out, "Format is %s.\n", s.format)
	return nil
}

func binary(format string) bool { return format == "arrow" || format == "parquet" }

// output sends answers to a new file, or back to the terminal.
func (s *Shell) output(_ context.Context, args string) error {
	s.closeOutput()
	path := strings.TrimRight(args, "; ")
	if path == "" {
		fmt.Fprintln(s.out, "Answers are shown here.")
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // it names the file, and what went wrong
	}
	s.answers, s.file = f, f
	fmt.Fprintf(s.out, "Answers go to %s.\n", path)
	return nil
}

// closeOutput ends the file of \o. What binary formats would do to the terminal is nobody's wish.
func (s *Shell) closeOutput() {
	if s.file == nil {
		return
	}
	if err := s.file.Close(); err != nil {
		fmt.Fprintf(s.out, "ERROR: %v\n", err)
	}
	s.answers, s.file = s.out, nil
	if binary(s.format) {
		s.format = formatTable
		fmt.Fprintln(s.out, "Format is table.")
	}
}

// input runs a file as if it were entered: lines that begin with a backslash between statements are commands.
func (s *Shell) input(ctx context.Context, args string) error {
	path := strings.TrimRight(args, "; ")
	text, err := os.ReadFile(path)
	switch {
	case path == "":
		return mistakef("", `\i takes the name of a file`)
	case err != nil:
		return err //nolint:wrapcheck // it names the file, and what went wrong
	case s.depth >= maxDepth:
		return mistakef("", "files read each other %d deep", maxDepth)
	}
	s.depth++
	defer func() { s.depth-- }()
	return s.script(ctx, string(text))
}

// script runs a text entry by entry, up to the first that fails.
func (s *Shell) script(ctx context.Context, text string) error {
	for _, entry := range entries(text) {
		if err := s.enter(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// entries cuts a script into what a person would have entered: commands by lines, and the statements between them. Each begins at the start
// of a line.
func entries(text string) []Statement {
	var out []Statement
	var pending strings.Builder
	first, at := 1, 0
	for line := range strings.Lines(text) {
		at++
		_, rest := Split(pending.String())
		if rest.Text == "" && isCommand(strings.TrimSpace(line)) {
			out = append(out, Statement{pending.String(), first, 1}, Statement{line, at, 1})
			pending.Reset()
			first = at + 1
			continue
		}
		pending.WriteString(line)
	}
	return append(out, Statement{pending.String(), first, 1})
}
