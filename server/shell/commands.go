package shell

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidemarkdb/tidemark/server/client"
)

// command is one backslash command.
type command struct {
	name string
	args string
	help string
	run  func(s *Shell, ctx context.Context, args string) error
}

// commands lists them in the order that \? shows.
func commands() []command {
	return []command{
		{`\d`, "[NAME]", "list the streams and views, or the columns of one or of a system table", (*Shell).describe},
		{`\dv`, "", "list the views and how they do", query("SHOW VIEWS")},
		{`\dS`, "", "list the system tables", query("SELECT name, description FROM system.tables ORDER BY name")},
		{`\df`, "[NAME]", "list the functions whose names begin so", (*Shell).functions},
		{`\watch`, "[1s] [SQL]", "repeat a query, the last one if none is given, until Ctrl-C", (*Shell).watch},
		{`\plot`, "[SQL]", "draw numbers over time or in order, of the last query if none is given", (*Shell).plot},
		{`\timing`, "[on|off]", "show how long statements take", toggle("Timing", func(s *Shell) *bool { return &s.timing })},
		{`\x`, "[on|off|auto]", "show rows as blocks, a column a line; auto: where they are too wide", (*Shell).expand},
		{`\format`, "[FORMAT]", "show answers as table, json, ndjson or csv; arrow and parquet go to files", (*Shell).setFormat},
		{`\o`, "[FILE]", "write answers to a file, or to the terminal again", (*Shell).output},
		{`\i`, "FILE", "run the statements and commands of a file", (*Shell).input},
		{`\?`, "", "show this list", (*Shell).help},
		{`\q`, "", "leave (also Ctrl-D)", (*Shell).quit},
	}
}

// command runs a line that begins with a backslash. Its errors are those of enter.
func (s *Shell) command(ctx context.Context, line string) error {
	// A semicolon out of habit does no harm to commands that take no SQL.
	name, args := line, ""
	if end := strings.IndexAny(line, " \t\r\n"); end >= 0 {
		name, args = line[:end], line[end:]
	}
	name = strings.TrimRight(name, ";")
	for _, c := range commands() {
		if c.name == name {
			return c.run(s, ctx, strings.TrimSpace(args))
		}
	}
	return mistakef(`\? lists the commands`, "no command %s", name)
}

func (s *Shell) quit(context.Context, string) error { return errQuit }

func (s *Shell) help(context.Context, string) error {
	for _, c := range commands() {
		fmt.Fprintf(s.out, "  %-20s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
	}
	fmt.Fprintln(s.out, "Anything else is SQL; it runs when a semicolon ends it. Tab completes, the arrow keys bring back earlier lines.")
	return nil
}

func (s *Shell) describe(ctx context.Context, args string) error {
	name := strings.TrimRight(args, "; ")
	if name == "" {
		return s.tables(ctx)
	}
	return query("DESCRIBE "+quoteName(name))(s, ctx, "")
}

// tables lists the streams and, if there are any, the views.
func (s *Shell) tables(ctx context.Context) error {
	streams, err := s.ask(ctx, "SHOW STREAMS")
	if err != nil {
		return err
	}
	if len(streams.Rows) == 0 {
		fmt.Fprintln(s.out, "No streams yet. `tidemark load STREAM FILE` makes one, as does CREATE STREAM.")
	} else {
		s.show(streams)
	}
	views, err := s.ask(ctx, "SELECT name AS view, state, rows, lag_rows FROM system.views ORDER BY name")
	if err == nil && len(views.Rows) > 0 {
		s.show(views)
	}
	return err
}

// ask runs a query of the shell's own; its error is a *failure.
func (s *Shell) ask(ctx context.Context, sql string) (*client.Result, error) {
	result, err := s.db.Query(ctx, sql, client.QueryOptions{})
	if err != nil {
		return nil, &failure{statement: Statement{Text: sql, Line: 1, Column: 1}, err: err}
	}
	return result, nil
}

// query makes a command that shows the answer to a query.
func query(sql string) func(*Shell, context.Context, string) error {
	return func(s *Shell, ctx context.Context, _ string) error {
		result, err := s.ask(ctx, sql)
		if err == nil {
			s.show(result)
		}
		return err
	}
}

func (s *Shell) functions(ctx context.Context, args string) error {
	sql := "SELECT name, kind, arguments, result FROM system.functions"
	if name := strings.TrimRight(args, "; "); name != "" {
		sql += " WHERE starts_with(name, '" + strings.ReplaceAll(strings.ToLower(name), "'", "''") + "')"
	}
	return query(sql+" ORDER BY name, arguments")(s, ctx, "")
}

// expand chooses between tables and blocks.
func (s *Shell) expand(_ context.Context, args string) error {
	switch strings.TrimRight(args, "; ") {
	case "":
		if s.layout.Expanded == ExpandedOn {
			s.layout.Expanded = ExpandedOff
		} else {
			s.layout.Expanded = ExpandedOn
		}
	case "on":
		s.layout.Expanded = ExpandedOn
	case "off":
		s.layout.Expanded = ExpandedOff
	case "auto":
		s.layout.Expanded = ExpandedAuto
	default:
		return mistakef("", "%q is none of on, off and auto", args)
	}
	fmt.Fprintf(s.out, "Expanded display is %s.\n", []string{"off", "on", "automatic"}[s.layout.Expanded])
	return nil
}

// toggle makes a command that switches an option, or sets it when told on or off.
func toggle(title string, at func(*Shell) *bool) func(*Shell, context.Context, string) error {
	return func(s *Shell, _ context.Context, args string) error {
		option := at(s)
		switch strings.TrimRight(args, "; ") {
		case "":
			*option = !*option
		case "on":
			*option = true
		case "off":
			*option = false
		default:
			return mistakef("", "%q is neither on nor off", args)
		}
		state := "off"
		if *option {
			state = "on"
		}
		fmt.Fprintf(s.out, "%s is %s.\n", title, state)
		return nil
	}
}

// quoteName keeps names as the user typed them unless they need quotes and have none.
func quoteName(name string) string {
	if strings.HasPrefix(name, `"`) || isPlainName(name) {
		return name
	}
	if schema, table, ok := strings.Cut(name, "."); ok && isPlainName(schema) && isPlainName(table) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func isPlainName(name string) bool {
	for i, r := range name {
		letter := r == '_' || (r|0x20 >= 'a' && r|0x20 <= 'z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
