package spill

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestBytes reads what was written, in any pieces.
func TestBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		disk := vfs.NewMem()
		space, err := Open(disk, "spill", 1<<30)
		require.NoError(t, err)
		file, err := space.CreateBytes()
		require.NoError(t, err)
		size := rapid.SampledFrom([]int{0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 3*blockBytes + 17}).Draw(t, "size")
		want := make([]byte, size)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range want {
			want[i] = byte(random.Uint32())
		}
		for rest := want; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			got, err := file.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, got)
			rest = rest[n:]
		}
		require.NoError(t, file.Flush())
		require.EqualValues(t, size, file.Size())
		require.EqualValues(t, size, space.Used())
		for range 5 {
			at, n := rapid.IntRange(0, size).Draw(t, "at"), rapid.IntRange(0, size+1).Draw(t, "n")
			got := make([]byte, n)
			read, err := file.ReadAt(got, int64(at))
			if at+n > size {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, min(n, size-at), read)
			require.Equal(t, want[at:at+read], got[:read])
		}
		require.NoError(t, file.Close())
		require.Zero(t, space.Used())
		names, err := disk.ReadDir("spill")
		require.NoError(t, err)
		require.Empty(t, names)
	})
}

func TestBytesThatAreDamagedOrTooMany(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	space, err := Open(disk, "spill", 3*blockBytes)
	require.NoError(t, err)
	file, err := space.CreateBytes()
	require.NoError(t, err)
	_, err = file.Write(make([]byte, 2*blockBytes+1))
	require.NoError(t, err)
	require.NoError(t, file.Flush())
	file.sums[1]++ // as if the disk gave other bytes
	var fault *event.Error
	_, err = file.ReadAt(make([]byte, 1), 0)
	require.NoError(t, err)
	_, err = file.ReadAt(make([]byte, 2*blockBytes), 0)
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeCorrupt, fault.Code)
	more, err := space.CreateBytes()
	require.NoError(t, err)
	_, err = more.Write(make([]byte, 2*blockBytes))
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeDiskFull, fault.Code)
	require.NoError(t, more.Close())
	require.NoError(t, file.Close())
	require.Zero(t, space.Used())
}
