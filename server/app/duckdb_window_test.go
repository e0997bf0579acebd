package app

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDuckDBAgreesOnWindows asks both for windows over the same rows: many ties, NULLs and uneven times.
func TestDuckDBAgreesOnWindows(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	var body strings.Builder
	second := 0
	for i := range 400 {
		second += rng.IntN(90)
		fmt.Fprintf(&body, `{"ts":"2026-01-%02dT%02d:%02d:%02dZ","id":%d`, 1+second/86400, second/3600%24, second/60%60, second%60, i)
		if rng.IntN(9) > 0 {
			fmt.Fprintf(&body, `,"g":"%c"`, 'a'+rng.IntN(4))
		}
		if rng.IntN(9) > 0 {
			fmt.Fprintf(&body, `,"n":%d`, rng.IntN(40))
		}
		fmt.Fprintf(&body, `,"x":%g}`+"\n", float64(rng.IntN(400))/4)
	}
	require.EqualValues(t, 400, s.ingest("points", body.String()).Accepted)
	s.seal("points")
	files := fmt.Sprintf("read_parquet('%s')", filepath.Join(s.data, "segments", "points", "*.parquet"))
	frames := []string{
		"ORDER BY id", "PARTITION BY g ORDER BY id", "PARTITION BY g ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
		"ORDER BY id ROWS BETWEEN 2 FOLLOWING AND UNBOUNDED FOLLOWING", "PARTITION BY g ORDER BY x, id DESC ROWS 7 PRECEDING EXCLUDE CURRENT ROW",
	}
	peers := []string{
		"PARTITION BY g ORDER BY n NULLS LAST", "ORDER BY n DESC NULLS FIRST", "PARTITION BY g",
		"PARTITION BY g ORDER BY n NULLS LAST RANGE BETWEEN 3 PRECEDING AND 2 FOLLOWING",
		"ORDER BY n DESC NULLS LAST RANGE BETWEEN 5 PRECEDING AND 1 PRECEDING",
		"ORDER BY x RANGE BETWEEN 2.5 FOLLOWING AND 9.75 FOLLOWING EXCLUDE TIES",
		"PARTITION BY g ORDER BY ts RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND INTERVAL '90 seconds' FOLLOWING",
		"ORDER BY ts DESC RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW EXCLUDE GROUP",
		"ORDER BY n NULLS FIRST GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING", "ORDER BY n NULLS LAST GROUPS BETWEEN 1 FOLLOWING AND 3 FOLLOWING EXCLUDE CURRENT ROW",
	}
	anyOrder := "rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w, count(*) OVER w, count(n) OVER w, " +
		"sum(n) FILTER (WHERE x > 30) OVER w, sum(x) OVER w, avg(n) OVER w, min(x) OVER w, max(g) OVER w, min(ts) OVER w"
	oneOrder := anyOrder + ", row_number() OVER w, ntile(7) OVER w, lag(n) OVER w, lead(g, 3, 'none') OVER w, first_value(n) OVER w, " +
		"last_value(g) OVER w, nth_value(x, 2) OVER w"
	// One statement for many windows: starting DuckDB takes longer than all it computes.
	queries := []string{manyWindows(oneOrder, frames), manyWindows(anyOrder, peers)}
	queries = append(queries,
		"SELECT g, sum(n) AS s, sum(sum(n)) OVER (ORDER BY g NULLS LAST) AS r, rank() OVER (ORDER BY sum(n) DESC) AS k FROM %s GROUP BY g ORDER BY g NULLS LAST",
		"SELECT g, id, row_number() OVER (PARTITION BY g ORDER BY x DESC, id) AS k FROM %s QUALIFY k <= 2 ORDER BY g NULLS LAST, k",
		"SELECT id FROM %s WHERE n > 3 QUALIFY lag(n) OVER (ORDER BY id) > n AND x < avg(x) OVER () ORDER BY id")
	for _, sql := range queries {
		theirs := duckDB(t, fmt.Sprintf(sql, files))
		require.Equal(t, theirs.text(), s.query(fmt.Sprintf(sql, "points")).text(), "seed %d: %s", seed, sql)
	}
}

// manyWindows computes the same calls over several windows.
func manyWindows(calls string, windows []string) string {
	items, named := []string{"id"}, make([]string, len(windows))
	for i, w := range windows {
		name := fmt.Sprintf("w%d", i)
		items = append(items, strings.ReplaceAll(calls, "OVER w", "OVER "+name))
		named[i] = name + " AS (" + w + ")"
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM %s WINDOW " + strings.Join(named, ", ") + " ORDER BY id"
}
