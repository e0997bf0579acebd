package app

import (
	"fmt"
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
