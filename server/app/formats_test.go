package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func TestBodiesOfJSON(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	in := s.ingest("docs", `{"ts":"2026-01-01T00:00:00Z",
		"a": 1}`, "Content-Type", "application/json; charset=utf-8")
	require.EqualValues(t, 1, in.Accepted)
	in = s.ingest("docs", `[{"ts":"2026-01-01T00:00:01Z","a":2}, 7, {"ts":"later"}, {"ts":"2026-01-01T00:00:02Z","a":3,"b":{"x":[1]}}]`,
		"Content-Type", "application/json")
	require.EqualValues(t, 2, in.Accepted)
	require.EqualValues(t, 1, in.Errors[0].Row)
	require.Equal(t, "not a JSON object", in.Errors[0].Reason)
	require.EqualValues(t, 2, in.Errors[1].Row)
	require.Equal(t, "[1,null]\n[2,null]\n[3,{\"x\":[1]}]\n", s.query("SELECT a, b FROM docs ORDER BY ts").text())
	s = s.restart()
	require.Equal(t, "[1,null]\n[2,null]\n[3,{\"x\":[1]}]\n", s.query("SELECT a, b FROM docs ORDER BY ts").text())

	answer := s.do("POST", "/v1/streams/docs/events?format=json", `[{"ts":"2026-01-01T00:00:03Z","a":4}] end`)
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), "text after the end of the document")
	require.Contains(t, string(answer.body), `"accepted":1`, "what was stored before the fault is told")
	require.Equal(t, "[4]\n", s.query("SELECT count(*) FROM docs").text())
}

func TestBodiesOfCSV(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	in := s.ingest("trades", "ts,symbol,price,n,ok\n2026-01-01 00:00:00Z,ABC,1.50,7,true\n2026-01-01 00:00:01Z,\"X,\"\"Y\"\"\",,-3,false\nbroken\n",
		"Content-Type", "text/csv; charset=utf-8; header=present")
	require.EqualValues(t, 2, in.Accepted)
	require.EqualValues(t, 2, in.Errors[0].Row)
	require.Equal(t, "the row has 1 cells, the header 5", in.Errors[0].Reason)
	require.Equal(t, `["YnJva2Vu"]`+"\n", s.query("SELECT raw FROM trades_rejected").text())
	described := s.query("DESCRIBE trades").text()
	for _, want := range []string{`["ts","TIMESTAMPTZ"`, `["symbol","TEXT"`, `["price","DOUBLE PRECISION"`, `["n","BIGINT"`, `["ok","BOOLEAN"`} {
		require.Contains(t, described, want)
	}
	want := `["ABC",1.5,7,true]` + "\n" + `["X,\"Y\"",null,-3,false]` + "\n"
	require.Equal(t, want, s.query("SELECT symbol, price, n, ok FROM trades ORDER BY ts").text())

	csv := string(s.do("POST", "/v1/sql?format=csv", "SELECT * FROM trades ORDER BY ts").body)
	require.EqualValues(t, 2, s.ingest("copy", csv, "Content-Type", "text/csv").Accepted)
	require.Equal(t, want, s.query("SELECT symbol, price, n, ok FROM copy ORDER BY ts").text(), "what was exported can be read")

	in = s.ingest("german", "zeit;wert\n2026-01-01;1\n2026-01-02;-\n", "Content-Type", "text/csv")
	require.EqualValues(t, 2, in.Accepted)
	require.EqualValues(t, 2, s.ingest("english", "time\tvalue\n2026-01-01\t1\n2026-01-02\t-\n", "Content-Type", "text/tab-separated-values").Accepted)
	answer := s.do("POST", "/v1/streams/other/events?delimiter=%3B&null=-&null=NA&format=csv", "time;value;more\n2026-01-01;1;NA\n2026-01-02;-;x\n")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Equal(t, "[1,null]\n[null,\"x\"]\n", s.query("SELECT value, more FROM other ORDER BY time").text())
	for query, want := range map[string]string{
		"format=csv&delimiter=%22":   "cannot stand between cells",
		"format=csv&delimiter=ab":    "delimiter is",
		"format=csv&delimiter=":      "delimiter is",
		"delimiter=%3B":              "delimiter means nothing for ndjson",
		"format=json&null=x":         "null means nothing for json",
		"format=csv&delimiter=;":     "a semicolon is written as %3B",
		"format=xml":                 "format=xml is not known",
		"format=tsv&delimiter=comma": "delimiter means nothing for tsv",
	} {
		answer := s.do("POST", "/v1/streams/other/events?"+query, "a\n1\n")
		require.Equal(t, http.StatusBadRequest, answer.status, query)
		require.Contains(t, string(answer.body), want)
	}
}

// TestDuckDBReadsTheSameCSV compares the types and values that DuckDB's reader finds in a file with ours.
func TestDuckDBReadsTheSameCSV(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString("ts,id,name,price,ok,\"odd \"\"name\"\"\"\r\n")
	for i := range 5000 {
		fmt.Fprintf(&body, "2026-01-01T%02d:%02d:%02dZ,%d,\"name, %d\nof \"\"%d\"\"\",%s,%t,",
			i/3600, i/60%60, i%60, i*1_000_003-77, i%100, i, fmt.Sprint(float64(i)/8), i%3 == 0)
		if i%7 > 0 {
			fmt.Fprintf(&body, "x%d", i%7)
		}
		body.WriteString("\r\n")
	}
	file := filepath.Join(t.TempDir(), "events.csv")
	require.NoError(t, os.WriteFile(file, []byte(body.String()), 0o600))
	sql := `SELECT id, name, price, ok, "odd ""name""", ts FROM %s WHERE id %% 97 < 3 ORDER BY ts`
	theirs := duckDB(t, fmt.Sprintf(sql, "read_csv('"+file+"', quote='\"', escape='\"', parallel=false)"))
	s := start(t, t.TempDir())
	require.EqualValues(t, 5000, s.ingest("events", body.String(), "Content-Type", "text/csv").Accepted)
	require.Equal(t, theirs.text(), s.query(fmt.Sprintf(sql, "events")).text())
}

func gzipped(t *testing.T, body string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

func TestBodiesThatAreDamaged(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	var rows strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&rows, "{\"ts\":%d,\"text\":\"%x\"}\n", 1772355600+i, i*i*7919)
	}
	packed := gzipped(t, rows.String())
	answer := s.do("POST", "/v1/streams/cut/events", packed[:len(packed)-len(packed)/4], "Content-Encoding", "gzip")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), "the body broke off: unexpected EOF")
	var problem struct{ Accepted int64 }
	answer.decode(t, &problem)
	require.Positive(t, problem.Accepted)
	require.Equal(t, fmt.Sprintf("[%d]\n", problem.Accepted), s.query("SELECT count(*) FROM cut").text(), "what was committed is told")

	for encoding, want := range map[string]string{"gzip": "the body is not gzip", "zstd": "the body is not zstd", "br": "is not known"} {
		answer := s.do("POST", "/v1/streams/cut/events", orders, "Content-Encoding", encoding)
		require.Contains(t, []int{http.StatusBadRequest, http.StatusUnsupportedMediaType}, answer.status)
		require.Contains(t, string(answer.body), want)
		require.Contains(t, string(answer.body), `"hint":`)
	}
}

// TestBombsAreRefused sends bodies that grow a thousandfold and more: what is read of them is bounded.
func TestBombsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	// What is compressed may follow itself, and stands for both: nobody has to compress more than the first of them.
	spaces := strings.Repeat(" ", 1<<20)
	var zipped, zstded bytes.Buffer
	g := gzip.NewWriter(&zipped)
	z, err := zstd.NewWriter(&zstded)
	require.NoError(t, err)
	_, err = io.WriteString(io.MultiWriter(g, z), spaces)
	require.NoError(t, err)
	require.NoError(t, g.Close())
	require.NoError(t, z.Close())
	const times = 160
	for _, bomb := range []struct{ encoding, format, body string }{
		{"gzip", "ndjson", strings.Repeat(zipped.String(), times)},
		{"zstd", "json", strings.Repeat(zstded.String(), times)},
	} {
		answer := s.do("POST", "/v1/streams/bomb/events?format="+bomb.format, bomb.body, "Content-Encoding", bomb.encoding)
		require.Equal(t, http.StatusRequestEntityTooLarge, answer.status, "%s %s: %s", bomb.encoding, bomb.format, answer.body)
	}
}

// TestCurlWithoutAContentType takes in what curl sends when it is told nothing: a form by its name, and with -d without the line breaks.
func TestCurlWithoutAContentType(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for stream, body := range map[string]string{
		"data":     `{"n":1}{"n":2,"s":"{"}{"n":3}`,
		"binary":   "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
		"document": "[{\"n\":1},\n{\"n\":2}, {\"n\":3}]",
		"printed":  "{\n  \"n\": 1\n}\n{\n  \"n\": 2\n}\n{\"n\":3}",
	} {
		require.EqualValues(t, 3, s.ingest(stream, body, form...).Accepted, stream)
		require.Equal(t, "[6]\n", s.query("SELECT sum(n) FROM "+stream).text(), stream)
	}
	answer := s.do("POST", "/v1/streams/named/events?format=csv", "n\n1\n2\n", form...)
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	answer = s.do("POST", "/v1/streams/data/events", "n,s\n1,2\n", form...)
	require.Equal(t, http.StatusUnsupportedMediaType, answer.status)
	require.Contains(t, string(answer.body), "does not look like JSON, Arrow or Parquet")
	for _, headers := range [][]string{form, nil} {
		answer = s.do("POST", "/v1/streams/data/events", gzipped(t, `{"n":4}`), headers...)
		require.Equal(t, http.StatusBadRequest, answer.status)
		require.Contains(t, string(answer.body), "no Content-Encoding says so")
	}
}
