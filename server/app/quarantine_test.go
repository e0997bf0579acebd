package app

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueriesSayWhatDamageHasTaken(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", `{"n":"first"}`)
	s.ingest("orders", `{"n":"second"}`)
	s.ingest("orders", `{"n":"third"}`)
	s.ingest("whole", `{"n":1}`)
	require.NoError(t, s.Close())
	files, err := filepath.Glob(filepath.Join(s.data, "log", "orders", "0", "*.log"))
	require.NoError(t, err)
	require.Len(t, files, 2, "one with the events, and the one to go on with")
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], bytes.Replace(content, []byte("second"), []byte("sekond"), 1), 0o600))

	s = start(t, s.data)
	for _, sql := range []string{
		"SELECT n FROM orders", "SELECT * FROM whole WHERE EXISTS (SELECT 1 FROM orders)", "INSERT INTO whole (n) SELECT 2 FROM orders",
		"EXPLAIN ANALYZE SELECT n FROM orders", "CREATE MATERIALIZED VIEW v AS SELECT n FROM orders",
	} {
		answer := s.do("POST", "/v1/sql", sql)
		require.Equal(t, http.StatusInternalServerError, answer.status, sql)
		require.Contains(t, string(answer.body), `"code":"corrupt"`, sql)
		require.Contains(t, string(answer.body), "stream orders: offsets 1 to 1 of partition 0 are lost", sql)
	}
	for _, ask := range [][3]string{
		{"POST", "/v1/sql?allow_corrupt=true", "SELECT n FROM orders ORDER BY _offset"},
		{"GET", "/v1/sql?allow_corrupt=true&q=SELECT+n+FROM+orders+ORDER+BY+_offset", ""},
	} {
		answer := s.do(ask[0], ask[1], ask[2])
		require.Equal(t, http.StatusOK, answer.status, string(answer.body))
		require.Contains(t, string(answer.body), `["first"],`+"\n"+`["third"]]`)
		require.Contains(t, string(answer.body), `"offsets_skipped":1`)
	}
	require.Equal(t, "[1]\n", s.query("SELECT n FROM whole").text(), "other streams are not affected")
	ready := s.do("GET", "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, ready.status)
	require.Contains(t, string(ready.body), "offsets 1 to 1 of partition 0 are lost")
	in := s.ingest("orders", `{"n":"fourth"}`)
	require.EqualValues(t, 1, in.Accepted)
	require.Greater(t, in.Offsets[0].First, int64(2))
	accept := func() string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.AdminURL()+"/quarantine/orders/accept", nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(body)
	}
	require.Contains(t, accept(), `"from":1,"to":2`)
	require.JSONEq(t, `{"accepted":[]}`, accept(), "only once")
	require.Equal(t, "[3]\n", s.query("SELECT count(*) FROM orders").text())
	require.Equal(t, http.StatusOK, s.do("GET", "/readyz", "").status)
	s = s.restart()
	require.Equal(t, "[3]\n", s.query("SELECT count(*) FROM orders").text(), "also after the damage is met again")
	answer := s.do("POST", "/v1/sql?allow_corrupt=maybe", "SELECT 1")
	require.Equal(t, http.StatusBadRequest, answer.status)
}

// TestSubscriptionsSayWhatTheyLack follows a stream of which damage has taken an event, and views that lack it: a subscription that would go past it
// ends with an error as a query does, unless it is to go on without.
func TestSubscriptionsSayWhatTheyLack(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", `{"n":"first"}`)
	token := s.listen("SELECT n FROM orders", "", "snapshot", "true")
	require.Len(t, token.next().data.Rows, 1)
	token.close()
	s.ingest("orders", `{"n":"second"}`)
	s.ingest("orders", `{"n":"third"}`)
	require.NoError(t, s.Close())
	files, err := filepath.Glob(filepath.Join(s.data, "log", "orders", "0", "*.log"))
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], bytes.Replace(content, []byte("second"), []byte("sekond"), 1), 0o600))

	s = start(t, s.data)
	made := s.do("POST", "/v1/sql?allow_corrupt=true", "CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT max(n) AS n FROM orders")
	require.Equal(t, http.StatusOK, made.status, string(made.body))
	const lost = "stream orders: offsets 1 to 1 of partition 0 are lost"
	for _, c := range []struct{ sql, after, snapshot string }{
		{"SELECT n FROM orders", "", "true"}, {"SELECT n FROM orders", token.id, "false"}, {"SELECT n FROM v", "", "true"},
		{"SELECT count(*) AS c FROM orders", "", "true"}, {"SELECT max(n) AS n FROM v", "", "true"},
	} {
		l := s.listen(c.sql, c.after, "snapshot", c.snapshot)
		m := l.next()
		for m.event == "error" && m.data.Code == "too_busy" { // the view of the subscription is being built
			l = s.listen(c.sql, c.after, "snapshot", c.snapshot)
			m = l.next()
		}
		require.Equal(t, "error", m.event, c.sql)
		require.Equal(t, "corrupt", m.data.Code)
		require.Contains(t, m.data.Detail, lost, c.sql)
		l = s.listen(c.sql, c.after, "snapshot", c.snapshot, "allow_corrupt", "true")
		m = l.next()
		require.Equal(t, "batch", m.event, c.sql)
		require.NotEmpty(t, m.data.Rows)
	}
	l := s.listen("SELECT n FROM orders", "") // from now on nothing is missing
	s.ingest("orders", `{"n":"fourth"}`)
	require.Equal(t, []any{"insert", "fourth"}, l.next().data.Rows[0][:2])
	require.Equal(t, http.StatusBadRequest, s.do("GET", "/v1/subscribe?q=SELECT+1&allow_corrupt=perhaps", "").status)
}
