package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// TestTailPrintsEventsAsTheyCome follows a stream in a process of its own while events are sent, then stops the server under it.
func TestTailPrintsEventsAsTheyCome(t *testing.T) {
	t.Parallel()
	server := startDaemon(t, t.TempDir())
	send := func(body string) {
		t.Helper()
		res, err := http.Post(server.url+"/v1/streams/s/events", "application/x-ndjson", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
	send(`{"n":1}`)
	binary, err := builtBinary()
	require.NoError(t, err)
	tail := exec.Command(binary, "tail", "s", "--from", "earliest", "--url", server.url)
	out, err := tail.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, tail.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, `{"n":1}`, lines.Text())
	send(`{"n":2}` + "\n" + `{"n":3}`)
	for _, want := range []string{`{"n":2}`, `{"n":3}`} {
		require.True(t, lines.Scan())
		require.Equal(t, want, lines.Text())
	}
	require.NoError(t, tail.Process.Signal(os.Interrupt))
	require.NoError(t, tail.Wait(), "an interrupt is the ordinary end")

	waiting := make(chan error, 1)
	go func() {
		res, err := http.Get(server.url + "/v1/streams/s/events?from=latest&wait=30s")
		if err == nil {
			err = res.Body.Close()
		}
		waiting <- err
	}()
	began := time.Now()
	server.stop(t)
	require.Less(t, time.Since(began), 10*time.Second, "a request that waits does not hold up the stop")
	<-waiting //nolint:errcheck // answered or refused, depending on who was first

	got := tidemark("", nil, "tail", "none", "--url", server.url)
	require.Equal(t, exitFailed, got.status)
	require.Contains(t, got.stderr, "cannot reach")
}

// TestTailOutlastsRestarts follows a stream of two partitions over a kill and a stop of the server: nothing is left out or printed twice. It ends
// when the stream does.
func TestTailOutlastsRestarts(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := startDaemon(t, data)
	run := func(sql string) {
		t.Helper()
		got := tidemark("", nil, "sql", "--url", server.url, "-q", sql)
		require.Zero(t, got.status, got.stderr)
	}
	insert := func(from int) {
		t.Helper()
		run(fmt.Sprintf("INSERT INTO s SELECT n FROM generate_series(%d, %d) AS g(n)", from, from+99))
	}
	run("CREATE STREAM s (n BIGINT) PARTITION BY HASH (n) PARTITIONS 2")
	insert(0)
	binary, err := builtBinary()
	require.NoError(t, err)
	tail := exec.Command(binary, "tail", "s", "--from", "earliest", "--url", server.url)
	out, err := tail.StdoutPipe()
	require.NoError(t, err)
	said, err := tail.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, tail.Start())
	lines, notes := bufio.NewScanner(out), bufio.NewScanner(said)
	note := func(want string) {
		t.Helper()
		require.True(t, notes.Scan())
		require.Contains(t, notes.Text(), want)
	}
	expect := func(from int) {
		t.Helper()
		seen := map[string]bool{}
		for range 100 {
			require.True(t, lines.Scan())
			seen[lines.Text()] = true
		}
		for n := from; n < from+100; n++ {
			require.True(t, seen[fmt.Sprintf(`{"n":%d}`, n)], n)
		}
	}
	expect(0)
	for i, end := range []func(*testing.T){server.kill, func(t *testing.T) { t.Helper(); server.stop(t) }} {
		end(t)
		note("trying again until the server is back")
		server = startDaemonOn(t, strings.TrimPrefix(server.url, "http://"), data)
		insert(100 * (i + 1))
		expect(100 * (i + 1))
		note("the server is back")
	}
	run("DROP STREAM s")
	note("not_found: there is no stream")
	require.False(t, lines.Scan(), lines.Text())
	require.Error(t, tail.Wait())
	server.stop(t)
}

// TestTailFollowsAQuery follows a query over a kill of the server: what comes after the restart goes on where the first part ended.
func TestTailFollowsAQuery(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := startDaemon(t, data)
	c, err := client.New(server.url)
	require.NoError(t, err)
	run := func(sql string) {
		t.Helper()
		_, err := c.Query(t.Context(), sql, client.QueryOptions{Wait: true})
		require.NoError(t, err)
	}
	run("CREATE STREAM s (ts TIMESTAMPTZ, n BIGINT); CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT n % 2 AS odd, count(*) AS c FROM s GROUP BY 1")
	run("INSERT INTO s VALUES ('2026-01-01', 1)")
	run("SELECT 1 FROM v")
	binary, err := builtBinary()
	require.NoError(t, err)
	tail := exec.Command(binary, "tail", "-q", "SELECT * FROM v", "--url", server.url)
	out, err := tail.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, tail.Start())
	lines := bufio.NewScanner(out)
	expect := func(want string) {
		t.Helper()
		require.True(t, lines.Scan())
		require.Equal(t, want, lines.Text())
	}
	expect(`{"_op":"insert","odd":1,"c":1}`)
	run("INSERT INTO s VALUES ('2026-01-01', 3)")
	expect(`{"_op":"update","odd":1,"c":2}`)
	server.kill(t)
	server = startDaemonOn(t, strings.TrimPrefix(server.url, "http://"), data)
	run("INSERT INTO s VALUES ('2026-01-01', 4)")
	expect(`{"_op":"insert","odd":0,"c":1}`)
	require.NoError(t, tail.Process.Signal(os.Interrupt))
	require.NoError(t, tail.Wait())
	server.stop(t)

	got := tidemark("", nil, "tail")
	require.Equal(t, exitUsage, got.status)
}
