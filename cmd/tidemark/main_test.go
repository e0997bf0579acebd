package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/server/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { removeBinary() }))
}

// outcome is what a command line left behind.
type outcome struct {
	status         int
	stdout, stderr string
}

func tidemark(stdin string, environ []string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	status := run(args, &process{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr, environ: environ})
	return outcome{status, stdout.String(), stderr.String()}
}

// fake is a server that answers SQL by its text and takes events, refusing lines that begin with "bad".
type fake struct {
	answers map[string]string
	mu      sync.Mutex
	lines   []string
	paths   []string
}

func (f *fake) start(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/sql", f.query)
	mux.HandleFunc("POST /v1/streams/{stream}/events", f.ingest)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func (f *fake) query(w http.ResponseWriter, r *http.Request) {
	var request struct{ SQL string }
	_ = json.NewDecoder(r.Body).Decode(&request)
	answer, ok := f.answers[r.URL.Query().Get("format")+" "+request.SQL]
	if !ok {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		answer = `{"code":"syntax_error","detail":"cannot read this","position":{"line":1,"column":2},"hint":"write SQL"}`
	}
	_, _ = io.WriteString(w, answer)
}

func (f *fake) ingest(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paths = append(f.paths, r.URL.RequestURI())
	accepted, rejected := 0, []string{}
	for i, line := range strings.Split(strings.TrimSuffix(string(body), "\n"), "\n") {
		if strings.HasPrefix(line, "bad") {
			rejected = append(rejected, fmt.Sprintf(`{"row":%d,"reason":"not JSON"}`, i))
			continue
		}
		f.lines = append(f.lines, line)
		accepted++
	}
	fmt.Fprintf(w, `{"accepted":%d,"rejected":%d,"errors":[%s]}`, accepted, len(rejected), strings.Join(rejected, ","))
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"dance"}, {"load"}, {"load", "s"}, {"serve", "--colour"}, {"serve", "--seal-rows", "many"}, {"sql", "--format", "xml"},
		{"sql", "-q", "a", "-f", "b"}, {"load", "s", "x.csv", "--format", "xml"}, {"demo", "--speed", "0"},
		{"sql"}, {"serve", "extra"},
	} {
		got := tidemark("", nil, args...)
		require.Equal(t, exitUsage, got.status, "%v: %s", args, got.stderr)
		require.True(t, strings.HasPrefix(got.stderr, "tidemark: "), got.stderr)
		require.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
		require.Empty(t, got.stdout)
	}
}

func TestHelpShowsDefaults(t *testing.T) {
	t.Parallel()
	got := tidemark("", nil, "serve", "--help")
	require.Zero(t, got.status)
	require.Empty(t, got.stderr)
	words := strings.Join(strings.Fields(got.stdout), " ")
	for _, key := range config.Keys() {
		text, _ := config.Default().Value(key)
		require.Contains(t, words, "--"+strings.ReplaceAll(key, "_", "-")+"=")
		require.Contains(t, words, "(default "+text+")", key)
	}
	got = tidemark("", nil, "demo", "--help")
	require.Zero(t, got.status)
	require.NotContains(t, got.stdout, "tidemark-data")
	require.Equal(t, 1, strings.Count(got.stdout, "(default 127.0.0.1:7373)"))
}

func TestPrintConfigMergesTheSources(t *testing.T) {
	t.Parallel()
	file := write(t, "c.yaml", "seal_rows: 5\nmax_rows: 6\nlog_format: json\n")
	got := tidemark("", []string{"TIDEMARK_MAX_ROWS=7", "TIDEMARK_CONFIG=" + file, "TIDEMARK_LOG_LEVEL=warn"},
		"serve", "--print-config", "--log-level", "debug", "--seal-age=2h")
	require.Zero(t, got.status, got.stderr)
	for _, want := range []string{
		"seal_rows: 5\n", "max_rows: 7\n", "log_format: json\n", "log_level: debug\n", "seal_age: 2h\n", "listen: 127.0.0.1:7373\n",
	} {
		require.Contains(t, got.stdout, want)
	}
}

func TestServeRefusesBadConfigurationInOneLine(t *testing.T) {
	t.Parallel()
	got := tidemark("", nil, "serve", "--listen", "0.0.0.0:7373", "--admin-listen", "nowhere")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "needs tokens and TLS")
	require.Contains(t, got.stderr, "; admin_listen:")
	require.Equal(t, 1, strings.Count(got.stderr, "\n"))
}

func TestSQL(t *testing.T) {
	t.Parallel()
	const one = `{"columns":[{"name":"n","type":"BIGINT"}],"rows":[[1]]}`
	server := &fake{answers: map[string]string{
		"json SELECT 1": one, "json SELECT 2": strings.Replace(one, "[[1]]", "[]", 1),
		"csv SELECT 1; SELECT 2": "n\n2\n", "csv SELECT 4": "n\n1\n", "json SELECT 1; SELECT 2": one,
		"ndjson SELECT 3": `{"n":1}` + "\n" + `{"error":{"code":"timeout","detail":"too slow"}}` + "\n",
	}}
	url := server.start(t)
	environ := []string{"TIDEMARK_URL=" + url}
	const tables = " n\n───\n 1\n(1 row)\n n\n───\n(0 rows)\n"

	require.Equal(t, outcome{0, tables, ""}, tidemark("", environ, "sql", "-q", "SELECT 1; SELECT 2"))
	require.Equal(t, outcome{0, tables, ""}, tidemark("SELECT 1;\nSELECT 2;\n", environ, "sql"))
	require.Equal(t, outcome{0, tables, ""}, tidemark("SELECT 1;\nSELECT 2;\n", environ, "sql", "-f", "-"))
	file := write(t, "x.sql", "-- two\nSELECT 1; SELECT 2")
	require.Equal(t, outcome{0, tables, ""}, tidemark("", nil, "sql", "-f", file, "--url", url))
	require.Equal(t, outcome{0, "n\n2\n", ""}, tidemark("", environ, "sql", "-q", "SELECT 1; SELECT 2", "--format", "csv"))
	require.Equal(t, outcome{0, one, ""}, tidemark("", environ, "sql", "-q", "SELECT 1; SELECT 2", "--format", "json"))

	got := tidemark("SELECT 1;\n  nonsense;\nSELECT 2;", environ, "sql")
	require.Equal(t, exitFailed, got.status)
	require.Equal(t, tables[:strings.Index(tables, "(1 row)\n")+8], got.stdout)
	require.Equal(t, "tidemark: syntax_error: cannot read this at line 2, column 4 (write SQL)\n", got.stderr)

	require.Equal(t, outcome{0, "Expanded display is on.\n─[ row 1 ]───\nn │ 1\n(1 row)\n", ""}, tidemark("\\x on\nSELECT 1", environ, "sql"))
	require.Equal(t, outcome{0, "n\n1\n", ""}, tidemark("", environ, "sql", "-q", "\\i "+write(t, "y.sql", "SELECT 4"), "--format", "csv"))
	got = tidemark("", environ, "sql", "-q", "\\dance")
	require.Equal(t, outcome{exitFailed, "", "tidemark: no command \\dance (\\? lists the commands)\n"}, got)

	got = tidemark("", environ, "sql", "-q", "SELECT 3", "--format", "ndjson")
	require.Equal(t, exitFailed, got.status)
	require.Equal(t, "tidemark: timeout: too slow\n", got.stderr)
	require.Equal(t, exitFailed, tidemark("", environ, "sql", "-f", filepath.Join(t.TempDir(), "none")).status)
}

func TestUnreachableServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	file := write(t, "e.ndjson", "{}\n")
	for _, args := range [][]string{{"sql", "-q", "SELECT 1"}, {"load", "s", file}} {
		got := tidemark("", []string{"TIDEMARK_URL=http://" + l.Addr().String()}, args...)
		require.Equal(t, exitFailed, got.status)
		require.Contains(t, got.stderr, "cannot reach http://"+l.Addr().String()+": is `tidemark serve` running?")
	}
	require.Contains(t, tidemark("", nil, "sql", "-q", "SELECT 1", "--url", "ftp://x").stderr, "is not a server's URL")
}

func TestLoad(t *testing.T) {
	t.Parallel()
	server := &fake{}
	url := server.start(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := io.WriteString(z, "{\"n\":3}\n")
	require.NoError(t, err)
	require.NoError(t, z.Close())
	got := tidemark("{\"n\":4}", nil, "load", "s", write(t, "a.ndjson", "{\"n\":1}\n{\"n\":2}\n"),
		write(t, "b.ndjson.gz", zipped.String()), "-", "--url", url, "--time", "at")
	require.Zero(t, got.status, got.stderr)
	require.Empty(t, got.stdout)
	require.Regexp(t, `^s: 4 rows accepted, 0 rejected in \d+\.\d s \([\d,]+ rows/s\)\n$`, got.stderr)
	require.ElementsMatch(t, []string{`{"n":1}`, `{"n":2}`, `{"n":3}`, `{"n":4}`}, server.lines)
	require.Equal(t, "/v1/streams/s/events?time=at", server.paths[0])
}

func TestLoadKnowsFormatsAndPatterns(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"a.ndjson": "ndjson", "b.log": "ndjson", "-": "ndjson", "A.CSV.gz": "csv", "b.tsv": "tsv", "c.json.zst": "json",
		"d.parquet": "parquet", "e.arrow": "arrow", "f.lp": "influx", "g.influx.gz": "influx",
	} {
		require.Equal(t, want, (&loadCmd{Format: "auto"}).formatOf(name, nil), name)
	}
	require.Equal(t, "csv", (&loadCmd{Format: "csv"}).formatOf("a.ndjson", nil))
	for begin, want := range map[string]string{
		"PAR1\x15": "parquet", "ARROW1\x00\x00": "arrow", "\xff\xff\xff\xff\x78": "arrow", "{\"a\":1}\n": "ndjson", "{\n  \"a\": 1\n}": "json",
		"[{\"a\":1}]": "json", "{\"index\":{}}\n{}\n": "bulk", "": "ndjson", "a,b\n": "ndjson",
	} {
		require.Equal(t, want, (&loadCmd{Format: "auto"}).formatOf("events.log.gz", []byte(begin)), begin)
	}

	folder := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv", "c.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
	}
	got, err := expand([]string{"-", filepath.Join(folder, "*.csv"), "none"})
	require.NoError(t, err)
	require.Equal(t, []string{"-", filepath.Join(folder, "a.csv"), filepath.Join(folder, "b.csv"), "none"}, got)
	_, err = expand([]string{filepath.Join(folder, "*.parquet")})
	require.ErrorContains(t, err, "no file matches")
}

func TestLoadExplainsRejections(t *testing.T) {
	t.Parallel()
	url := (&fake{}).start(t)
	path := write(t, "a.ndjson", "{}\nbad\n{}\n"+strings.Repeat("bad\n", 9))
	got := tidemark("", nil, "load", "s", path, "--url", url)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "s: 2 rows accepted, 10 rejected in ")
	require.Contains(t, got.stderr, "  "+path+":2: not JSON\n  "+path+":4: not JSON\n")
	require.Contains(t, got.stderr, "  and 5 more\n")
	require.NotContains(t, got.stderr, "tidemark:")
}

func TestLoadChecksFilesBeforeSending(t *testing.T) {
	t.Parallel()
	server := &fake{}
	url := server.start(t)
	good := write(t, "a.ndjson", "{}\n")
	got := tidemark("", nil, "load", "s", good, filepath.Join(t.TempDir(), "none.ndjson"), "--url", url)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "none.ndjson does not exist")
	require.Contains(t, tidemark("", nil, "load", "s", good, t.TempDir(), "--url", url).stderr, "is a directory")
	require.Empty(t, server.lines)
}

// TestServerStopsWithItsContext runs the real server, loads events into it over HTTP and asks for them.
func TestServerStopsWithItsContext(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	server, err := startServer(ctx, cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- closeAfter(ctx, server) }()

	file := write(t, "e.ndjson", `{"n":1,"ts":"2026-01-01T00:00:00Z"}`+"\n"+`{"n":2,"ts":"2026-01-01T00:00:01Z"}`+"\nbad\n")
	got := tidemark("", nil, "load", "numbers", file, "--url", server.URL())
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "2 rows accepted, 1 rejected")
	require.Contains(t, got.stderr, file+":3: ")
	got = tidemark("", nil, "sql", "-q", "SELECT sum(n) AS total FROM numbers", "--url", server.URL())
	require.Equal(t, outcome{0, " total\n───────\n     3\n(1 row)\n", ""}, got)
	got = tidemark("", nil, "sql", "-q", "SELECT sum(n) AS total FROM numbers", "--format", "csv", "--url", server.URL())
	require.Equal(t, outcome{0, "total\n3\n", ""}, got, "lines of CSV end as those of other tools")

	cancel()
	require.NoError(t, <-ended)
}

// TestSQLOpensADataDirectory: while a server has it, it says so; then it answers, and leaves rows where they are however old.
func TestSQLOpensADataDirectory(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	got := tidemark("", nil, "sql", "-f", write(t, "make.sql", "CREATE STREAM s (n BIGINT);\nINSERT INTO s VALUES (1), (2)"), "--url", server.URL())
	require.Zero(t, got.status, got.stderr)
	got = tidemark("", nil, "sql", "-q", "SELECT 1", "--data", cfg.Data)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "a server has "+cfg.Data+" open: ask it with --url")
	require.NoError(t, server.Close())

	sql := "SELECT sum(n) AS total FROM s; SELECT rows, segments FROM system.streams"
	for range 2 {
		got = tidemark(sql, []string{"TIDEMARK_SEAL_AGE=1ns"}, "sql", "--data", cfg.Data)
		require.Equal(t, outcome{0, " total\n───────\n     3\n(1 row)\n rows │ segments\n──────┼──────────\n    2 │        0\n(1 row)\n", ""}, got)
	}
	got = tidemark("", nil, "sql", "--data", cfg.Data, "--format", "ndjson", "-q", "SELECT n FROM s ORDER BY n")
	require.Equal(t, outcome{0, "{\"n\":1}\n{\"n\":2}\n", ""}, got)
	got = tidemark("", nil, "sql", "--data", cfg.Data, "-q", "SELECT nope FROM s")
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "unknown_column")
	got = tidemark("", nil, "sql", "--data", t.TempDir(), "-q", "SELECT 1")
	require.Contains(t, got.stderr, "is not a data directory")
	got = tidemark("", nil, "sql", "--data", cfg.Data, "--url", "127.0.0.1:1", "-q", "SELECT 1")
	require.Equal(t, exitUsage, got.status)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	got := tidemark("", nil, "version")
	require.Zero(t, got.status)
	require.Regexp(t, `^tidemark \S+ \(commit .+, go1\.\S+, \w+/\w+\)\n$`, got.stdout)

	v, c := buildVersion(nil)
	require.Equal(t, "development", v)
	require.Equal(t, "unknown", c)
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"},
	}}
	v, c = buildVersion(info)
	require.Equal(t, "v1.2.3", v)
	require.Equal(t, "0123456789ab with changes", c)
}
