package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// heard is what the page in the browser tells.
type heard struct {
	Event string
	ID    string
	Rows  [][]any
}

// TestBrowserFollowsAcrossAKill follows a view by EventSource in headless Chromium. The server is killed and started again at its address:
// the browser connects again by itself and goes on at the last id, without a gap and nothing twice.
func TestBrowserFollowsAcrossAKill(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("TIDEMARK_BROWSER")
	if dir == "" {
		t.Skip("make test runs this, in a browser that it installs")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".installed")); err != nil {
		t.Skip("the browser could not be installed: make " + filepath.Base(dir) + " says why")
	}
	data := t.TempDir()
	server := startDaemon(t, data)
	address := strings.TrimPrefix(server.url, "http://")
	c, err := client.New(server.url)
	require.NoError(t, err)
	queryRows(t, c, "CREATE STREAM pages (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	queryRows(t, c, "CREATE MATERIALIZED VIEW even AS SELECT n FROM pages WHERE n % 2 = 0")

	browser := exec.Command("node", filepath.Join(dir, "eventsource.mjs"), server.url, "SELECT n FROM even")
	browser.Stderr = os.Stderr
	input, err := browser.StdinPipe()
	require.NoError(t, err)
	output, err := browser.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, browser.Start())
	lines := bufio.NewScanner(output)
	seen, opened := map[string]int{}, 0
	until := func(rows int) {
		t.Helper()
		for len(seen) < rows {
			require.True(t, lines.Scan(), "the browser ended: %v", lines.Err())
			var e heard
			require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
			require.NotEqual(t, "reset", e.Event)
			if e.Event == "open" {
				opened++
			}
			for _, row := range e.Rows {
				require.Equal(t, "insert", row[0])
				seen[fmt.Sprint(row[1])]++
			}
		}
	}
	queryRows(t, c, "INSERT INTO pages SELECT TIMESTAMPTZ '2026-01-01', n FROM generate_series(1, 100) AS g(n)")
	until(50)
	server.kill(t)
	server = startDaemonOn(t, address, data)
	queryRows(t, c, "INSERT INTO pages SELECT TIMESTAMPTZ '2026-01-01', n FROM generate_series(101, 200) AS g(n)")
	until(100)
	require.Equal(t, 2, opened)
	for n := 2; n <= 200; n += 2 {
		require.Equal(t, 1, seen[fmt.Sprint(n)], n)
	}
	require.NoError(t, input.Close())
	require.NoError(t, browser.Wait())
	server.stop(t)
}
