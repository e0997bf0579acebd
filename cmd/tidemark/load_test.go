package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/config"
)

// TestLoadOfAllFormatsStoresEachRowOnce loads files of every format at a time, twice: the second time nothing is stored, until --again. A file
// that has changed is another one.
func TestLoadOfAllFormatsStoresEachRowOnce(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	url := server.URL()

	folder := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err = z.Write([]byte("n;kind\n5;zipped\n6;zipped\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	put("empty.csv", "")
	put("a.ndjson", "{\"n\":1,\"kind\":\"lines\"}\n{\"n\":2,\"kind\":\"lines\"}\n")
	put("b.json", "[{\"n\":3,\"kind\":\"array\"},\n{\"n\":4,\"kind\":\"array\"}]")
	put("c.csv.gz", zipped.String())
	put("d.tsv", "n\tkind\n7\ttabs\n8\ttabs\n")
	put("e.lp", "m n=9i,kind=\"points\" 1772355600000000000\nm n=10i,kind=\"points\" 1772355600000000000\n")
	for i, format := range []string{"arrow", "parquet"} {
		got := tidemark("", nil, "sql", "-q", fmt.Sprintf("SELECT %d AS n, '%s' AS kind UNION ALL SELECT %d, '%s'", 11+2*i, format, 12+2*i, format),
			"--format", format, "--url", url)
		require.Zero(t, got.status, got.stderr)
		put("f."+format, got.stdout)
	}

	load := func(args ...string) string {
		t.Helper()
		got := tidemark("", nil, append([]string{"load", "s", "--url", url, filepath.Join(folder, "*")}, args...)...)
		require.Zero(t, got.status, got.stderr)
		return got.stderr
	}
	sum := func() string {
		return tidemark("", nil, "sql", "-q", "SELECT count(*), sum(n), count(DISTINCT kind) FROM s", "--format", "csv", "--url", url).stdout
	}
	require.Contains(t, load(), "s: 14 rows accepted, 0 rejected")
	require.Contains(t, sum(), "14,105,7\n")
	require.Contains(t, load("--at-once", "1"), "14 rows had been loaded from these files before")
	require.Contains(t, sum(), "14,105,7\n")
	put("d.tsv", "n\tkind\n7\ttabs\n8\ttabs\n100\tmore\n")
	require.Contains(t, load(), "s: 3 rows accepted, 0 rejected", "a file with other content is another file")
	require.Contains(t, load("--again"), "s: 15 rows accepted, 0 rejected")
	require.Contains(t, sum(), "32,", "rows")

	loadWithoutNames(t, put, url)
	loadOfNoRows(t, put, url)
	loadLines(t, put, url)

	got := tidemark("n,kind\n1,piped\n", nil, "load", "s", "-", "--format", "csv", "--url", url)
	require.Zero(t, got.status, got.stderr)
	require.True(t, strings.HasPrefix(got.stderr, "s: 1 rows accepted"), got.stderr)
	require.Equal(t, exitUsage, tidemark("", nil, "load", "s", "-", "--at-once", "0", "--url", url).status)
}

// loadWithoutNames loads files whose names do not tell their format, or whose rows are inside of documents.
func loadWithoutNames(t *testing.T, put func(name, content string) string, url string) {
	t.Helper()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write([]byte("{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	printed := put("printed.log", zipped.String())
	bulk := put("bulk", "{\"index\":{\"_index\":\"x\"}}\n{\"n\":3}\n")
	wrapped := put("trail.json", `{"Records":[{"n":4},{"n":5}]}`)
	for range 2 { // the second time they are known
		for _, args := range [][]string{{printed, bulk}, {wrapped, "--rows", "Records"}} {
			got := tidemark("", nil, append([]string{"load", "told", "--url", url}, args...)...)
			require.Zero(t, got.status, got.stderr)
		}
	}
	got := tidemark("{\n \"n\": 6\n}", nil, "load", "told", "-", "--url", url)
	require.Zero(t, got.status, got.stderr)
	require.Contains(t, tidemark("", nil, "sql", "-q", "SELECT count(*), sum(n) FROM told", "--format", "csv", "--url", url).stdout, "6,21\n")
}

// loadLines loads a log, which is told by what it begins with, and lines of JSON in a file that is called JSON: a bad one costs itself.
func loadLines(t *testing.T, put func(name, content string) string, url string) {
	t.Helper()
	log := put("access.log", "192.0.2.1 - - [01/Mar/2026:09:00:00 +0000] \"GET /\"\n192.0.2.2 - - [01/Mar/2026:09:00:01 +0000] \"GET /a\"\n")
	for _, want := range []string{"2 rows accepted", "2 rows had been loaded"} {
		got := tidemark("", nil, "load", "access", "--url", url, log)
		require.Zero(t, got.status, got.stderr)
		require.Contains(t, got.stderr, want)
	}
	got := tidemark("one\ntwo\n", nil, "load", "access", "--url", url, "--format", "lines", "-")
	require.Zero(t, got.status, got.stderr)
	require.Equal(t, "count,min,max\n4,2026-03-01T09:00:00.000000Z,true\n", tidemark("", nil, "sql", "-q",
		"SELECT count(*), min(time), max(time) > '2026-03-02' AS max FROM access", "--format", "csv", "--url", url).stdout)

	for name, content := range map[string]string{
		"u_ex.log":    "#Version: 1.0\n#Fields: date time cs-uri-stem sc-status\n2026-03-01 09:00:00 /a 200\n",
		"service.log": "time=2026-03-01T09:00:00Z level=info msg=\"a b\" sc_status=200\n",
	} {
		got = tidemark("", nil, "load", "told_"+name[:1], "--url", url, put(name, content))
		require.Zero(t, got.status, got.stderr)
		require.Equal(t, "time,sc_status\n2026-03-01T09:00:00.000000Z,200\n",
			tidemark("", nil, "sql", "-q", "SELECT time, sc_status FROM told_"+name[:1], "--format", "csv", "--url", url).stdout)
	}

	got = tidemark("", nil, "load", "days", "--url", url, "--date-order", "dmy", put("days.csv", "time,n\n03/01/2026,1\n"), put("days.ndjson", "{\"n\":2}\n"))
	require.Zero(t, got.status, got.stderr)
	require.Equal(t, "time\n2026-01-03T00:00:00.000000Z\n",
		tidemark("", nil, "sql", "-q", "SELECT time FROM days WHERE n = 1", "--format", "csv", "--url", url).stdout)
	require.Equal(t, exitUsage, tidemark("", nil, "load", "days", "-", "--date-order", "ymd", "--url", url).status)

	rows := put("rows.csv", "ada,1\nbob,2\n")
	got = tidemark("", nil, "load", "people", "--url", url, rows)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, `the first line, "ada,1", is a row`)
	require.Zero(t, tidemark("", nil, "load", "people", "--url", url, "--columns", "who,n", rows).status)
	require.Zero(t, tidemark("cy,3\n", nil, "load", "people", "--url", url, "--columns", "who,n", "-").status)
	require.Zero(t, tidemark("", nil, "load", "people", "--url", url, "--header", "false", rows).status)
	require.Equal(t, "sum,max\n6,bob\n", tidemark("", nil, "sql", "-q", "SELECT sum(n), max(column_1) FROM people", "--format", "csv", "--url", url).stdout)
	require.Equal(t, exitUsage, tidemark("", nil, "load", "people", "-", "--header", "no", "--url", url).status)

	got = tidemark("", nil, "load", "objects", "--url", url, put("lines.json", "{\"n\":1}\nnone\n{\"n\":2}\n"))
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "objects: 2 rows accepted, 1 rejected")
	require.Contains(t, got.stderr, "lines.json:2: not")
}

// loadOfNoRows loads files of which no row can be read: what the server says would help is said once, and not for a file that has good rows too.
func loadOfNoRows(t *testing.T, put func(name, content string) string, url string) {
	t.Helper()
	const hint = "\n  hint: the body must be one JSON object a line"
	text, more := put("text.log", "an access\n"), put("more.log", "an access\n")
	mixed := put("mixed.log", "an access\n{\"n\":1}\n")
	got := tidemark("", nil, "load", "none", "--url", url, text, more)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "none: 0 rows accepted, 2 rejected")
	require.Equal(t, 1, strings.Count(got.stderr, hint), got.stderr)
	got = tidemark("", nil, "load", "none", "--url", url, mixed)
	require.Equal(t, exitFailed, got.status)
	require.NotContains(t, got.stderr, hint)
	got = tidemark("", nil, "load", "none", "--url", url, "--format", "tsv", put("short.tsv", "a\tb\n1\n"))
	require.Contains(t, got.stderr, "hint: the first line must name the columns")
}

// TestLoadSaysHowTextsAreWritten loads texts of other encodings and forms than the usual ones, from files and from standard input.
func TestLoadSaysHowTextsAreWritten(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	url := server.URL()
	for i, c := range []struct{ name, content, flags, want string }{
		{"a.csv", "\xff\xfea\x00\n\x00\xeb\x00\n\x00", "", "ë"},
		{"a.csv", "a\n\xeb\n", "--charset windows-1252", "ë"},
		{"a.ndjson", "\xfe\xff\x00{\x00\"\x00a\x00\"\x00:\x001\x00}\x00\n", "", "1"},
		{"a", "\xff\xfe{\x00\"\x00a\x00\"\x00:\x002\x00}\x00", "", "2"},
		{"a.json", "[{\"a\":\"\xa4\"}]", "--charset iso-8859-15", "€"},
		{"a.log", "a b c\n- 1 2\n", "--delimiter space", ""},
		{"a.log", "b a\n1 -\n2 \\N\n3 x\n", "--delimiter=\x20 --null=- --null=\\N", "x"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
		var flags []string
		if c.flags != "" {
			flags = strings.Split(strings.ReplaceAll(c.flags, "=\x20", "=\x00"), " ")
		}
		for i := range flags {
			flags[i] = strings.ReplaceAll(flags[i], "\x00", " ")
		}
		for _, input := range []string{"file", "input"} {
			stream, from := fmt.Sprintf("%s%d", input, i), path
			if input == "input" {
				if c.name != "a" { // the name tells the format
					continue
				}
				from = "-"
			}
			got := tidemark(c.content, nil, append([]string{"load", stream, from, "--url", url}, flags...)...)
			if c.want == "" {
				require.Equal(t, 1, got.status)
				require.Contains(t, got.stderr, "it is one ASCII character, or the word tab")
				continue
			}
			require.Zero(t, got.status, got.stderr)
			rows := tidemark("", nil, "sql", "-q", "SELECT a FROM "+stream+" WHERE a IS NOT NULL", "--format", "csv", "--url", url)
			require.Equal(t, []string{"a", c.want}, strings.Fields(rows.stdout), "%s %q", stream, c.content)
		}
	}
	got := tidemark("", nil, "load", "s", os.DevNull, "--charset", "klingon", "--url", url)
	require.NotZero(t, got.status)
	require.Contains(t, got.stderr, `charset "klingon" is not known`)
}

// TestLoadGoesOnBehindAFileThatIsBroken: it holds up no other, even as the first; what it has before its fault is not stored twice when it is mended.
func TestLoadGoesOnBehindAFileThatIsBroken(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	folder := t.TempDir()
	put := func(name, line, head string, cut int) {
		t.Helper()
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, err := fmt.Fprint(z, head)
		require.NoError(t, err)
		for n := range 20_000 {
			_, err := fmt.Fprintf(z, line, n)
			require.NoError(t, err)
		}
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), zipped.Bytes()[:zipped.Len()-cut], 0o600))
	}
	put("a.csv.gz", "a,%d\n", "file,n\n", 1000)
	put("b.ndjson.gz", "{\"file\":\"b\",\"n\":%d}\n", "", 0)
	put("c.ndjson.gz", "{\"file\":\"c\",\"n\":%d}\n", "", 1000)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "d.parquet"), []byte("PAR1 and no more"), 0o600))
	put("e.csv.gz", "e,%d\n", "file,n\n", 0)
	load := func() outcome {
		return tidemark("", nil, "load", "s", "--url", server.URL(), filepath.Join(folder, "*"))
	}
	got := load()
	require.Equal(t, exitFailed, got.status)
	for _, want := range []string{
		"s: 40,000 rows accepted, 0 rejected", "tidemark: 3 of 5 files could not be loaded: load ", "a.csv.gz: read it: the compressed data is cut off; ",
		"c.ndjson.gz: read line 1 and on: the compressed data is cut off; ", "d.parquet: bad_request: ",
	} {
		require.Contains(t, got.stderr, want)
	}
	require.NoError(t, os.Remove(filepath.Join(folder, "d.parquet")))
	put("a.csv.gz", "a,%d\n", "file,n\n", 0)
	put("c.ndjson.gz", "{\"file\":\"c\",\"n\":%d}\n", "", 0)
	got = load()
	require.Zero(t, got.status, got.stderr)
	require.Contains(t, got.stderr, "s: 40,000 rows accepted, 0 rejected")
	require.Contains(t, got.stderr, "40,000 rows had been loaded from these files before")
	require.Equal(t, "count,count\n80000,4\n", tidemark("", nil, "sql", "-q", "SELECT count(*), count(DISTINCT file) FROM s WHERE n < 20000",
		"--format", "csv", "--url", server.URL()).stdout)
}
