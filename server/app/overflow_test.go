package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFieldsBeyondTheLimitOverflow stores rows of far more fields than a stream may have columns, in several formats: nothing is refused, every
// value can be queried, in memory, in a segment and after a restart, and the event time is found among them.
func TestFieldsBeyondTheLimitOverflow(t *testing.T) {
	t.Parallel()
	const fields = 5000
	s := start(t, t.TempDir())
	var row, header, cells strings.Builder
	for i := range fields {
		fmt.Fprintf(&row, `,"f%d":%d`, i, i)
		fmt.Fprintf(&header, ",f%d", i)
		fmt.Fprintf(&cells, ",%d", i+1)
	}
	s.ingest("wide", fmt.Sprintf(`{"n":1%s,"ts":"2026-01-01T00:00:00Z"}`, row.String()))
	s.ingest("wide", "n,ts"+header.String()+"\n2,2026-01-01 00:00:01"+cells.String()+"\n", "Content-Type", "text/csv")
	s.ingest("wide", `{"n":3,"ts":"2026-01-01T00:00:02Z","new":{"a":["x"]},"f1":null}`)

	check := func() {
		t.Helper()
		require.Equal(t, `["_extra","JSONB",true,"further fields"]`+"\n", lastLineWith(s.query("DESCRIBE wide").text(), "_extra"))
		require.Equal(t, "[1,0,\"4999\",null]\n[2,1,\"5000\",null]\n[3,null,null,\"x\"]\n",
			s.query(`SELECT n, f0, _extra->>'f4999', _extra->'new'->'a'->>0 FROM wide ORDER BY ts`).text())
		require.Equal(t, "[2]\n", s.query(`SELECT count(*) FROM wide WHERE (_extra->>'f4000')::bigint BETWEEN 4000 AND 4001`).text())
	}
	check()
	s = s.restart()
	check()
	s.seal("wide")
	check()

	got := s.do("POST", "/v1/sql", "ALTER STREAM wide ADD COLUMN one_more BIGINT")
	require.Equal(t, http.StatusBadRequest, got.status, string(got.body))
	s.query(`INSERT INTO wide (n, _extra) VALUES (4, '{"f4999": 7}')`)
	require.Equal(t, "[\"7\"]\n", s.query(`SELECT _extra->>'f4999' FROM wide WHERE n = 4`).text())
}

func lastLineWith(text, part string) string {
	last := ""
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			last = line
		}
	}
	return last
}

// TestUUIDsAreRecognised: strings of a new stream that all are UUIDs as UUID renders them make a UUID column, which gives them back letter by
// letter, also once other strings came.
func TestUUIDsAreRecognised(t *testing.T) {
	t.Parallel()
	const one, two = "00112233-4455-6677-8899-aabbccddeeff", "f0112233-4455-6677-8899-aabbccddeeff"
	s := start(t, t.TempDir())
	s.ingest("u", fmt.Sprintf("{\"id\":%q,\"n\":1}\n{\"id\":%q,\"n\":2}", one, two))
	require.Contains(t, s.query("DESCRIBE u").text(), `["id","UUID"`)
	require.Equal(t, "[2]\n", s.query(fmt.Sprintf("SELECT n FROM u WHERE id = '%s'", two)).text())
	s.seal("u")
	s.ingest("u", fmt.Sprintf("{\"id\":%q,\"n\":3}\n{\"id\":\"none\",\"n\":4}", strings.ToUpper(two)))
	for range 2 {
		require.Contains(t, s.query("DESCRIBE u").text(), `["id","TEXT"`)
		require.Equal(t, fmt.Sprintf("[%q]\n[%q]\n[%q]\n[\"none\"]\n", one, two, strings.ToUpper(two)), s.query("SELECT id FROM u ORDER BY n").text())
		require.Equal(t, "[1]\n", s.query(fmt.Sprintf("SELECT count(*) FROM u WHERE id = '%s'", two)).text())
		s = s.restart()
		s.seal("u")
	}
}
