package shell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a database whose answers are given, by SQL text.
type script struct {
	answers map[string]string
	asked   []string
}

func (s *script) Query(ctx context.Context, sql string, _ client.QueryOptions) (*client.Result, error) {
	s.asked = append(s.asked, sql)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text, ok := s.answers[sql]
	if !ok {
		return nil, &client.Error{Code: event.CodeNotFound, Detail: "no answer to " + sql}
	}
	var failure client.Error
	if json.Unmarshal([]byte(text), &failure) == nil && failure.Code != "" {
		return nil, &failure
	}
	return parseResult(text)
}

func (s *script) Stream(ctx context.Context, sql string, opts client.QueryOptions, format string, w io.Writer) (truncated bool, err error) {
	result, err := s.Query(ctx, sql, opts)
	if err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(w, "%s as %s\n", sql, format)
	return result.Stats.Truncated, err
}

func parseResult(text string) (*client.Result, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	result := &client.Result{}
	return result, decoder.Decode(result)
}

// typist enters lines one after the other.
type typist struct{ lines []string }

func (t *typist) ReadLine() (string, error) {
	if len(t.lines) == 0 {
		return "", io.EOF
	}
	line := t.lines[0]
	t.lines = t.lines[1:]
	if line == "^C" {
		return "", errInterrupted
	}
	return line, nil
}

// testShell is a shell whose clock gains 12.5 ms at every look and whose \watch shows twice.
func testShell(db Querier, out io.Writer, lines ...string) *Shell {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &Shell{
		db: db, out: out, answers: out, format: formatTable, lines: &typist{lines}, size: func() (int, int) { return 60, 20 },
		clock: func() time.Time { now = now.Add(12500 * time.Microsecond); return now },
		every: func(ctx context.Context, _ time.Duration, show func()) {
			for i := 0; i < 2 && ctx.Err() == nil; i++ {
				show()
			}
		},
	}
}

// TestText runs the goldens: tables and blocks of given results, the cutting of text into statements, and whole sessions
// against the answers given with "answer".
func TestText(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		db := &script{answers: map[string]string{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "table", "blocks":
				result, err := parseResult(d.Input)
				require.NoError(t, err)
				layout := Layout{}
				if d.Cmd == "blocks" {
					layout.Expanded = ExpandedOn
				}
				if d.HasArg("width") {
					layout.Expanded = ExpandedAuto
					d.ScanArgs(t, "width", &layout.Width)
				}
				layout.Color = d.HasArg("color")
				WriteTable(&out, result, layout)
			case "plot":
				result, err := parseResult(d.Input)
				require.NoError(t, err)
				drawn, err := drawPlot(result, 60, d.HasArg("color"))
				if err != nil {
					return "ERROR: " + err.Error() + "\n"
				}
				for line := range strings.Lines(drawn + "\n") {
					out.WriteString(strings.TrimRight(line, " \n") + "\n")
				}
			case "entries":
				for _, entry := range entries(d.Input) {
					fmt.Fprintf(&out, "%d %q\n", entry.Line, entry.Text)
				}
			case "split":
				statements, rest := Split(d.Input)
				for _, st := range statements {
					fmt.Fprintf(&out, "%d:%d %q\n", st.Line, st.Column, st.Text)
				}
				fmt.Fprintf(&out, "rest %q, complete %t\n", rest.Text, Complete(d.Input))
			case "answer":
				sql, answer, _ := strings.Cut(d.Input, "\n=>\n")
				db.answers[sql] = answer
			case "script":
				shell := NewScript(db, &out, formatTable, func() (int, int) { return 0, 0 })
				shell.clock = func() time.Time { return time.Time{} }
				if err := shell.RunScript(t.Context(), d.Input); err != nil {
					fmt.Fprintf(&out, "error: %v\n", err)
				}
				fmt.Fprintf(&out, "commands: %t\n", HasCommands(d.Input))
			case "session":
				require.NoError(t, testShell(db, &out, strings.Split(d.Input, "\n~\n")...).Run(t.Context()))
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return out.String()
		})
	})
}

func TestRunEndsWithTheTerminalAndTheContext(t *testing.T) {
	t.Parallel()
	broken := errors.New("tty is gone")
	s := testShell(&script{}, io.Discard)
	s.lines = readerFunc(func() (string, error) { return "", broken })
	require.ErrorIs(t, s.Run(t.Context()), broken)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Run(ctx))
}

type readerFunc func() (string, error)

func (f readerFunc) ReadLine() (string, error) { return f() }

func TestCancelledStatementSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	s := testShell(&script{}, &out)
	s.report(s.run(ctx, Statement{Text: "SELECT 1"}))
	require.Equal(t, "Cancelled.\n", out.String())
}

func TestRepeatStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	shown := 0
	repeat(ctx, time.Millisecond, func() {
		if shown++; shown == 3 {
			cancel()
		}
	})
	require.Equal(t, 3, shown)
}

func TestParseWatch(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]struct {
		interval time.Duration
		sql      string
	}{
		"":                 {defaultWatch, ""},
		"5":                {5 * time.Second, ""},
		"250ms;":           {250 * time.Millisecond, ""},
		"1s SELECT 1 ;":    {time.Second, "SELECT 1"},
		"SELECT 1":         {defaultWatch, "SELECT 1"},
		"0.5 SELECT a , b": {500 * time.Millisecond, "SELECT a , b"},
	} {
		interval, sql, err := parseWatch(args)
		require.NoError(t, err, args)
		require.Equal(t, want.interval, interval, args)
		require.Equal(t, want.sql, sql, args)
	}
	for _, args := range []string{"1ms", "0", "3parsecs"} {
		_, _, err := parseWatch(args)
		require.ErrorContains(t, err, "not an interval", args)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	db := &script{answers: map[string]string{
		allNames: `{"columns":[{"name":"name","type":"TEXT"}],"rows":[["flights"],["Fleet 2"]]}`,
		"SELECT DISTINCT name FROM system.functions": `{"columns":[{"name":"name","type":"TEXT"}],"rows":[["from_unixtime"],["flatten"]]}`,
		"SELECT name FROM system.tables":             `{"columns":[{"name":"name","type":"TEXT"}],"rows":[["system.streams"],["system.segments"]]}`,
		"DESCRIBE flights":                           `{"columns":[{"name":"column","type":"TEXT"}],"rows":[["from_airport"],["delay"]]}`,
	}}
	now := time.Unix(1000, 0)
	c := &completer{names: &names{db: db, clock: func() time.Time { return now }}}
	for _, tc := range []struct {
		line, word string
		want       []string
	}{
		{"SELECT * FR", "FR", []string{"FROM", "from_airport", "from_unixtime"}},
		{"select * fr", "fr", []string{"from", "from_airport", "from_unixtime"}},
		{"SELECT * FROM sys", "sys", []string{"system"}},
		{"SELECT * FROM system.s", "s", []string{"segments", "streams"}},
		{"SELECT flights.", "", []string{"delay", "from_airport"}},
		{`\df fl`, "fl", []string{"flatten"}},
		{`\format c`, "c", []string{"csv"}},
		{"select fro from flights where", "where", []string{"where"}},
		{"SELECT * FROM fl", "fl", []string{"flatten", "flights"}},
		{"SELECT * FROM FLE", "FLE", nil},
		{`\d FLE`, "FLE", []string{"Fleet 2"}},
		{"select dela", "dela", []string{"delay"}},
		{"SELECT count(del", "del", []string{"delay"}},
		{`\`, `\`, []string{
			`\?`, `\d`, `\dS`, `\df`, `\dv`, `\format`, `\i`, `\o`, `\plot`, `\q`, `\timing`, `\watch`, `\x`,
		}},
		{`\d fli`, "fli", []string{"flights"}},
		{`\x o`, "o", nil},
	} {
		word, found := c.candidates([]rune(tc.line), len([]rune(tc.line)))
		require.Equal(t, tc.word, word, tc.line)
		require.Equal(t, tc.want, found, tc.line)
	}
	asked := len(db.asked)
	c.candidates([]rune("select fro from flights"), 10)
	require.Len(t, db.asked, asked, "fresh names are not asked for again")
	now = now.Add(namesAge)
	c.candidates([]rune("select fro from flights"), 10)
	require.Equal(t, []string{allNames, "DESCRIBE flights"}, db.asked[asked:])
}

func TestAnswersGoToAFile(t *testing.T) {
	t.Parallel()
	db := &script{answers: map[string]string{"SELECT 1": `{"columns":[{"name":"one","type":"BIGINT"}],"rows":[[1]]}`}}
	path := filepath.Join(t.TempDir(), "answers")
	var out strings.Builder
	s := testShell(db, &out, `\o `+path, "SELECT 1;", "SELECT 2;", `\format parquet`, "SELECT 1;", `\o`, "SELECT 1;", `\o /nowhere/x`)
	require.NoError(t, s.Run(t.Context()))
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, " one\n─────\n   1\n(1 row)\nSELECT 1 as parquet\n", string(written))
	require.Equal(t, "Answers go to "+path+".\nERROR: no answer to SELECT 2 [not_found]\nFormat is parquet.\n"+
		"Format is table.\nAnswers are shown here.\n one\n─────\n   1\n(1 row)\n"+
		"ERROR: open /nowhere/x: no such file or directory\n", out.String())
}

func TestLocateMovesPositionsToTheWholeText(t *testing.T) {
	t.Parallel()
	statements, _ := Split("SELECT 1;\n  SELECT a,\n b;")
	refuse := func(line, column int) error {
		return &client.Error{Code: event.CodeSyntax, Detail: "no", Position: &event.Position{Line: line, Column: column}}
	}
	require.EqualError(t, Locate(statements[1], refuse(1, 8)), "no at line 2, column 10")
	require.EqualError(t, Locate(statements[1], refuse(2, 2)), "no at line 3, column 2")
	plain := errors.New("plain")
	require.Equal(t, plain, Locate(statements[1], plain))
}

func TestHistoryIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history")
	require.True(t, ownHistory(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.False(t, ownHistory(""))
	require.False(t, ownHistory(filepath.Join(path, "below a file")))
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000", -5: "-5"} {
		require.Equal(t, want, Thousands(n))
	}
}

// FuzzSplit checks that no statement holds another's semicolon: splitting a statement again gives itself.
func FuzzSplit(f *testing.F) {
	f.Add("SELECT ';' ; -- x;\n /* ; */ SELECT E'\\';'; \"a;b\"")
	f.Add("/* /* ; */")
	f.Fuzz(func(t *testing.T, text string) {
		statements, rest := Split(text)
		for _, st := range append(statements, rest) {
			again, left := Split(st.Text)
			require.Empty(t, again)
			require.Equal(t, st.Text, left.Text)
			require.Positive(t, st.Line)
			require.Positive(t, st.Column)
		}
	})
}
