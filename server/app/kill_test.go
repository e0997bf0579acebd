package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/config"
)

// endless gives rows for longer than any test runs.
const endless = "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000000) b"

// runEndless starts the query, waits until it is listed and returns its id, and what will be its answer.
func runEndless(t *testing.T, i *instance, sql string) (string, <-chan response) {
	t.Helper()
	id, answer := "", make(chan response, 1)
	go func() { answer <- i.do("POST", "/v1/sql", sql) }()
	require.Eventually(t, func() bool {
		for _, q := range i.activity.Running() {
			if q.SQL == sql {
				id = q.ID
			}
		}
		return id != ""
	}, time.Minute, time.Millisecond)
	return id, answer
}

func TestKillQuery(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	id, answer := runEndless(t, i, endless)
	require.Equal(t, `["`+id+`"]`+"\n", i.query("SELECT query_id FROM system.queries WHERE sql LIKE '%count(*) FROM generate%' AND sql NOT LIKE '%system%'").text())
	refused := i.do("GET", "/v1/sql?q=KILL+QUERY+'"+id+"'", "")
	require.Equal(t, http.StatusMethodNotAllowed, refused.status, "killing is no reading")
	require.Equal(t, `["query `+id+` killed"]`+"\n", i.query("KILL QUERY '"+id+"'").text())
	killed := <-answer
	require.Contains(t, string(killed.body), `"the query was killed"`)
	require.Equal(t, id, killed.header.Get("X-Query-Id"))
	require.Equal(t, `["cancelled","the query was killed"]`+"\n",
		i.query("SELECT outcome, error FROM system.query_log WHERE query_id = '"+id+"'").text())
	require.Equal(t, http.StatusNotFound, i.do("POST", "/v1/sql", "KILL QUERY '"+id+"'").status)
}

// TestTimeoutOfTheRequest: a request may shorten the time of the server, and not lengthen it.
func TestTimeoutOfTheRequest(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir(), func(c *config.Config) { c.QueryTimeout = 50 * time.Millisecond })
	for _, timeout := range []string{"1ms", "1h"} {
		body, err := json.Marshal(map[string]string{"sql": endless, "timeout": timeout})
		require.NoError(t, err)
		answer := i.do("POST", "/v1/sql", string(body), "Content-Type", "application/json")
		require.Contains(t, string(answer.body), `"code":"timeout"`)
	}
	require.Equal(t, "[2]\n", i.query("SELECT count(*) FROM system.query_log WHERE outcome = 'timeout'").text())
}

// TestSlowQueriesAreLogged without what is secret in them.
func TestSlowQueriesAreLogged(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	c := config.Default()
	c.Data, c.Listen, c.AdminListen, c.SlowQuery = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", time.Nanosecond
	a, err := Start(t.Context(), c, "test", slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	i := &instance{App: a, t: t}
	i.query("SELECT 'https://example.com/key'")
	line := out.lineWith("slow query")
	require.Contains(t, line, "https://***")
	require.NotContains(t, line, "example.com")
	require.Contains(t, line, "rows=1")
}

// lockedBuffer is a buffer for a logger.
type lockedBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

// String is all that was written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

func (b *lockedBuffer) lineWith(text string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.out.String()) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}
