package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/config"
)

// dataOf makes a data directory with one stream and returns it with the server that still has it open.
func dataOf(t *testing.T, dir string) *app.App {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = dir, "127.0.0.1:0", "127.0.0.1:0"
	server, err := app.Start(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	url := server.URL()
	for _, sql := range []string{"CREATE STREAM s (n BIGINT)", "INSERT INTO s SELECT * FROM generate_series(1, 100)"} {
		got := tidemark("", nil, "sql", "--url", url, "-q", sql)
		require.Zero(t, got.status, got.stderr)
	}
	return server
}

func TestDoctorVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := dataOf(t, dir)
	got := tidemark("", nil, "doctor", "verify", "--data", dir)
	require.Equal(t, 2, got.status)
	require.Contains(t, got.stderr, "a server has "+dir+" open: stop it first")
	require.NoError(t, server.Close())
	got = tidemark("", nil, "doctor", "verify", "--data", dir)
	require.Zero(t, got.status, got.stderr)
	require.Regexp(t, `^\d+ files of \d+ bytes verified, 0 places damaged\n$`, got.stdout)

	files, err := filepath.Glob(filepath.Join(dir, "log", "s", "0", "*.log"))
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	content[200] ^= 1
	require.NoError(t, os.WriteFile(files[0], content, 0o600))
	got = tidemark("", nil, "doctor", "verify", "--data", dir)
	require.Equal(t, 1, got.status)
	require.Regexp(t, `^damage: log/s/0/0{20}\.log: bytes 20 to \d+: checksum mismatch`, got.stdout)
	require.Empty(t, got.stderr)
	got = tidemark("", nil, "doctor", "verify", "--json", "--data", dir)
	require.Equal(t, 1, got.status)
	require.Contains(t, got.stdout, `"file": "log/s/0/00000000000000000000.log",`+"\n      "+`"from": 20,`)
	after, err := os.ReadFile(files[0])
	require.NoError(t, err)
	require.Equal(t, content, after, "nothing is changed")

	for _, none := range []string{t.TempDir(), filepath.Join(dir, "missing")} {
		got = tidemark("", nil, "doctor", "verify", "--data", none)
		require.Equal(t, 2, got.status)
		require.NotEmpty(t, got.stderr)
	}
}
