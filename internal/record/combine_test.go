package record_test

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAKnownChecksumChangesNoByte writes the same bodies with and without what is known of their checksums.
func TestAKnownChecksumChangesNoByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		unit := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(r, "unit")
		body := make([]byte, 0, 100<<10)
		for n := rapid.IntRange(0, 90<<10).Draw(r, "size"); len(body) < n; {
			body = append(body, unit...)
		}
		sum := record.Sum{Bytes: rapid.IntRange(0, len(body)).Draw(r, "summed")}
		sum.CRC = crc32.Checksum(body[len(body)-sum.Bytes:], crc32.MakeTable(crc32.Castagnoli))

		var files [2][]byte
		for i, known := range []record.Sum{{}, sum} {
			fsys := vfs.NewMem()
			w, err := record.Create(fsys, "f", record.EventLog, 42)
			require.NoError(t, err)
			require.NoError(t, w.AddSummed(7, func(dst []byte) ([]byte, record.Sum) { return append(dst, body...), known }))
			require.NoError(t, w.Flush())
			require.NoError(t, w.Close())
			files[i] = contents(t, fsys, "f")
		}
		require.Equal(t, files[0], files[1])
	})
}
