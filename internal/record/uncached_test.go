package record_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestUncachedFrames writes groups of all sizes, by way of the system's cache and past it, and reads them back while they come.
func TestUncachedFrames(t *testing.T) {
	t.Parallel()
	fsys, err := vfs.NewReal(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fsys.Close()) })
	w, err := record.Create(fsys, "f", record.EventLog, 42)
	require.NoError(t, err)
	w.Ahead(64 << 20)
	random := rand.New(rand.NewPCG(5, 6))
	var want [][]byte
	for i := range 24 {
		w.Uncached(random.IntN(4) > 0)
		for range random.IntN(3) + 1 {
			body := bytes.Repeat([]byte{byte(i), byte(random.Uint32())}, random.IntN(1<<random.IntN(21)))
			want = append(want, body)
			pending := w.Pending()
			require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, body...) }))
			require.Greater(t, w.Pending(), pending+len(body))
		}
		if random.IntN(8) == 0 {
			require.NoError(t, w.Add(2, func(dst []byte) []byte { return append(dst, "never written"...) }))
			w.Discard()
			require.Zero(t, w.Pending())
			want = want[:0]
			_, err := record.Scan(fsys, "f", record.EventLog, record.ScanOptions{Limit: w.Size()}, func(f record.Frame) error {
				want = append(want, bytes.Clone(f.Body))
				return nil
			})
			require.NoError(t, err)
			continue
		}
		size := w.Size() + int64(w.Pending())
		require.NoError(t, w.Flush())
		require.Equal(t, size, w.Size())
		require.NoError(t, w.Sync())
		require.Len(t, want, count(t, fsys, want, w.Size()))
	}
	require.NoError(t, w.Mark())
	require.NoError(t, w.Close())
	require.Equal(t, len(want), count(t, fsys, want, 0))
}

// count holds the frames of a file to bodies, and says how many there are.
func count(t *testing.T, fsys vfs.FS, want [][]byte, limit int64) int {
	t.Helper()
	at := 0
	_, err := record.Scan(fsys, "f", record.EventLog, record.ScanOptions{Limit: limit}, func(f record.Frame) error {
		require.Less(t, at, len(want))
		require.True(t, bytes.Equal(want[at], f.Body), "frame %d", at)
		at++
		return nil
	})
	require.NoError(t, err)
	return at
}
