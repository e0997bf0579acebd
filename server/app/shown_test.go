package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestColumnsStoredAsOthers follows INTERVAL, TIME and array columns through all stages: they come by SQL and as JSON, are described,
// compared, grouped and sorted by their own types, in the tail, sealed, and after a restart.
func TestColumnsStoredAsOthers(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM jobs (id BIGINT, took INTERVAL, at TIME, tags TEXT[], sizes INTEGER[], money NUMERIC(9,2)[] )")
	s.query(`INSERT INTO jobs VALUES
		(1, '90 minutes', '09:20', ARRAY['a', 'b "c"'], ARRAY[1, 2], '{1.50,NULL}'),
		(2, INTERVAL '1 month' + INTERVAL '1 hour', TIME '23:59:59.5', '{}', NULL, ARRAY[1])`)
	in := s.ingest("jobs", `{"id":3,"took":"PT5M","at":"7:05 PM","tags":["a",null],"sizes":[10,null],"money":[2.5]}`)
	require.EqualValues(t, 1, in.Accepted)
	bad := s.do("POST", "/v1/streams/jobs/events", `{"id":4,"took":"soon"}`)
	require.Equal(t, http.StatusBadRequest, bad.status)
	require.Contains(t, string(bad.body), `\"soon\" does not fit INTERVAL`)

	checks := map[string]string{
		"SELECT * FROM jobs ORDER BY took": `[3,"00:05:00","19:05:00",["a",null],[10,null],[2.50]]` + "\n" +
			`[1,"01:30:00","09:20:00",["a","b \"c\""],[1,2],[1.50,null]]` + "\n" + `[2,"1 mon 01:00:00","23:59:59.5",[],null,[1.00]]` + "\n",
		"SELECT id, sizes[1], took * 2, at + INTERVAL '1 hour' FROM jobs WHERE 'a' = ANY (tags) AND at < '12:00'": `[1,1,"03:00:00","10:20:00"]` + "\n",
		"SELECT id, tag FROM jobs, unnest(tags) AS tag WHERE took < '1 hour' ORDER BY tag NULLS LAST":             "[3,\"a\"]\n[3,null]\n",
		"SELECT tags[1] AS first, count(*), sum(took) FROM jobs GROUP BY first ORDER BY 2 DESC": `["a",2,"01:35:00"]` + "\n" +
			`[null,1,"1 mon 01:00:00"]` + "\n",
		"SELECT sizes, count(*) FROM jobs WHERE sizes IS NOT NULL GROUP BY sizes ORDER BY sizes": "[[1,2],1]\n[[10,null],1]\n",
	}
	check := func(stage string) {
		for sql, want := range checks {
			require.Equal(t, want, s.query(sql).text(), "%s: %s", stage, sql)
		}
	}
	check("in the tail")
	s.seal("jobs")
	check("sealed")
	s = s.restart()
	check("after a restart")
	s.query("ALTER STREAM jobs ADD COLUMN spans INTERVAL[]")
	s.query("INSERT INTO jobs (id, spans) VALUES (5, ARRAY[INTERVAL '1 day'])")
	require.Equal(t, "[[\"1 day\"]]\n", s.query("SELECT spans FROM jobs WHERE spans[1] = '24 hours'").text())
	require.Contains(t, s.query("DESCRIBE jobs").text(), `["money","NUMERIC(9,2)[]",true,""]`)
}
