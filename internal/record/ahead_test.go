package record_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// group adds, writes and syncs a frame.
func group(t *testing.T, w *record.Writer, body string) {
	t.Helper()
	require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, body...) }))
	require.NoError(t, w.Flush())
	require.NoError(t, w.Sync())
}

func aheadOn(t *testing.T, fsys vfs.FS) *record.Writer {
	t.Helper()
	w, err := record.Create(fsys, "f", record.EventLog, 42)
	require.NoError(t, err)
	w.Ahead(1 << 30)
	return w
}

// TestFilesGrowAhead of their frames, by zeroes that readers take for none, and that a mark cuts off.
func TestFilesGrowAhead(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w := aheadOn(t, fsys)
	sizes := map[int]bool{}
	var want []string
	for i := range 1000 {
		want = append(want, bodyOf(i%10+1))
		group(t, w, want[i])
		sizes[len(contents(t, fsys, "f"))] = true
	}
	require.Less(t, len(sizes), 10, "hardly a sync makes the file grow")
	whole := contents(t, fsys, "f")
	require.Less(t, w.Size(), int64(len(whole)))
	bodies, _, err := scan(t, whole, record.ScanOptions{})
	require.ErrorIs(t, err, record.ErrTorn)
	require.Equal(t, want, bodies)
	checked, err := record.Check(fsys, "f", record.EventLog, false, func(record.Frame) error { return nil })
	require.NoError(t, err)
	require.Empty(t, checked.Damage)
	require.Zero(t, checked.Torn)
	require.Equal(t, int64(len(whole))-w.Size(), checked.Unused)

	require.NoError(t, w.Mark())
	marked := contents(t, fsys.Crash(), "f")
	require.Len(t, marked, int(w.Size()))
	bodies, closed, err := scan(t, marked, record.ScanOptions{Whole: true})
	require.NoError(t, err)
	require.True(t, closed)
	require.Equal(t, want, bodies)
	bodies, closed, err = scan(t, append(marked, make([]byte, 5000)...), record.ScanOptions{Whole: true})
	require.NoError(t, err, "a crash between the mark and the cut")
	require.True(t, closed)
	require.Equal(t, want, bodies)
	_, _, err = scan(t, append(bytes.Clone(marked), append(make([]byte, 5000), 1)...), record.ScanOptions{Whole: true})
	requireCorrupt(t, err)

	group(t, w, "goes on")
	require.NoError(t, w.Mark())
	bodies, _, err = scan(t, contents(t, fsys, "f"), record.ScanOptions{Whole: true})
	require.NoError(t, err)
	require.Equal(t, append(want, "goes on"), bodies)
}

func TestLargeGroupsGrowTheFileThemselves(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w := aheadOn(t, fsys)
	for range 3 {
		group(t, w, strings.Repeat("x", 200<<10))
		require.Len(t, contents(t, fsys, "f"), int(w.Size()))
		group(t, w, "between larger ones")
		require.Len(t, contents(t, fsys, "f"), int(w.Size()))
	}
	group(t, w, "behind a small one")
	require.Greater(t, len(contents(t, fsys, "f")), int(w.Size()))
	require.NoError(t, w.Close())
}

// TestMiddlingGroupsHaveRoomForFewerAhead than small ones, as what the zeroes take has a bound.
func TestMiddlingGroupsHaveRoomForFewerAhead(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w := aheadOn(t, fsys)
	sizes := map[int]bool{}
	for range 60 {
		group(t, w, strings.Repeat("x", 100<<10))
		sizes[len(contents(t, fsys, "f"))] = true
	}
	require.Len(t, sizes, 2)
	require.LessOrEqual(t, int64(len(contents(t, fsys, "f")))-w.Size(), int64(4<<20))
	require.NoError(t, w.Close())
}

// TestAFullDiskHasNoRoomAhead and takes frames for as long as those themselves fit.
func TestAFullDiskHasNoRoomAhead(t *testing.T) {
	t.Parallel()
	for room := range uint64(400) {
		fsys := vfs.NewMem()
		w := aheadOn(t, fsys)
		fsys.SetCapacity(1000 + room)
		var want []string
		for i := 0; ; i++ {
			require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, bodyOf(i%10)...) }))
			if err := w.Flush(); err != nil {
				require.True(t, vfs.Full(err))
				break
			}
			require.NoError(t, w.Sync())
			want = append(want, bodyOf(i%10))
		}
		require.NoError(t, w.Failed())
		require.Greater(t, w.Size(), int64(900), "what fits is taken")
		bodies, _, err := scan(t, contents(t, fsys.Crash(), "f"), record.ScanOptions{})
		if err != nil {
			require.ErrorIs(t, err, record.ErrTorn)
		}
		require.Equal(t, want, bodies)
	}
}

// TestNothingIsLeftOfWhatFoundNoSpace although the frame that takes its place is as long as its first one: those behind that would be whole.
func TestNothingIsLeftOfWhatFoundNoSpace(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w := aheadOn(t, fsys)
	group(t, w, "first")
	zeroed := contents(t, fsys, "f")
	fsys.SetCapacity(uint64(len(zeroed)))
	for _, body := range []string{"refused 1", "refused 2", strings.Repeat("x", len(zeroed))} {
		require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, body...) }))
	}
	require.True(t, vfs.Full(w.Flush()))
	fsys.SetCapacity(1 << 20)
	group(t, w, "accepted!")
	bodies, _, err := scan(t, contents(t, fsys.Crash(), "f"), record.ScanOptions{})
	if err != nil {
		require.ErrorIs(t, err, record.ErrTorn)
	}
	require.Equal(t, []string{"first", "accepted!"}, bodies)
}

// growing writes on whenever the file is read.
type growing struct {
	vfs.FS
	grow func()
}

type growingFile struct {
	vfs.File
	grow func()
}

// Open implements vfs.FS.
func (g growing) Open(name string) (vfs.File, error) {
	file, err := g.FS.Open(name)
	return growingFile{file, g.grow}, err
}

// ReadAt implements io.ReaderAt.
func (g growingFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := g.File.ReadAt(p, off)
	g.grow()
	return n, err
}

// TestAFileThatGrowsWhileItIsReadIsNotDamaged although frames appear where zeroes were read before, and later ones say that they are durable.
func TestAFileThatGrowsWhileItIsReadIsNotDamaged(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	w := aheadOn(t, mem)
	group(t, w, "first")
	fsys := growing{mem, func() {
		for range 3 {
			group(t, w, strings.Repeat("y", 300))
		}
	}}
	frames := 0
	checked, err := record.Check(fsys, "f", record.EventLog, false, func(record.Frame) error { frames++; return nil })
	require.NoError(t, err)
	require.Empty(t, checked.Damage)
	require.Greater(t, frames, 1)
}
