package eventlog_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestLargeEntriesOnDisk appends entries that pass the system's cache by, with small ones between them, and reads them while the log grows, which brings
// later ones back into it, and after it was opened again.
func TestLargeEntriesOnDisk(t *testing.T) {
	t.Parallel()
	fsys, err := vfs.NewReal(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fsys.Close()) })
	l := mustOpen(t, fsys, eventlog.Options{RotateBytes: 6 << 20})
	var want []*eventlog.Entry
	for i := range 24 {
		e := entry(i)
		if i%4 < 3 {
			e.Values[0] = bytes.Repeat([]byte{'a' + byte(i)}, 600<<10+i*997)
		}
		want = append(want, e)
		require.NoError(t, l.Append([]*eventlog.Entry{e}))
		require.NoError(t, l.Sync())
		if i%8 == 5 {
			sameEntries(t, l, want)
		}
	}
	sameEntries(t, l, want)
	require.NoError(t, l.Close())
	l = mustOpen(t, fsys, eventlog.Options{})
	sameEntries(t, l, want)
	require.NoError(t, l.Close())
}

func sameEntries(t *testing.T, l *eventlog.Log, want []*eventlog.Entry) {
	t.Helper()
	got, err := read(l, 0)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].First, got[i].First)
		for at, v := range want[i].Values {
			require.True(t, bytes.Equal(v, got[i].Values[at]), "entry %d, record %d", i, at)
		}
	}
}
