package vfs_test

import (
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

func TestCrashKeepsOnlyWhatWasSynced(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := write(t, m, "a", "one")
	require.NoError(t, f.Sync())
	_, err := m.Crash().Open("a")
	require.ErrorIs(t, err, fs.ErrNotExist, "contents without a durable name are lost")

	require.NoError(t, m.SyncDir("."))
	_, err = f.Write([]byte("two"))
	require.NoError(t, err)
	crashed, killed := m.Crash(), m.Killed()
	require.Equal(t, "one", read(t, crashed, "a"))
	require.Equal(t, "onetwo", read(t, killed, "a"), "the system keeps what a process wrote")
	require.Equal(t, "onetwo", read(t, m, "a"), "the original goes on")

	require.NoError(t, f.Truncate(1))
	require.Equal(t, "one", read(t, m.Crash(), "a"), "a truncation needs a sync, too")
	_, err = f.Write([]byte("XYZ"))
	require.NoError(t, err)
	require.Equal(t, "one", read(t, m.Crash(), "a"), "later writes do not reach into what was synced")
	require.NoError(t, f.Sync())
	require.Equal(t, "oXYZ", read(t, m.Crash(), "a"))
	require.Equal(t, "one", read(t, crashed, "a"), "a crashed copy shares nothing")
	require.Equal(t, "onetwo", read(t, killed, "a"), "nor does that of a killed process")
}

func TestCrashAndNames(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	require.NoError(t, m.MkdirAll("d/e"))
	require.NoError(t, m.SyncDir("d"))
	_, err := m.Crash().ReadDir("d")
	require.ErrorIs(t, err, fs.ErrNotExist, "d itself is not durable")
	require.NoError(t, vfs.MkdirAllSync(m, "d/e"))

	f := write(t, m, "d/new", "v2")
	require.NoError(t, f.Sync())
	old := write(t, m, "d/file", "v1")
	require.NoError(t, old.Sync())
	require.NoError(t, m.SyncDir("d"))
	require.NoError(t, m.Rename("d/new", "d/file"))
	require.Equal(t, "v2", read(t, m, "d/file"))
	require.Equal(t, "v1", read(t, m.Crash(), "d/file"), "the rename is not durable yet")
	require.NoError(t, m.SyncDir("d"))
	require.Equal(t, "v2", read(t, m.Crash(), "d/file"))

	require.NoError(t, m.Remove("d/file"))
	require.Equal(t, "v2", read(t, m.Crash(), "d/file"))
	require.NoError(t, m.SyncDir("d"))
	_, err = m.Crash().Open("d/file")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestCrashMixesSectorsThatWereOverwritten as a disk may write them in any order; none is ever of a third kind.
func TestCrashMixesSectorsThatWereOverwritten(t *testing.T) {
	t.Parallel()
	const sectors = 6
	m := vfs.NewMem()
	f, err := m.Create("a")
	require.NoError(t, err)
	overwrite := func(with string) {
		for i := range sectors {
			_, err := f.WriteAt([]byte(strings.Repeat(with, 100)), int64(i*512))
			require.NoError(t, err)
		}
	}
	overwrite("o")
	require.NoError(t, f.Sync())
	require.NoError(t, m.SyncDir("."))
	old := read(t, m, "a")
	overwrite("x")
	overwrite("n")
	require.Equal(t, old, read(t, m.Crash(), "a"))
	kinds := map[string]bool{}
	for seed := range uint64(1000) {
		kind := ""
		for i, got := 0, read(t, m.CrashTorn(rand.New(rand.NewPCG(seed, 0))), "a"); i < sectors; i++ {
			kind += got[i*512 : i*512+1]
			require.Equal(t, strings.Repeat(kind[i:], 100), got[i*512:i*512+100])
			require.Contains(t, "on", kind[i:])
		}
		kinds[kind] = true
	}
	require.Greater(t, len(kinds), 40, "most mixtures happen")
	require.True(t, kinds["oooooo"] && kinds["nnnnnn"] && kinds["nnnooo"])
	require.NoError(t, f.Sync())
	require.Equal(t, read(t, m, "a"), read(t, m.Crash(), "a"))
	require.NoError(t, f.Truncate(700))
	_, err = f.WriteAt([]byte("t"), 0)
	require.NoError(t, err)
	require.Equal(t, "n", read(t, m.Crash(), "a")[:1])
	require.Len(t, read(t, m.Crash(), "a"), (sectors-1)*512+100)
}

func TestCrashTornKeepsAtLeastWhatWasSynced(t *testing.T) {
	t.Parallel()
	m := vfs.NewMem()
	f := write(t, m, "a", "synced,")
	require.NoError(t, f.Sync())
	require.NoError(t, m.SyncDir("."))
	_, err := f.Write([]byte(strings.Repeat("u", 20)))
	require.NoError(t, err)
	require.NoError(t, write(t, m, "b", "").Close())

	sizes, withB := map[int]bool{}, 0
	for seed := range uint64(200) {
		c := m.CrashTorn(rand.New(rand.NewPCG(seed, 0)))
		got := read(t, c, "a")
		require.True(t, strings.HasPrefix(got, "synced,"))
		require.Equal(t, got, read(t, m.CrashTorn(rand.New(rand.NewPCG(seed, 0))), "a"), "a seed repeats")
		sizes[len(got)] = true
		if _, err := c.Stat("b"); err == nil {
			withB++
		}
	}
	require.Len(t, sizes, 21, "every length happens")
	require.NotZero(t, withB)
	require.NotEqual(t, 200, withB)
}
