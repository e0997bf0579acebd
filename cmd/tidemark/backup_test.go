package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--link"}} {
		dir := t.TempDir()
		data, copied, back := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "back")
		server := dataOf(t, data)
		got := tidemark("", nil, "backup", copied, "--data", data)
		require.Equal(t, 1, got.status)
		require.Contains(t, got.stderr, "a server has "+data+" open")
		require.NoError(t, server.Close())
		got = tidemark("", nil, append([]string{"backup", copied, "--data", data}, flags...)...)
		require.Zero(t, got.status, got.stderr)
		again := tidemark("", nil, "backup", copied, "--data", data)
		require.Contains(t, again.stderr, "the directory is not empty")

		got = tidemark("", nil, "restore", copied, "--data", back)
		require.Zero(t, got.status, got.stderr)
		got = tidemark("", nil, "doctor", "verify", "--data", back)
		require.Zero(t, got.status, got.stdout+got.stderr)
		for _, where := range []string{back, data} {
			got = tidemark("", nil, "sql", "--data", where, "--format", "csv", "-q", "SELECT count(*), sum(n) FROM s")
			require.Contains(t, got.stdout, "100,5050", got.stderr)
		}
		got = tidemark("", nil, "restore", copied, "--data", data)
		require.Contains(t, got.stderr, "the directory is not empty")
		require.Equal(t, 1, got.status)
	}
}

// TestRestoreTakesNothingDamaged changes, cuts and removes each file of a backup in turn.
func TestRestoreTakesNothingDamaged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, copied, back := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "back")
	require.NoError(t, dataOf(t, data).Close())
	require.Zero(t, tidemark("", nil, "backup", copied, "--data", data).status)
	require.NoError(t, filepath.WalkDir(copied, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		good, err := os.ReadFile(name)
		require.NoError(t, err)
		flipped := append([]byte(nil), good...)
		flipped[len(flipped)/2] ^= 4
		for _, bad := range [][]byte{flipped, good[:len(good)-1], nil} {
			require.NoError(t, os.Remove(name))
			if bad != nil {
				require.NoError(t, os.WriteFile(name, bad, 0o600))
			}
			got := tidemark("", nil, "restore", copied, "--data", back)
			require.Equal(t, 1, got.status, name)
			require.Contains(t, got.stderr, filepath.Base(name))
			require.NoDirExists(t, back)
			require.NoError(t, os.WriteFile(name, good, 0o600))
		}
		return nil
	}))
	require.Zero(t, tidemark("", nil, "restore", copied, "--data", back).status)

	files, err := filepath.Glob(filepath.Join(data, "log", "s", "0", "*.log"))
	require.NoError(t, err)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	content[100] ^= 1
	require.NoError(t, os.WriteFile(files[0], content, 0o600))
	got := tidemark("", nil, "backup", filepath.Join(dir, "second"), "--data", data)
	require.Equal(t, 1, got.status)
	require.True(t, strings.HasPrefix(got.stderr, "tidemark: "+data+" is damaged: see"), got.stderr)
}
