package app

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSubscriberWhoDoesNotReadHoldsUpNobody subscribes without ever reading, and then follows the same query as events come, far more than a
// connection holds: writers, the other subscriber and queries go on to the end.
func TestSubscriberWhoDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM notes (ts TIMESTAMPTZ NOT NULL, n BIGINT, note TEXT)")
	i.query("CREATE MATERIALIZED VIEW latest AS SELECT n, note FROM notes WHERE n >= 0")
	address := strings.TrimPrefix(i.URL(), "http://")
	for _, query := range []string{"SELECT+*+FROM+notes", "SELECT+*+FROM+latest", "SELECT+count(*)+FROM+notes"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		_, err = fmt.Fprintf(c, "GET /v1/subscribe?q=%s HTTP/1.1\r\nHost: %s\r\n\r\n", query, address)
		require.NoError(t, err)
	}
	l := i.listen("SELECT n FROM latest", "")
	const requests, each = 40, 50
	note := strings.Repeat("x", 8<<10) // 16 MiB in all
	for r := range requests {
		var b strings.Builder
		for n := range each {
			fmt.Fprintf(&b, `{"ts":"2026-01-01T00:00:00Z","n":%d,"note":%q}`+"\n", r*each+n, note)
		}
		i.ingest("notes", b.String())
	}
	for seen := 0; seen < requests*each; {
		m := l.next()
		require.Equal(t, "batch", m.event)
		seen += len(m.data.Rows)
	}
	require.Equal(t, fmt.Sprintf("[%d]\n", requests*each), i.wait("SELECT count(*) FROM latest"))
}
