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
	Query  string `short:"q" placeholder:"SQL" xor:"source" help:"SQL to run."`
	File   string `short:"f" placeholder:"FILE" xor:"source" help:"File of SQL to run; - for standard input."`
	Format string `placeholder:"FORMAT" default:"table" enum:"table,json,ndjson,csv,arrow,parquet" help:"Form of the answer: table, json, ndjson, csv, arrow or parquet."`
	URL    string `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// Run runs the SQL or the shell.
func (c *sqlCmd) Run(p *process) error {
	if (c.Format == "arrow" || c.Format == "parquet") && isTerminal(p.stdout) {
		return usagef("--format %s is not for a terminal; send it to a file with > FILE", c.Format)
	}
	db, err := p.client(c.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Query == "" && c.File == "" && isTerminal(p.stdin) {
		return runShell(p, db)
	}
	text, err := c.text(p)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if c.Format != "table" {
		return describeError(db.Stream(ctx, text, client.QueryOptions{}, c.Format, p.stdout))
	}
	return describeError(runTables(ctx, p.stdout, db, text))
}

func runShell(p *process, db *client.Client) error {
	if err := db.Ready(context.Background()); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Connected to %s. Statements end with a semicolon; \\? lists the commands.\n", db.URL())
	history := ""
	if home, err := os.UserHomeDir(); err == nil {
		history = filepath.Join(home, ".tidemark_history")
	}
	return shell.New(db, p.stdout, history).Run(context.Background())
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
		shell.WriteTable(w, result, false)
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
