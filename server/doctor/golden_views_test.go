package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keptViews have state of every kind that there is. Those that show a row once the watermark has passed it are held to their query up to where they
// say that they are complete, by the column that until names.
var keptViews = []struct{ name, options, query, ending, until string }{
	{name: "by_k", query: "SELECT k, count(*) AS c, sum(n) AS s, avg(n) AS a, count(DISTINCT n) AS d, max(n) AS m FROM bids GROUP BY k"},
	{name: "by_count", query: "SELECT c, count(*) AS n, sum(s) AS s FROM by_k GROUP BY c"},
	{name: "spilled", options: "80kB", query: "SELECT id, count(*) AS c, max(repeat(k, 40)) AS k FROM bids GROUP BY id"},
	{
		name: "windows", query: "SELECT window_end, count(*) AS c FROM TUMBLE(TABLE bids, DESCRIPTOR(at), INTERVAL '1 minute') " +
			"GROUP BY window_start, window_end LATE DROP",
	},
	{
		name: "closed", query: "SELECT window_end, k, sum(n) AS s FROM HOP(TABLE bids, DESCRIPTOR(at), INTERVAL '20 seconds', INTERVAL '1 minute') " +
			"GROUP BY window_start, window_end, k LATE DROP", ending: " EMIT ON WINDOW CLOSE", until: "window_end",
	},
	{
		name: "sessions", query: "SELECT window_start, window_end, k, count(*) AS c FROM SESSION(TABLE bids PARTITION BY k, DESCRIPTOR(at), INTERVAL '3 seconds') " +
			"GROUP BY window_start, window_end, k LATE DROP",
	},
	{name: "pairs", query: "SELECT b.id, a.id AS other FROM bids b LEFT JOIN asks a ON b.k = a.k AND a.at BETWEEN b.at AND b.at + INTERVAL '4 seconds'"},
	{name: "by_time", query: "SELECT b.id, b.at, a.id AS other FROM bids b ASOF LEFT JOIN asks a ON b.k = a.k AND b.at >= a.at LATE DROP", until: "at"},
	{
		name: "sliding", query: "SELECT id, at, sum(n) OVER (PARTITION BY k ORDER BY at RANGE BETWEEN INTERVAL '9 seconds' PRECEDING AND CURRENT ROW) AS s FROM bids",
		until: "at",
	},
	{name: "frames", query: "SELECT id, at, string_agg(k, '+') OVER (ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM bids", until: "at"},
	{name: "following", query: "SELECT id, lead(n) OVER (PARTITION BY k ORDER BY at) AS next FROM bids"},
	{name: "newest", query: "SELECT id, k, at FROM bids LATEST ON at PARTITION BY k"},
	{name: "dearest", query: "SELECT id, n FROM bids ORDER BY n DESC, id LIMIT 3 OFFSET 1"},
	{name: "most", query: "SELECT k, sum(n) AS s FROM bids GROUP BY k ORDER BY s DESC, k LIMIT 2"},
	{name: "held", query: "SELECT id, at FROM bids WHERE n > 3", ending: " EMIT ON WINDOW CLOSE", until: "at"},
	{name: "fails", query: "SELECT k, 100 / sum(n) AS share FROM bids GROUP BY k"},
	{name: "constant", query: "SELECT 42 AS answer UNION ALL SELECT n FROM asks"},
	{name: "of_list", query: "SELECT id FROM bids WHERE n IN (SELECT n FROM asks WHERE k = 'k1')"},
}

// keptKinds are the kinds of state that the views have.
var keptKinds = []string{
	"constant", "first rows", "frames", "frames that slide", "front of an order", "groups", "groups that lose rows", "pairs", "panes", "partners of a time",
	"rows by key", "rows held back", "rows that fail", "sessions",
}

// makeViews fills a directory with views and what they read: their content in segments, changelogs and checkpoints, of a server that was started twice.
func makeViews(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := serve(t, dir)
	for _, stream := range []string{"bids", "asks"} {
		s.must("/v1/sql", "CREATE STREAM "+stream+" (id BIGINT, k TEXT, n BIGINT, at TIMESTAMPTZ NOT NULL, WATERMARK FOR at AS at - INTERVAL '5 seconds' "+
			"IDLE TIMEOUT INTERVAL '1 day')")
	}
	s.trade(0)
	for _, v := range keptViews {
		options := v.options
		if options == "" {
			options = "1MB"
		}
		s.must("/v1/sql", fmt.Sprintf("CREATE MATERIALIZED VIEW %s WITH (memory = '%s') AS %s%s", v.name, options, v.query, v.ending))
	}
	s.must("/v1/streams/bids/seal", "")
	s.trade(1)
	s.requireViews()
	require.NoError(t, s.Close())
	s = serve(t, dir)
	s.trade(2)
	s.requireViews()
	require.Equal(t, "true", s.sql("SELECT disk_bytes > 0 FROM system.views WHERE name = 'spilled'"))
	require.NoError(t, s.Close())
	return dir
}

// trade sends 120 events a round to either stream, one a second, of which some come before others that are older.
func (s *server) trade(round int) {
	for at, stream := range []string{"bids", "asks"} {
		var body strings.Builder
		for i := range 120 {
			id := 120*round + i ^ 1
			fmt.Fprintf(&body, `{"id":%d,"k":"k%d","n":%d,"at":"2026-03-01T10:%02d:%02d.%dZ"}`+"\n", id, id*id%7%4, id%9+1, id/60, id%60, at)
		}
		s.must("/v1/streams/"+stream+"/events", body.String())
	}
}

// requireViews holds the views to their queries.
func (s *server) requireViews() {
	s.t.Helper()
	sorted := func(query string) []string {
		rows := strings.Fields(s.sql(query))
		slices.Sort(rows)
		return rows
	}
	for _, v := range keptViews {
		query := "SELECT * FROM (" + v.query + ") AS q"
		got := sorted("SELECT * FROM " + v.name)
		if v.until != "" {
			query += fmt.Sprintf(" WHERE %s <= TIMESTAMPTZ '%s'", v.until, s.sql("SELECT complete_until FROM system.views WHERE name = '"+v.name+"'"))
		}
		require.Equal(s.t, sorted(query), got, v.name)
		require.NotEmpty(s.t, got, v.name)
	}
}

// TestThirdFormatOpens: testdata/v3 was written once and stays as it is. It has views whose state is of every kind that there was then, as version 8
// of the state and 1 and 2 of the kinds have it. A program that keeps some of it in another way either reads it still or builds those views anew; then
// this test names them, and their content is what it was all the same.
func TestThirdFormatOpens(t *testing.T) {
	t.Parallel()
	const golden = "testdata/v3"
	if *rewrite {
		require.NoError(t, os.RemoveAll(golden))
		made := makeViews(t)
		require.NoError(t, os.RemoveAll(made+"/LOCK"))
		require.NoError(t, os.CopyFS(golden, os.DirFS(made)))
	}
	checkViews(t, golden)
}

// TestPresentViewsAreAsTheGoldenOnes: what this program writes is read as the golden directory is.
func TestPresentViewsAreAsTheGoldenOnes(t *testing.T) {
	t.Parallel()
	checkViews(t, makeViews(t))
}

func checkViews(t *testing.T, golden string) {
	t.Helper()
	report := verified(t, golden)
	require.Empty(t, report.Findings)
	require.Equal(t, keptKinds, kindsOfState(t, golden))

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(golden)))
	s := serve(t, dir)
	s.requireViews()
	s.trade(3)
	s.requireViews()
	require.NoError(t, s.Close())
	require.Equal(t, generations(t, golden), generations(t, dir), "no view has been built anew: their state is as good as ever")
}

var kindOfState = regexp.MustCompile(`"kind":"([^"]+)"`)

// kindsOfState are the kinds of state in the checkpoints of a data directory.
func kindsOfState(t *testing.T, dir string) (kinds []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "state", "*", "*.state"))
	require.NoError(t, err)
	for _, name := range names {
		body, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range kindOfState.FindAllSubmatch(body, -1) {
			kinds = append(kinds, string(found[1]))
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}
