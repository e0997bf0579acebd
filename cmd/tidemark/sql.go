package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// sqlCmd runs SQL given as text, as a file or on standard input; on a terminal it opens the shell.
type sqlCmd struct {
	Query  string `short:"q" placeholder:"SQL" xor:"source" help:"SQL to run, or a command of the shell such as \\d."`
	File   string `short:"f" placeholder:"FILE" xor:"source" help:"File of SQL and commands to run; - for standard input."`
	Format string `placeholder:"FORMAT" default:"table" enum:"table,json,ndjson,csv,arrow,parquet" help:"Form of the answer: ${enum}."`
	URL    string `placeholder:"URL" xor:"where" help:"Address of the server ($$TIDEMARK_URL)."`
	Data   string `placeholder:"DIR" xor:"where" help:"Data directory to open without a server."`
}

// Run runs the SQL or the shell.
func (c *sqlCmd) Run(p *process) error {
	if (c.Format == "arrow" || c.Format == "parquet") && isTerminal(p.stdout) {
		return usagef("--format %s is not for a terminal; send it to a file with > FILE", c.Format)
	}
	db, where, done, err := c.connect(p)
	if err != nil {
		return err
	}
	return errors.Join(c.run(p, db, where), done())
}

// connect finds the server, or opens the data directory. where says to a person what answers; done lets go of it.
func (c *sqlCmd) connect(p *process) (db *client.Client, where string, done func() error, err error) {
	if c.Data != "" {
		return openData(p, c.Data)
	}
	if db, err = p.client(c.URL); err != nil {
		return nil, "", nil, err
	}
	return db, "Connected to " + db.URL(), func() error { db.Close(); return nil }, nil
}

func (c *sqlCmd) run(p *process, db *client.Client, where string) error {
	if c.Query == "" && c.File == "" && isTerminal(p.stdin) {
		return runShell(p, db, where)
	}
	text, err := c.text(p)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if shell.HasCommands(text) {
		return describeError(shell.NewScript(db, p.stdout, c.Format, sizeOf(p.stdout)).RunScript(ctx, text))
	}
	if c.Format != "table" {
		truncated, err := db.Stream(ctx, text, client.QueryOptions{}, c.Format, p.stdout)
		if truncated {
			fmt.Fprintln(p.stderr, "tidemark: the answer was cut at the most rows that the server allows (max_rows); add a condition or LIMIT and OFFSET")
		}
		return describeError(err)
	}
	return describeError(runTables(ctx, p.stdout, db, text))
}

func runShell(p *process, db *client.Client, where string) error {
	if err := db.Ready(context.Background()); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s. Statements end with a semicolon; \\? lists the commands.\n", where)
	history := ""
	if home, err := os.UserHomeDir(); err == nil {
		history = filepath.Join(home, ".tidemark_history")
	}
	color := isTerminal(p.stdout) && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb"
	return shell.New(db, p.stdout, history, sizeOf(p.stdout), color).Run(context.Background())
}

// sizeOf is how the shell asks for the size of the terminal that w is; both numbers are 0 where it is none.
func sizeOf(w io.Writer) func() (width, height int) {
	if size := terminalSize(w); size != nil {
		return size
	}
	return func() (int, int) { return 0, 0 }
}

func (c *sqlCmd) text(p *process) (string, error) {
	if c.Query != "" {
		return c.Query, nil
	}
	var text []byte
	var err error
	if c.File == "" || c.File == "-" {
		text, err = io.ReadAll(p.stdin)
	} else {
		text, err = os.ReadFile(c.File)
	}
	if err != nil {
		return "", fmt.Errorf("read SQL: %w", err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", usagef("no SQL to run; give it with -q, -f or on standard input")
	}
	return string(text), nil
}

// runTables runs the statements one by one and prints every answer. It stops at the first failure.
func runTables(ctx context.Context, w io.Writer, db shell.Querier, text string) error {
	statements, rest := shell.Split(text)
	if rest.Text != "" {
		statements = append(statements, rest)
	}
	for _, st := range statements {
		result, err := db.Query(ctx, st.Text, client.QueryOptions{})
		if err != nil {
			return shell.Locate(st, err)
		}
		shell.WriteTable(w, result, shell.Layout{})
	}
	return nil
}

// describeError names the server's code in front of its refusals, so that scripts can tell them apart.
func describeError(err error) error {
	var refused *client.Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", refused.Code, err)
	}
	return err
}

// isTerminal reports whether a stream is a person's terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
