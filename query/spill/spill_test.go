package spill_test

import (
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/spill"
)

func open(t testing.TB, disk vfs.FS, limit int64) *spill.Space {
	t.Helper()
	s, err := spill.Open(disk, "tmp/queries", limit)
	require.NoError(t, err)
	return s
}

// columns are some of each kind of array that a batch may have.
func columns(rows int, seed int64) []arrow.Array {
	numbers, codes, words := make([]int64, rows), make([]int32, rows), make([]decimal128.Num, rows)
	valid := event.NewBitmap(rows)
	for i := range rows {
		numbers[i], codes[i], words[i] = seed*int64(i), int32(i%2), decimal128.FromI64(seed-int64(i))
		if (i+int(seed))%3 > 0 {
			valid.Set(i)
		}
	}
	entries := event.NewStrings([]int32{0, 2, 2}, []byte("eu"), nil)
	whole := event.NewInt64s(append([]int64{1, 2, 3}, numbers...), nil)
	return []arrow.Array{
		event.NewInt64s(numbers, valid), nil, event.NewDictionary(codes, entries, valid), array.NewNull(rows),
		array.NewSlice(whole, 3, int64(rows+3)), event.NewFixed(event.Type{Kind: event.UUID}.Arrow(), words, valid),
		event.NewBooleans(valid, rows, nil),
	}
}

func TestChunksComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		disk := vfs.NewMem()
		s, err := spill.Open(disk, "tmp/queries", 1<<30)
		require.NoError(t, err)
		f, err := s.Create()
		require.NoError(t, err)
		var chunks []spill.Chunk
		var want [][]arrow.Array
		for range rapid.IntRange(1, 5).Draw(t, "chunks") {
			rows := rapid.IntRange(1, 3000).Draw(t, "rows")
			written := columns(rows, rapid.Int64().Draw(t, "seed"))
			c, err := f.Append(written, rows)
			require.NoError(t, err)
			require.Equal(t, rows, c.Rows)
			chunks, want = append(chunks, c), append(want, written)
		}
		for _, i := range rapid.Permutation(numbers(len(chunks))).Draw(t, "order") {
			got, err := f.Read(chunks[i])
			require.NoError(t, err)
			for c, column := range want[i] {
				if column == nil {
					require.Nil(t, got[c])
					continue
				}
				require.True(t, array.Equal(kernel.Decode(column), got[c]), "column %d", c)
			}
		}
		require.Positive(t, s.Used())
		require.NoError(t, f.Close())
		require.NoError(t, f.Close())
		require.Zero(t, s.Used())
		left, err := disk.ReadDir("tmp/queries")
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestDamageIsSeen(t *testing.T) {
	t.Parallel()
	disk := &flipping{FS: vfs.NewMem()}
	f, err := open(t, disk, 1<<30).Create()
	require.NoError(t, err)
	chunk, err := f.Append(columns(100, 5), 100)
	require.NoError(t, err)
	_, err = f.Read(chunk)
	require.NoError(t, err)
	disk.flip = true
	_, err = f.Read(chunk)
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeCorrupt, e.Code)
	require.NoError(t, f.Close())
}

// flipping gives back wrong bytes once it is told to.
type flipping struct {
	vfs.FS
	flip bool
}

func (d *flipping) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return &flippingFile{File: f, disk: d}, err
}

type flippingFile struct {
	vfs.File
	disk *flipping
}

func (f *flippingFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(p, at)
	if f.disk.flip {
		p[n/2] ^= 4
	}
	return n, err
}

func TestSpaceIsBounded(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	s := open(t, disk, 20<<10)
	f, err := s.Create()
	require.NoError(t, err)
	for err == nil {
		_, err = f.Append(columns(1000, 1<<40+7), 1000)
	}
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeDiskFull, e.Code)
	require.LessOrEqual(t, s.Used(), int64(20<<10))
	require.NoError(t, f.Close())
	require.Zero(t, s.Used())

	disk.SetFree(100<<20, 100<<30)
	f, err = s.Create()
	require.NoError(t, err)
	_, err = f.Append(columns(10, 1), 10)
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeDiskFull, e.Code, "a disk that is nearly full is left to ingest")
	require.NoError(t, f.Close())
}

func TestOpenRemovesWhatWasLeft(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	f, err := open(t, disk, 1<<30).Create()
	require.NoError(t, err)
	_, err = f.Append(columns(10, 1), 10)
	require.NoError(t, err)
	again := open(t, disk, 1<<30)
	left, err := disk.ReadDir("tmp/queries")
	require.NoError(t, err)
	require.Empty(t, left)
	require.Zero(t, again.Used())
}

func TestFilesAreWrittenSideBySide(t *testing.T) {
	t.Parallel()
	s := open(t, vfs.NewMem(), 1<<30)
	var workers sync.WaitGroup
	for worker := range int64(4) {
		workers.Go(func() {
			f, err := s.Create()
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 20 {
				chunk, err := f.Append(columns(50+i, worker), 50+i)
				if err != nil {
					t.Error(err)
				}
				if got, err := f.Read(chunk); err != nil || got[0].Len() != 50+i {
					t.Errorf("%v, %v", got, err)
				}
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	workers.Wait()
	require.Zero(t, s.Used())
}
