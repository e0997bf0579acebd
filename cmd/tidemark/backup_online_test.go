package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/client"
)

// sendUntil has a writer send rows until the context ends or the server goes, and counts those acknowledged.
func sendUntil(ctx context.Context, t *testing.T, url string, rows *atomic.Int64) {
	t.Helper()
	c, err := client.New(url)
	if err != nil {
		t.Error(err)
		return
	}
	for n := 0; ctx.Err() == nil; n++ {
		if _, err := c.Ingest(ctx, "s", strings.NewReader(fmt.Sprintf(`{"n":1,"at":%d}`+"\n", n)), client.IngestOptions{}); err != nil {
			return
		}
		rows.Add(1)
	}
}

// requireRestored restores a backup and counts the rows in it.
func requireRestored(t *testing.T, copied string, acked int64) {
	t.Helper()
	back := filepath.Join(t.TempDir(), "back")
	got := tidemark("", nil, "restore", copied, "--data", back)
	require.Zero(t, got.status, got.stderr)
	db, _, done, err := openData(&process{}, back)
	require.NoError(t, err)
	defer func() { require.NoError(t, done()) }()
	result, err := db.Query(t.Context(), "SELECT count(*), coalesce(sum(n), 0), (SELECT sum(n) FROM v) FROM s", client.QueryOptions{Wait: true})
	require.NoError(t, err)
	count := number(t, result.Rows[0][0])
	require.GreaterOrEqual(t, count, acked)
	require.Equal(t, count, number(t, result.Rows[0][1]))
	require.Equal(t, count, number(t, result.Rows[0][2]))
}

// TestBackupOfARunningServer takes full and incremental backups of a program that is written to, and kills it while one is made.
func TestBackupOfARunningServer(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	server := startDaemon(t, data, "TIDEMARK_SEAL_ROWS=60", "TIDEMARK_SEAL_AGE=1h", "TIDEMARK_LOG_LEVEL=info")
	for _, sql := range []string{"CREATE STREAM s (n BIGINT, at BIGINT)", "CREATE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT sum(n) AS n FROM s"} {
		got := tidemark("", nil, "sql", "--url", server.url, "-q", sql)
		require.Zero(t, got.status, got.stderr)
	}
	asker, err := client.New(server.url)
	require.NoError(t, err)
	_, err = asker.Query(t.Context(), "SELECT n FROM v", client.QueryOptions{Wait: true})
	require.NoError(t, err)
	wrong := tidemark("", nil, "backup", filepath.Join(dir, "wrong"), "--url", server.url)
	require.Equal(t, 1, wrong.status)
	require.Contains(t, wrong.stderr, "send it to "+server.admin)
	var acked atomic.Int64
	var writers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 2 {
		writers.Go(func() { sendUntil(ctx, t, server.url, &acked) })
	}
	previous := ""
	for round, flags := range [][]string{nil, {"--link"}, {"--base"}, {"--base"}} {
		for enough := acked.Load() + 150; acked.Load() < enough; {
			require.Zero(t, tidemark("", nil, "sql", "--url", server.url, "-q", "SELECT 1").status) // time passes
		}
		copied := filepath.Join(dir, fmt.Sprint(round))
		if len(flags) > 0 && flags[0] == "--base" {
			flags = []string{"--base", previous}
		}
		before := acked.Load()
		got := tidemark("", nil, append([]string{"backup", copied, "--url", server.admin}, flags...)...)
		require.Zero(t, got.status, got.stderr)
		requireRestored(t, copied, before)
		if flags != nil {
			requireShared(t, copied, map[bool]string{true: data, false: previous}[flags[0] == "--link"])
		}
		previous = copied
	}
	kept, err := filepath.Glob(filepath.Join(data, "backup", "*"))
	require.NoError(t, err)
	require.Empty(t, kept, "the server keeps nothing for backups that have ended")

	admin, err := client.New(server.admin)
	require.NoError(t, err)
	require.NoError(t, admin.BeginBackup(t.Context(), new(any)))
	server.kill(t)
	writers.Wait()
	got := tidemark("", nil, "backup", filepath.Join(dir, "dead"), "--url", server.admin)
	require.Equal(t, 1, got.status)
	require.NoFileExists(t, filepath.Join(dir, "dead", "BACKUP"))
	server = startDaemon(t, data)
	require.NoDirExists(t, filepath.Join(data, "backup"), "a start removes what is left of a backup")
	last := filepath.Join(dir, "last")
	got = tidemark("", nil, "backup", last, "--url", server.admin, "--base", previous)
	require.Zero(t, got.status, got.stderr)
	requireRestored(t, last, acked.Load())
	server.stop(t)

	got = tidemark("", nil, "backup", filepath.Join(dir, "offline"), "--data", data, "--base", last)
	require.Zero(t, got.status, got.stderr)
	requireShared(t, filepath.Join(dir, "offline"), last)
	requireRestored(t, filepath.Join(dir, "offline"), acked.Load())
	again := filepath.Join(dir, "again")
	got = tidemark("", nil, "backup", again, "--data", data, "--base", filepath.Join(dir, "offline"))
	require.Zero(t, got.status, got.stderr)
	require.NotZero(t, requireShared(t, again, filepath.Join(dir, "offline")), "nothing has been merged since")
}

// requireShared makes sure that a backup and another directory have the same file wherever they have one of the same name, and says how
// many these are: merging may have replaced all since.
func requireShared(t *testing.T, copied, with string) (shared int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(copied, "segments", "s", "*.parquet"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		mine, err := os.Stat(name)
		require.NoError(t, err)
		rest, err := filepath.Rel(copied, name)
		require.NoError(t, err)
		if theirs, err := os.Stat(filepath.Join(with, rest)); err == nil {
			require.True(t, os.SameFile(mine, theirs), rest)
			shared++
		}
	}
	return shared
}

// TestBackupsAreAskedForRightly names what is wrong with a command.
func TestBackupsAreAskedForRightly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := tidemark("", nil, "backup", dir)
	require.Equal(t, 2, got.status)
	require.Contains(t, got.stderr, "say what to back up")
	got = tidemark("", nil, "backup", dir, "--data", dir, "--url", "http://127.0.0.1:1")
	require.Equal(t, 2, got.status)
	got = tidemark("", nil, "backup", dir, "--url", "http://127.0.0.1:1")
	require.Contains(t, got.stderr, "is `tidemark serve` running?")
	got = tidemark("", nil, "backup", filepath.Join(dir, "new"), "--data", dir, "--base", dir)
	require.Equal(t, 1, got.status)
}
