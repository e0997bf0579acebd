package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
