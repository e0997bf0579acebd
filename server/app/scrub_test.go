package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestScrubNamesDamageBeforeAnyoneMeetsIt damages a segment of a server and starts it again: without a query it is named as what keeps the server
// from being ready. Queries of the segment then fail, and others do not.
func TestScrubNamesDamageBeforeAnyoneMeetsIt(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	for _, stream := range []string{"good", "bad"} {
		d.must("CREATE STREAM " + stream + " (n BIGINT)")
		d.must("INSERT INTO " + stream + " SELECT * FROM generate_series(1, 1000)")
		d.seal(stream)
	}
	segment := d.manifest.View("bad").Segments[0]
	require.NoError(t, d.closeStore())
	flipByte(t, mem, segment.File, segment.Bytes/2)

	d = onDisk(t, mem)
	require.Eventually(t, func() bool { return d.scrub.Passes() > 0 }, time.Minute, time.Millisecond)
	reasons := d.notReady()
	require.Len(t, reasons, 1)
	require.Contains(t, reasons[0], "file "+segment.File+" is damaged at byte 0")
	require.Equal(t, `["1000","500500"]`, d.must("SELECT count(*), sum(n) FROM good"))
	_, err := d.run("SELECT sum(n % 7) FROM bad", false)
	require.ErrorContains(t, err, "is damaged at byte")
	d.must("INSERT INTO bad VALUES (1)")
	require.NoError(t, d.closeStore())
}

// flipByte changes a byte of a file.
func flipByte(t *testing.T, fs vfs.FS, name string, at int64) {
	t.Helper()
	file, err := fs.OpenAppend(name)
	require.NoError(t, err)
	size, err := file.Size()
	require.NoError(t, err)
	rest := make([]byte, size-at)
	_, err = file.ReadAt(rest, at)
	require.NoError(t, err)
	rest[0] ^= 4
	require.NoError(t, file.Truncate(at))
	_, err = file.Write(rest)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
