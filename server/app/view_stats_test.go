package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStatsSayHowFarViewsAre reads a view that is current and one that gathers rows for an hour.
func TestStatsSayHowFarViewsAre(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.trades(0, 10)
	i.query("CREATE MATERIALIZED VIEW v AS SELECT qty FROM trades")
	i.query("CREATE MATERIALIZED VIEW slow AS SELECT qty FROM trades EMIT ON UPDATE WITH BATCH INTERVAL '1 hour'")
	i.query("CREATE MATERIALIZED VIEW w AS SELECT qty + 1 AS more FROM v")
	type state struct {
		Vector  map[string][]int64
		LagRows *int64 `json:"lag_rows"`
	}
	stats := func(sql string) map[string]state {
		t.Helper()
		var out struct {
			Stats struct{ Views map[string]state }
		}
		i.do("POST", "/v1/sql", sql).decode(t, &out)
		return out.Stats.Views
	}
	i.trades(10, 25) // the slow one may have begun its hour before these or take them with the first ones: it does not take the next
	i.wait("SELECT 1 FROM v")
	before := stats("SELECT 1 FROM slow")["slow"]
	i.trades(25, 40)
	i.wait("SELECT 1 FROM w")
	got := stats("SELECT count(*) FROM v JOIN w ON v.qty = w.more JOIN slow ON slow.qty = v.qty")
	require.Len(t, got, 3)
	require.Equal(t, map[string][]int64{"trades": {40}}, got["v"].Vector)
	require.Zero(t, *got["v"].LagRows)
	require.Contains(t, got["w"].Vector, "v")
	require.Equal(t, before.Vector, got["slow"].Vector)
	require.Equal(t, 40-before.Vector["trades"][0], *got["slow"].LagRows)
	require.GreaterOrEqual(t, *got["slow"].LagRows, int64(15))
	require.Nil(t, stats("SELECT 1 FROM trades"))
}
