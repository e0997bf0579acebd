package dedup

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

var newGolden = flag.Bool("new-golden", false, "write the snapshot of the present format anew")

const golden = "testdata/v1.snapshot"

// goldenState is what the golden file holds.
func goldenState() *State {
	s := New(options(NewBudget(1 << 20)))
	part := entry("split", 7, 4, 2, start)
	part.Meta.Request.Accepted, part.Meta.Request.Last = 5, true
	part.Meta.Request.Hold(1)
	part.Meta.Request.Hold(9)
	s.Apply(0, entry("whole", 0, 0, 4, start), nil, nil)
	s.Apply(0, part, nil, nil)
	s.Apply(2, entry("whole", 1, 0, 1, start.Add(90*time.Minute)), nil, nil)
	s.Apply(1, &eventlog.Entry{Times: []int64{0}, Values: [][]byte{nil}}, []RowKey{rowKey(3)}, []int64{77})
	return s
}

// TestOldSnapshotsStayReadable reads the snapshot of the first format.
func TestOldSnapshotsStayReadable(t *testing.T) {
	t.Parallel()
	fs, want := vfs.NewMem(), goldenState()
	if *newGolden {
		_, err := want.Save(fs, "golden")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		require.NoError(t, os.WriteFile(golden, contentOf(t, fs, snapshotPath("golden")), 0o600))
	}
	content, err := os.ReadFile(golden)
	require.NoError(t, err)
	fs = vfs.NewMem()
	require.NoError(t, vfs.MkdirAllSync(fs, Dir))
	f, err := fs.Create(snapshotPath("s"))
	require.NoError(t, err)
	_, err = f.Write(content)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	back, damaged, err := Load(fs, "s", options(NewBudget(1<<20)))
	require.NoError(t, err)
	require.False(t, damaged)
	for _, key := range []string{"whole", "split"} {
		known := back.Request(keyOf(key), start)
		require.NotEmpty(t, known)
		require.Equal(t, want.Request(keyOf(key), start), known)
	}
	for p := range event.Partition(3) {
		require.Equal(t, want.Next(p), back.Next(p))
	}
	_, duplicates, _, err := back.Reserve([]RowKey{rowKey(3), rowKey(4)}, []int64{78, 78}, noFloor)
	require.NoError(t, err)
	require.Equal(t, []bool{true, false}, duplicates)
}

func contentOf(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	require.NoError(t, err)
	size, err := f.Size()
	require.NoError(t, err)
	content := make([]byte, size)
	_, err = f.ReadAt(content, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return content
}
