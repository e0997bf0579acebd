package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// duckDB asks DuckDB, where the environment says how: make installs it and sets TIDEMARK_DUCKDB.
func duckDB(t *testing.T, sql string) table {
	t.Helper()
	script := os.Getenv("TIDEMARK_DUCKDB")
	if script == "" {
		t.Skip("TIDEMARK_DUCKDB is not set: run by make test, which installs DuckDB")
	}
	out, err := exec.CommandContext(t.Context(), "node", script, sql).CombinedOutput()
	require.NoError(t, err, "%s\n%s", sql, out)
	var answer table
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&answer), string(out))
	return answer
}

// TestDuckDBReadsTheSegments seals rows of every stored type, with NULLs, in two files of different schemas, and compares DuckDB's
// reading of the files with our own answers.
func TestDuckDBReadsTheSegments(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for part := range 2 {
		var body strings.Builder
		for i := range 3000 {
			fmt.Fprintf(&body, `{"ts":"2026-01-01T%02d:%02d:%02d.%06dZ","n":%d,"x":%g,"name":"host %d","ok":%t,"doc":{"a":[%d,null],"b":"é\"%d"}`,
				part, i/60%60, i%60, i, i*1_000_003-7, float64(i)/7, i%23, i%3 == 0, i, i)
			if i%5 == 0 {
				body.WriteString(`,"rare":"x","ProcessId":1`)
			}
			if part == 1 {
				body.WriteString(`,"late":1.5,"ProcessID":"two"`)
			}
			body.WriteString("}\n")
		}
		require.EqualValues(t, 3000, s.ingest("all_types", body.String()).Accepted)
		s.seal("all_types")
	}
	files := fmt.Sprintf("read_parquet('%s', union_by_name => true)", filepath.Join(s.data, "segments", "all_types", "*.parquet"))
	for _, sql := range []string{
		"SELECT count(*), min(ts), max(ts), sum(n), min(x), max(x), count(rare), count(late), max(_offset) FROM %s",
		"SELECT name, count(*), sum(n), min(ts) FROM %s GROUP BY name ORDER BY name",
		"SELECT ok, rare, late, count(*) FROM %s GROUP BY ok, rare, late ORDER BY ok, rare, late, count(*)",
		"SELECT ts, n, x, name, ok, doc->>'b' AS b, rare, late, _partition, _offset, _watermark FROM %s WHERE n %% 97 = 3 ORDER BY _offset",
	} {
		theirs := duckDB(t, fmt.Sprintf(sql, files))
		require.Equal(t, theirs.text(), s.query(fmt.Sprintf(sql, "all_types")).text(), sql)
	}
	described := duckDB(t, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+files+") ORDER BY column_name").text()
	for _, want := range []string{`["n","BIGINT"]`, `["x","DOUBLE"]`, `["ok","BOOLEAN"]`, `["name","VARCHAR"]`, `["ts","TIMESTAMP WITH TIME ZONE"]`, `["doc","JSON"]`} {
		require.Contains(t, described, want)
	}
}
