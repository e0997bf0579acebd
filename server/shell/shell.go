// Package shell is the terminal side of SQL: an interactive shell over a server, and the rendering of answers as text that
// one-shot commands share with it.
//
// A Shell runs in one goroutine, the caller of Run; while a statement runs, Ctrl-C ends the statement and not the shell.
// Everything it shows comes from the server's SQL. The package does not parse SQL beyond finding where statements end.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/server/client"
)

// Querier runs SQL; *client.Client is one.
type Querier interface {
	Query(ctx context.Context, sql string, opts client.QueryOptions) (*client.Result, error)
	Stream(ctx context.Context, sql string, opts client.QueryOptions, format string, w io.Writer) (truncated bool, err error)
}

// lineReader hands over what the user entered: whole statements, or a line that begins with a backslash. It returns io.EOF
// at the end of input and errInterrupted when the user gave the line up.
type lineReader interface {
	ReadLine() (string, error)
}

var (
	errInterrupted = errors.New("interrupted")
	errQuit        = errors.New("quit")
)

// Shell is an interactive session.
type Shell struct {
	db    Querier
	lines lineReader
	out   io.Writer // the terminal, for what the shell says
	// answers is where answers go: the terminal, or the file of \o.
	answers io.Writer
	file    io.Closer // of answers, nil for the terminal

	timing bool
	layout Layout
	// size asks the terminal for its size in characters; both are 0 where it has none.
	size func() (width, height int)
	// format is table, or one of the server's.
	format string
	// depth counts the files of \i that are being read in each other.
	depth int
	// last is the statement that \watch repeats.
	last string
	// clock is replaced in tests.
	clock func() time.Time
	// every calls show at once and then at each interval until the context ends; replaced in tests.
	every func(ctx context.Context, interval time.Duration, show func())
}

// New makes a shell on the terminal: standard input, and out for answers. History is kept in historyFile unless it is empty. size asks
// the terminal for its size; color is whether it shows colours.
func New(db Querier, out io.Writer, historyFile string, size func() (width, height int), color bool) *Shell {
	s := &Shell{db: db, out: out, answers: out, format: formatTable, size: size, clock: time.Now, every: repeat}
	s.layout = Layout{Expanded: ExpandedAuto, Color: color}
	s.lines = newTerminal(&completer{names: &names{db: db, clock: time.Now}}, historyFile)
	return s
}

// NewScript makes a shell that has no terminal to read from: RunScript is given its text. Answers go to out as format, which is table or one
// of the server's. size asks for the size of the terminal that out is; both are 0 where it is none.
func NewScript(db Querier, out io.Writer, format string, size func() (width, height int)) *Shell {
	return &Shell{db: db, out: out, answers: out, format: format, size: size, clock: time.Now, every: repeat}
}

// RunScript runs statements, and between them lines that begin with a backslash as commands, up to the first failure, which it returns with
// its position in the whole text. What text has no end of is run too: a script needs no last semicolon.
func (s *Shell) RunScript(ctx context.Context, text string) error {
	defer s.closeOutput()
	err := s.script(ctx, text)
	var failed *failure
	switch {
	case errors.Is(err, errQuit):
		return nil
	case errors.As(err, &failed):
		return Locate(failed.statement, failed.err)
	default:
		return err
	}
}

// HasCommands reports whether a script has backslash commands between its statements, which the server does not know.
func HasCommands(text string) bool {
	return slices.ContainsFunc(entries(text), func(entry Statement) bool {
		statements, rest := Split(entry.Text)
		return slices.ContainsFunc(append(statements, rest), func(st Statement) bool { return isCommand(st.Text) })
	})
}

// Run reads and runs what the user enters until \q, the end of input or the end of ctx. Failures of statements are printed
// and are not errors of the shell.
func (s *Shell) Run(ctx context.Context) error {
	defer s.closeOutput()
	for ctx.Err() == nil {
		text, err := s.lines.ReadLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errInterrupted):
			continue
		case err != nil:
			return fmt.Errorf("read from the terminal: %w", err)
		}
		err = s.enter(ctx, Statement{Text: text, Line: 1, Column: 1})
		if errors.Is(err, errQuit) {
			return nil
		}
		s.report(err)
	}
	return nil
}

// enter runs the statements and backslash commands of an entry in order. A failed statement ends it, since those after it were written in
// the belief that it works. The error is errQuit, a *failure, or what hindered a command.
func (s *Shell) enter(ctx context.Context, entry Statement) error {
	if trimmed := strings.TrimSpace(entry.Text); isCommand(trimmed) {
		return s.command(ctx, trimmed) // its semicolons are its own: \watch takes SQL
	}
	statements, rest := Split(entry.Text)
	if rest.Text != "" {
		statements = append(statements, rest)
	}
	for _, st := range statements {
		st.Line += entry.Line - 1 // entries begin at the start of a line
		run := s.runInterruptible
		if isCommand(st.Text) {
			run = func(ctx context.Context, st Statement) error { return s.command(ctx, st.Text) }
		}
		if err := run(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func isCommand(text string) bool { return strings.HasPrefix(text, `\`) }

func (s *Shell) runInterruptible(ctx context.Context, st Statement) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return s.run(ctx, st)
}

// run shows the answer to one statement; its error is a *failure.
func (s *Shell) run(ctx context.Context, st Statement) error {
	s.last = st.Text
	started := s.clock()
	stats, err := s.answer(ctx, st)
	if err != nil {
		return &failure{statement: st, err: err}
	}
	if s.timing {
		fmt.Fprintf(s.out, "Time: %s%s\n", formatMillis(s.clock().Sub(started)), stats)
	}
	return nil
}

// answer shows one answer in the format chosen. stats is what \timing adds where the answer says it.
func (s *Shell) answer(ctx context.Context, st Statement) (stats string, err error) {
	if s.format != formatTable {
		truncated, err := s.db.Stream(ctx, st.Text, client.QueryOptions{}, s.format, s.answers)
		if truncated {
			fmt.Fprintln(s.out, "The answer was cut at the most rows allowed.")
		}
		return "", err
	}
	result, err := s.db.Query(ctx, st.Text, client.QueryOptions{})
	if err != nil {
		return "", err
	}
	s.show(result)
	return fmt.Sprintf(" (server %.1f ms, %s rows read)", result.Stats.ElapsedMS, Thousands(result.Stats.RowsScanned)), nil
}

// show prints an answer as a table. In a file there are neither colours nor an end of the line.
func (s *Shell) show(result *client.Result) {
	layout := s.layout
	if s.file == nil {
		layout.Width, _ = s.size()
	} else {
		layout.Color = false
	}
	WriteTable(s.answers, result, layout)
}

func formatMillis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// repeat is the real every: a ticker drops beats that a slow query has missed.
func repeat(ctx context.Context, interval time.Duration, show func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		show()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
