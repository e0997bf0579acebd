package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlainViewsAreKept restarts a server with views that are not materialized, from the journal and from a snapshot of it. A materialized view over one
// that has been replaced goes on with the query that it was made of, also when it was built over a column that the stream got later.
func TestPlainViewsAreKept(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM t (a BIGINT, ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts)")
	s.query("CREATE VIEW odd AS SELECT a, ts FROM t WHERE a % 2 = 1")
	s.query("CREATE VIEW gone AS SELECT * FROM odd")
	s.query("CREATE MATERIALIZED VIEW counted WITH (memory = '64MB') AS SELECT count(*) AS n, sum(a) AS s FROM odd")
	s.query("INSERT INTO t VALUES (1, '2026-01-01T00:00:00Z'), (2, '2026-01-01T00:00:01Z'), (3, '2026-01-01T00:00:02Z')")
	s.query("CREATE OR REPLACE VIEW odd AS SELECT a, ts FROM t WHERE a > 100")
	s.query("DROP VIEW gone")
	for range 2 { // a clean stop writes a snapshot, which the second start reads
		s = s.restart()
		require.Equal(t, "[0]\n", s.wait("SELECT count(*) FROM odd"))
		require.Contains(t, s.problem("SELECT * FROM gone"), "not_found")
		require.Equal(t, "[2,4]\n", s.wait("SELECT n, s FROM counted"))
	}
	s.query("INSERT INTO t VALUES (5, '2026-01-01T00:00:03Z'), (101, '2026-01-01T00:00:04Z')")
	require.Equal(t, "[4,110]\n", s.wait("SELECT n, s FROM counted"))
	require.Equal(t, "[1]\n", s.wait("SELECT count(*) FROM odd"))
	answer := s.do("POST", "/v1/streams/odd/events", `{"a": 1}`)
	require.Equal(t, 409, answer.status, "no stream is made beside a view: %s", answer.body)
	require.Contains(t, string(answer.body), `there is a view \"odd\"`)
}
