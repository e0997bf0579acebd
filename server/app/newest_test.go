package app

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/server/config"
)

const (
	newestHours = 40
	newestRows  = 1000 // of an hour
)

// unmerged is a server that leaves segments as they were sealed, so that what is read of them does not depend on what was merged by then.
func unmerged(t *testing.T, data string) *instance {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = data, "127.0.0.1:0", "127.0.0.1:0"
	a, err := openApp(c, slog.New(slog.DiscardHandler), time.Now, func(string) (*catalog.Stream, bool) { return nil, false })
	require.NoError(t, err)
	require.NoError(t, a.listen(t.Context(), "test"))
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return &instance{App: a, t: t, data: c.Data}
}

// hours sends rows of some hours, one segment each, the last hour unsealed. Rows of the key "rare" come once in each hour.
func hours(s *instance, stream string, from, to int) {
	s.t.Helper()
	for hour := from; hour < to; hour++ {
		var body strings.Builder
		for n := range newestRows {
			key := fmt.Sprintf("k%d", n%7)
			if n == 500 {
				key = "rare"
			}
			fmt.Fprintf(&body, `{"ts":"2026-03-%02dT%02d:%02d:%02dZ","key":%q,"n":%d}`+"\n", 1+hour/24, hour%24, n/20, 3*(n%20), key, hour*newestRows+n)
		}
		s.ingest(stream, body.String())
		if hour < newestHours-1 {
			s.seal(stream)
		}
	}
}

// bucket is a row of an hour of March 2026 and a number.
func bucket(hour string, n int) string {
	return fmt.Sprintf("[\"2026-03-%s:00:00.000000Z\",%d]\n", hour, n)
}

// TestNewestRowsAreFoundAtTheEnd counts the rows that are read where only the first of an order are wanted: the scan begins where these are,
// and does not go on to where none can be.
func TestNewestRowsAreFoundAtTheEnd(t *testing.T) {
	t.Parallel()
	s := unmerged(t, t.TempDir())
	s.query("CREATE STREAM s (ts TIMESTAMPTZ, key TEXT, n BIGINT, WATERMARK FOR ts AS ts)")
	hours(s, "s", 0, newestHours)
	two := s.serving(exec.Options{Workers: 2}, optimize.Optimize) // each reads on until it has enough
	for _, c := range []struct {
		sql, want string
		hours     int64 // read at most
	}{
		{"SELECT n FROM s WHERE key = 'rare' LATEST ON ts PARTITION BY key", "[39500]\n", 4},
		{"SELECT n FROM s WHERE key = 'k1' AND n < 20000 LATEST ON ts PARTITION BY key", "[19995]\n", 4},
		{"SELECT n FROM s ORDER BY ts DESC LIMIT 2", "[39999]\n[39998]\n", 4},
		{"SELECT n FROM s WHERE key = 'rare' ORDER BY ts DESC LIMIT 1", "[39500]\n", 4},
		{"SELECT n FROM s WHERE key = 'rare' ORDER BY ts DESC, n LIMIT 3", "[39500]\n[38500]\n[37500]\n", 10},
		{"SELECT n FROM s ORDER BY ts LIMIT 2 OFFSET 1", "[1]\n[2]\n", 4},
		{"SELECT m FROM (SELECT ts AS at, n * 2 AS m FROM s) q ORDER BY at DESC, m LIMIT 1", "[79998]\n", 4},
		{"SELECT n FROM s WHERE key IN ('rare', 'k1') LATEST ON ts PARTITION BY key ORDER BY n", "[39500]\n[39995]\n", 4},
		{"SELECT n FROM s WHERE (key = 'rare' OR 'k1' = key) AND n < 20000 LATEST ON ts PARTITION BY key ORDER BY n", "[19500]\n[19995]\n", 6},
		{"SELECT n FROM s LATEST ON ts PARTITION BY key ORDER BY n LIMIT 2", "[39500]\n[39993]\n", 4},
		{"SELECT DISTINCT ON (key) key, n FROM s ORDER BY key, ts DESC LIMIT 2", "[\"k0\",39994]\n[\"k1\",39995]\n", 4},
		{"SELECT n FROM (SELECT n, row_number() OVER (PARTITION BY key ORDER BY ts) AS r FROM s) q WHERE r = 1 ORDER BY n LIMIT 3", "[0]\n[1]\n[2]\n", 4},
		{"SELECT n FROM (SELECT ts AS at, key AS k, n FROM s WHERE n < 20000) q LATEST ON at PARTITION BY k ORDER BY n LIMIT 1", "[19500]\n", 4},
		// Groups by time of which the latest are wanted.
		{"SELECT date_trunc('hour', ts) AS h, count(*) FROM s GROUP BY h ORDER BY h DESC LIMIT 2", bucket("02T15", 1000) + bucket("02T14", 1000), 6},
		{"SELECT time_bucket(INTERVAL '1 hour', ts) AS h, key, count(*) AS c FROM s WHERE key = 'rare' GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT 1 OFFSET 1",
			strings.Replace(bucket("02T14", 1), ",", `,"rare",`, 1), 6},
		{"SELECT h, c FROM (SELECT time_bucket(INTERVAL '2 hours', ts) AS h, count(DISTINCT n) AS c FROM s GROUP BY 1) AS q ORDER BY h DESC LIMIT 1",
			bucket("02T14", 2000), 6},
		{"SELECT h, max(h) = h FROM (SELECT time_bucket(INTERVAL '1 hour', ts, TIMESTAMPTZ '2026-01-01T00:30:00Z') AS h FROM s) AS q GROUP BY h " +
			"ORDER BY h DESC LIMIT 1", "[\"2026-03-02T15:30:00.000000Z\",true]\n", 4},
		{"SELECT n / 1000 AS h, count(*) FROM s GROUP BY h ORDER BY h DESC LIMIT 1", "[39,1000]\n", newestHours},
		{"SELECT date_trunc('hour', ts) AS h, count(*) FROM s GROUP BY h ORDER BY h LIMIT 1", bucket("01T00", 1000), newestHours},
		{"SELECT date_trunc('hour', ts) AS h, count(*) AS c FROM s WHERE n < 38500 GROUP BY h HAVING count(*) < 1000 ORDER BY h DESC LIMIT 1",
			bucket("02T14", 500), newestHours},
		// No order that the scan could follow, or a key that is nowhere: everything is read, and the answers are right as well.
		{"SELECT n FROM s WHERE key IN ('rare', 'k1', 'none') LATEST ON ts PARTITION BY key ORDER BY n", "[39500]\n[39995]\n", newestHours},
		{"SELECT n FROM s WHERE key >= 'rare' LATEST ON ts PARTITION BY key", "[39500]\n", newestHours},
	} {
		got := two.query(c.sql)
		require.Equal(t, c.want, got.text(), c.sql)
		require.LessOrEqual(t, got.Stats.Rows, c.hours*newestRows, c.sql)
	}
	// Late rows and rows without a time do not lie where their order puts them.
	s.ingest("s", `{"ts":"2026-04-01T00:00:00Z","key":"rare","n":-1}`+"\n")
	s.seal("s")
	s.ingest("s", `{"ts":"2026-02-01T00:00:00Z","key":"rare","n":-3}`+"\n")
	require.Equal(t, "[-1]\n", s.query("SELECT n FROM s WHERE key = 'rare' LATEST ON ts PARTITION BY key").text())
	require.Equal(t, "[-1]\n", s.query("SELECT n FROM s ORDER BY ts DESC LIMIT 1").text())
	require.Equal(t, "[-3]\n", s.query("SELECT n FROM s ORDER BY ts LIMIT 1").text())

	// A key that has fallen silent is sought where it may be; its dictionary says where.
	s.ingest("s", `{"ts":"2026-03-01T00:30:00Z","key":"silent","n":-5}`+"\n"+`{"ts":"2026-03-01T00:31:00Z","n":-6}`+"\n")
	s.seal("s")
	latest := two.query("SELECT key, n FROM s LATEST ON ts PARTITION BY key ORDER BY n LIMIT 3")
	require.Equal(t, "[null,-6]\n[\"silent\",-5]\n[\"rare\",-1]\n", latest.text())
	require.LessOrEqual(t, latest.Stats.Rows, int64(6*newestRows))

	// Where there may be NULLs, and they come first, the end is not enough.
	s.query("CREATE STREAM nulls (at TIMESTAMPTZ NOT NULL, m BIGINT, WATERMARK FOR at AS at)")
	for n := range 5 {
		s.ingest("nulls", fmt.Sprintf(`{"at":"2026-03-01T00:00:0%dZ","m":%d}`+"\n"+`{"at":"2026-03-01T00:00:0%dZ"}`+"\n", n, n, n))
		s.seal("nulls")
	}
	require.Equal(t, "[null]\n", s.query("SELECT m FROM nulls ORDER BY m DESC LIMIT 1").text())
	require.Equal(t, "[4]\n", s.query("SELECT m FROM nulls ORDER BY m DESC NULLS LAST LIMIT 1").text())
	require.Equal(t, "[0]\n", s.query("SELECT m FROM nulls ORDER BY m LIMIT 1").text())
	require.Equal(t, strings.Repeat("[null]\n", 5)+"[4]\n[3]\n", s.query("SELECT m FROM nulls ORDER BY m DESC LIMIT 7").text())
}

// TestTheLastHourCostsTheSameHoweverMuchIsOlder counts what a query over the last hour reads, as ten times as many older rows come.
func TestTheLastHourCostsTheSameHoweverMuchIsOlder(t *testing.T) {
	t.Parallel()
	s := unmerged(t, t.TempDir())
	for stream, first := range map[string]int{"few": newestHours - 4, "many": 0} {
		s.query("CREATE STREAM " + stream + " (ts TIMESTAMPTZ, key TEXT, n BIGINT, WATERMARK FOR ts AS ts)")
		hours(s, stream, first, newestHours)
		s.seal(stream)
	}
	ask := func(stream string) table {
		return s.query("SELECT key, count(*), sum(n) FROM " + stream + " WHERE ts >= TIMESTAMPTZ '2026-03-02T15:00:00Z' GROUP BY key ORDER BY key")
	}
	few, many := ask("few"), ask("many")
	require.Equal(t, few.text(), many.text())
	require.Positive(t, few.Stats.Rows)
	require.Equal(t, few.Stats.Rows, many.Stats.Rows)
	require.Equal(t, few.Stats.Scanned, many.Stats.Scanned)
	require.Greater(t, many.Stats.Pruned, few.Stats.Pruned)
}

// TestTheTailIsReadByItsTimes counts the rows that are read of batches which are not sealed yet.
func TestTheTailIsReadByItsTimes(t *testing.T) {
	t.Parallel()
	s := unmerged(t, t.TempDir())
	s.query("CREATE STREAM s (ts TIMESTAMPTZ, key TEXT, n BIGINT, WATERMARK FOR ts AS ts)")
	const wide = 4 // requests wide enough to stay batches of their own
	for hour := range wide {
		var body strings.Builder
		for n := range 3000 {
			fmt.Fprintf(&body, `{"ts":"2026-03-01T%02d:%02d:%02dZ","key":"k%d","n":%d}`+"\n", hour, n/60, n%60, n%3, hour*3000+n)
		}
		s.ingest("s", body.String())
	}
	two := s.serving(exec.Options{Workers: 1}, optimize.Optimize)
	for sql, want := range map[string]string{
		"SELECT count(*), min(n) FROM s WHERE ts >= '2026-03-01 03:10:00'": "[2400,9600]\n",
		"SELECT count(*), min(n) FROM s WHERE ts < '2026-03-01 00:00:10'":  "[10,0]\n",
		"SELECT n FROM s ORDER BY ts DESC LIMIT 2":                         "[11999]\n[11998]\n",
		"SELECT n FROM s WHERE n < 11000 ORDER BY ts DESC LIMIT 1":         "[10999]\n",
		"SELECT n FROM s WHERE key = 'k1' LATEST ON ts PARTITION BY key":   "[11998]\n",
	} {
		got := two.query(sql)
		require.Equal(t, want, got.text(), sql)
		require.LessOrEqual(t, got.Stats.Rows, int64(3000), sql)
	}
	// Rows without a time and rows that come late stand in no order; they are found.
	s.ingest("s", `{"key":"k9","n":-1}`+"\n"+`{"ts":"2026-02-01T00:00:00Z","key":"k9","n":-2}`+"\n")
	require.Equal(t, "[-2]\n", two.query("SELECT n FROM s WHERE ts < '2026-02-02'").text())
	require.Equal(t, "[12000]\n", two.query("SELECT count(*) FROM s WHERE ts >= '2026-03-01' AND ts < '2026-03-02'").text())
	require.Equal(t, "[12002]\n", two.query("SELECT count(*) FROM s").text())
}
