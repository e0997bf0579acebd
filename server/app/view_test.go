package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wait runs a query once the views that it reads have taken what is there.
func (i *instance) wait(sql string) string {
	i.t.Helper()
	answer := i.do("POST", "/v1/sql?wait=true", sql)
	require.Equal(i.t, 200, answer.status, "%s\n%s", sql, answer.body)
	var out table
	answer.decode(i.t, &out)
	return out.text()
}

// trades posts some trades, the i-th at second i of the day.
func (i *instance) trades(from, to int) {
	i.t.Helper()
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, `{"ts":"2026-01-01T%02d:%02d:%02dZ","sym":"%c","qty":%d}`+"\n", n/3600, n/60%60, n%60, 'a'+n%3, n)
	}
	i.ingest("trades", b.String())
}

func TestViewFollowsAndSurvives(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 200)
	i.seal("trades")
	i.trades(200, 300)
	const body = `SELECT window_start, sym, count(*) AS n, sum(qty) AS total FROM TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '1 minute')
		GROUP BY window_start, window_end, sym`
	i.query("CREATE MATERIALIZED VIEW per_minute AS " + body)
	same := func() {
		t.Helper()
		got := i.wait("SELECT * FROM per_minute ORDER BY 1, 2")
		require.Equal(t, i.query(body+" ORDER BY 1, 2 LATE DROP").text(), got)
		require.NotEmpty(t, got)
	}
	same()
	for n := 300; n < 1000; n += 100 {
		i.trades(n, n+100)
		if n == 600 {
			i.seal("trades")
		}
		same()
	}
	i = i.restart()
	same()
	i.trades(1000, 1500)
	same()
	i.seal("trades")
	i = i.restart()
	same()
	require.Contains(t, i.query("SHOW VIEWS").text(), `"running"`)
}

func TestFilterViewFollowsAndSurvives(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 200)
	i.seal("trades")
	i.trades(200, 300)
	const body = `SELECT ts, sym, qty * 2 AS twice FROM trades WHERE qty % 7 = 0`
	i.query("CREATE MATERIALIZED VIEW sevenths AS " + body)
	same := func() {
		t.Helper()
		got := i.wait("SELECT * FROM sevenths ORDER BY 1, 2")
		require.Equal(t, i.query(body+" ORDER BY 1, 2").text(), got)
		require.NotEmpty(t, got)
	}
	same()
	for n := 300; n < 1000; n += 100 {
		i.trades(n, n+100)
		if n == 600 {
			i.seal("trades")
		}
		same()
	}
	i = i.restart()
	same()
	i.trades(1000, 1500)
	same()
	i.seal("trades")
	i = i.restart()
	same()
	require.Contains(t, i.query("SHOW VIEWS").text(), `"running"`)
}

// TestViewWithAFault asks a view whose answer does not exist at first, comes with later rows, goes with some and comes back.
func TestViewWithAFault(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT)")
	queries := map[string]string{
		"share": "SELECT 100 / count(*) AS share FROM trades",
		"heavy": "SELECT sym FROM (SELECT sym, sum(qty) AS total FROM trades GROUP BY sym) x WHERE 100 / total > 1",
	}
	for name, body := range queries {
		i.query("CREATE MATERIALIZED VIEW " + name + " WITH (memory = '1MB') AS " + body)
	}
	check := func(faulty ...string) {
		t.Helper()
		for name, body := range queries {
			answer := i.do("POST", "/v1/sql?wait=true", "SELECT * FROM "+name)
			require.Equal(t, i.do("POST", "/v1/sql", body).status, answer.status, "%s: %s", name, answer.body)
			if slices.Contains(faulty, name) {
				require.Contains(t, string(answer.body), "has no answer for now: division by zero", name)
				require.Contains(t, i.query("SHOW VIEWS").text(), "division by zero")
				continue
			}
			require.ElementsMatch(t, strings.Split(i.query(body).text(), "\n"), strings.Split(i.wait("SELECT * FROM "+name), "\n"), name)
		}
	}
	trade := func(sym string, qty int) {
		i.ingest("trades", fmt.Sprintf(`{"ts":"2026-01-01T00:00:00Z","sym":%q,"qty":%d}`, sym, qty))
	}
	check("share")
	i = i.restart()
	check("share")
	trade("a", 0)
	trade("b", 5)
	check("heavy")
	i = i.restart()
	check("heavy")
	trade("a", 3)
	check()
	trade("b", -5)
	check("heavy")
	trade("b", 1000)
	check()
}
