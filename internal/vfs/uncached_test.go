package vfs

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// onPages gives bytes of their own, which lie in pages of memory as they would in those of a file from a place on.
func onPages(t *testing.T, random *rand.Rand, size int, at int64) []byte {
	t.Helper()
	memory := make([]byte, size+2*PageBytes)
	for first := range PageBytes {
		if len(memory[first:]) > 0 && onPage(memory[first:]) {
			memory = memory[first+int(at%PageBytes):][:size]
			break
		}
	}
	memory = memory[:size]
	for i := range memory {
		memory[i] = byte(random.Uint32())
	}
	return memory
}

func whole(t *testing.T, fsys FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	size, err := f.Size()
	require.NoError(t, err)
	b, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	require.NoError(t, err)
	return b
}

// TestWriteUncached writes pieces of all sizes at all places, over others and behind them, and reads them while the file grows, on a real disk and in memory.
func TestWriteUncached(t *testing.T) {
	t.Parallel()
	onDisk, err := NewReal(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, onDisk.Close()) })
	for name, fsys := range map[string]FS{"real": onDisk, "mem": NewMem()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			f, err := fsys.Create("f")
			require.NoError(t, err)
			var want []byte
			for range 40 {
				at := int64(random.IntN(len(want) + 1))
				if random.IntN(4) > 0 {
					at = int64(len(want))
				}
				p := onPages(t, random, random.IntN(3*leastUncached/2)+1, at+int64(random.IntN(20)/19)) // now and then not as in the file
				if random.IntN(3) == 0 {
					p = p[:min(len(p), 3*PageBytes)]
				}
				n, err := WriteUncached(f, p, at)
				require.NoError(t, err)
				require.Equal(t, len(p), n)
				want = append(want[:at], append(bytes.Clone(p), want[min(len(want), int(at)+len(p)):]...)...)
				if random.IntN(4) == 0 {
					require.NoError(t, f.Sync())
				}
				if random.IntN(4) == 0 {
					require.True(t, bytes.Equal(want, whole(t, fsys, "f")))
				}
				if random.IntN(8) == 0 {
					want = want[:random.IntN(len(want))]
					require.NoError(t, f.Truncate(int64(len(want))))
				}
			}
			require.True(t, bytes.Equal(want, whole(t, fsys, "f")))
			require.NoError(t, f.Close())
			require.Error(t, f.Close())
		})
	}
}

// TestRefusedPastTheCache goes on by way of the cache once the disk does not take a write past it.
func TestRefusedPastTheCache(t *testing.T) {
	t.Parallel()
	fsys, err := NewReal(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fsys.Close()) })
	opened, err := fsys.Create("f")
	require.NoError(t, err)
	f, ok := opened.(*realFile)
	require.True(t, ok)
	if f.past.to(f.File) == nil {
		t.Skip("this file system has no way past the cache")
	}
	random := rand.New(rand.NewPCG(3, 4))
	want := onPages(t, random, 2*leastUncached, 0)
	n, err := f.writePast(want[:leastUncached-1], 0) // half a page at the end is never taken
	require.NoError(t, err)
	require.Equal(t, leastUncached-1, n)
	require.Nil(t, f.past.to(f.File))
	n, err = WriteUncached(f, want[leastUncached-1:], leastUncached-1)
	require.NoError(t, err)
	require.Equal(t, leastUncached+1, n)
	require.True(t, bytes.Equal(want, whole(t, fsys, "f")))
	require.NoError(t, f.Close())
}
