package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
)

// TestReplayRejected: rows are stored once however often they are replayed, also after a restart of the server, equal ones as often as they
// came; rejected rows do not become more.
func TestReplayRejected(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	server, err := startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	query := func(sql string) string {
		t.Helper()
		got := tidemark("", nil, "sql", "--url", server.URL(), "--format", "ndjson", "-q", sql)
		require.Zero(t, got.status, got.stderr)
		return got.stdout
	}
	replay := func(status int, arguments ...string) string {
		t.Helper()
		got := tidemark("", nil, append([]string{"replay-rejected", "s", "--url", server.URL()}, arguments...)...)
		require.Equal(t, status, got.status, got.stderr)
		return got.stdout
	}
	query("CREATE STREAM s (n BIGINT)")
	require.Equal(t, "s: no rejected rows\n", replay(0))

	c, err := client.New(server.URL())
	require.NoError(t, err)
	defer c.Close()
	var body strings.Builder
	for i := range 600 { // more than a page
		fmt.Fprintf(&body, "{\"n\":%d,\"more\":1}\n", i/2)
	}
	for contentType, rows := range map[string]string{client.NDJSON: body.String(), "application/json": "[{\"n\":1,\n\"more\":\n2}]"} {
		_, err = c.Ingest(t.Context(), "s", strings.NewReader(rows), client.IngestOptions{ContentType: contentType})
		require.Error(t, err)
	}
	require.Equal(t, "s: 601 still rejected\n  601 still rejected: unknown field \"more\"\n", replay(exitFailed))
	require.Equal(t, "s: 601 to be sent\n  601 to be sent: unknown field \"more\"\n", replay(0, "--dry-run"))
	query("ALTER STREAM s ADD COLUMN more BIGINT")
	require.Equal(t, "s: 601 accepted\n  601 accepted: unknown field \"more\"\n", replay(0))
	answer, err := http.Get(server.AdminURL() + "/metrics")
	require.NoError(t, err)
	metrics, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	for outcome, rows := range map[string]int{"accepted": 601, "rejected": 601, "duplicate": 0} {
		require.Contains(t, string(metrics), fmt.Sprintf("tidemark_ingest_replayed_rows_total{outcome=%q,stream=\"s\"} %d\n", outcome, rows))
	}
	require.NoError(t, server.Close())
	server, err = startServer(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, "s: 601 accepted before\n  601 accepted before: unknown field \"more\"\n", replay(0))
	require.Equal(t, "s: no rejected rows\n", replay(0, "--from", "2999-01-01"))
	require.Equal(t, "{\"rows\":601,\"more\":602,\"kept\":601}\n",
		query("SELECT count(*) AS rows, CAST(sum(more) AS BIGINT) AS more, (SELECT count(*) FROM s_rejected) AS kept FROM s"))

	got := tidemark("", nil, "replay-rejected", "nothing", "--url", server.URL())
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, `there is no stream "nothing"`)
	require.NoError(t, server.Close())
}
