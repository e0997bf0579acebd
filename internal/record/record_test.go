package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// fixture is a small file with syncs in between: the hints of its frames rise.
func fixture(tb testing.TB, marked bool) []byte {
	tb.Helper()
	fsys := vfs.NewMem()
	w, err := record.Create(fsys, "f", record.EventLog, 42)
	require.NoError(tb, err)
	for i := range 5 {
		require.NoError(tb, w.Add(uint8(i+1), func(dst []byte) []byte { return append(dst, bodyOf(i)...) }))
		require.NoError(tb, w.Flush())
		if i%2 == 1 {
			require.NoError(tb, w.Sync())
		}
	}
	if marked {
		require.NoError(tb, w.Mark())
	}
	return contents(tb, fsys, "f")
}

func bodyOf(i int) string { return strings.Repeat(fmt.Sprint(i), i*3) }

func contents(tb testing.TB, fsys vfs.FS, name string) []byte {
	tb.Helper()
	f, err := fsys.Open(name)
	require.NoError(tb, err)
	size, err := f.Size()
	require.NoError(tb, err)
	b, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	require.NoError(tb, err)
	require.NoError(tb, f.Close())
	return b
}

// disk is a file system that holds one durable file "f".
func disk(tb testing.TB, b []byte) *vfs.Mem {
	tb.Helper()
	fsys := vfs.NewMem()
	f, err := fsys.Create("f")
	require.NoError(tb, err)
	_, err = f.Write(b)
	require.NoError(tb, err)
	require.NoError(tb, f.Sync())
	require.NoError(tb, fsys.SyncDir("."))
	require.NoError(tb, f.Close())
	return fsys
}

// scan gives the bodies read before the end, and the error.
func scan(tb testing.TB, b []byte, options record.ScanOptions) (bodies []string, closed bool, err error) {
	tb.Helper()
	closed, err = record.Scan(disk(tb, b), "f", record.EventLog, options, func(f record.Frame) error {
		bodies = append(bodies, string(f.Body))
		return nil
	})
	return bodies, closed, err
}

func requireCorrupt(tb testing.TB, err error) *record.CorruptionError {
	tb.Helper()
	var e *event.Error
	require.ErrorAs(tb, err, &e)
	require.Equal(tb, event.CodeCorrupt, e.Code)
	var c *record.CorruptionError
	require.ErrorAs(tb, err, &c)
	return c
}

func requirePrefix(tb testing.TB, got []string) {
	tb.Helper()
	require.LessOrEqual(tb, len(got), 5)
	for i, body := range got {
		require.Equal(tb, bodyOf(i), body)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, marked := range []bool{false, true} {
		bodies, closed, err := scan(t, fixture(t, marked), record.ScanOptions{Whole: true})
		require.NoError(t, err)
		require.Len(t, bodies, 5)
		requirePrefix(t, bodies)
		require.Equal(t, marked, closed)
	}
}

func TestTruncationIsTorn(t *testing.T) {
	t.Parallel()
	whole := fixture(t, false)
	ends := map[int]bool{len(whole): true}
	for n := range whole {
		bodies, _, err := scan(t, whole[:n], record.ScanOptions{})
		requirePrefix(t, bodies)
		if err == nil {
			ends[n] = true
		} else {
			require.ErrorIs(t, err, record.ErrTorn, "cut at %d", n)
		}
		_, _, err = scan(t, whole[:n], record.ScanOptions{Whole: true})
		if !ends[n] {
			require.Equal(t, "f", requireCorrupt(t, err).File)
		}
	}
	require.Len(t, ends, 6, "a file ends cleanly after its header and after each frame, and nowhere else")
}

// TestBitFlips changes every bit of a file. In a file that was closed in order no flip may cost a frame in silence; in one that
// was not, only those after the last sync that another frame tells of.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	for _, marked := range []bool{false, true} {
		whole := fixture(t, marked)
		for bit := range len(whole) * 8 {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			bodies, _, err := scan(t, b, record.ScanOptions{})
			requirePrefix(t, bodies)
			require.Error(t, err, "bit %d", bit)
			if errors.Is(err, record.ErrTorn) {
				least := 4 // frames 0 to 3 are known durable from the hint of frame 4
				if marked {
					least = 5
				}
				require.GreaterOrEqual(t, len(bodies), least, "bit %d", bit)
				continue
			}
			c := requireCorrupt(t, err)
			require.Equal(t, "f", c.File)
			require.LessOrEqual(t, c.Offset, int64(bit/8))
		}
	}
}

func TestZeroedPagesInTheTailAreTorn(t *testing.T) {
	t.Parallel()
	whole := fixture(t, false)
	b := append(bytes.Clone(whole), make([]byte, 4096)...)
	bodies, _, err := scan(t, b, record.ScanOptions{})
	require.ErrorIs(t, err, record.ErrTorn)
	require.Len(t, bodies, 5)
}

func TestLaterFrameWithoutClaimIsTorn(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w, err := record.Create(fsys, "f", record.EventLog, 7)
	require.NoError(t, err)
	for i := range 3 { // one write, no sync in between: a device may store its pages in any order
		require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, bodyOf(i+1)...) }))
	}
	require.NoError(t, w.Flush())
	b := contents(t, fsys, "f")
	b[20] ^= 1
	bodies, _, err := scan(t, b, record.ScanOptions{})
	require.ErrorIs(t, err, record.ErrTorn)
	require.Empty(t, bodies)
}

func TestFramesOfAFormerLifeAreNotTaken(t *testing.T) {
	t.Parallel()
	former := fixture(t, false)
	w, err := record.Create(vfs.NewMem(), "f", record.EventLog, 43)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	fsys := vfs.NewMem()
	w, err = record.Create(fsys, "f", record.EventLog, 43)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	b := append(contents(t, fsys, "f"), former[20:]...)
	bodies, _, err := scan(t, b, record.ScanOptions{})
	require.ErrorIs(t, err, record.ErrTorn)
	require.Empty(t, bodies)
}

func TestWrongFiles(t *testing.T) {
	t.Parallel()
	whole := fixture(t, true)
	_, err := record.Scan(disk(t, whole), "f", record.Journal, record.ScanOptions{}, nil)
	require.ErrorContains(t, requireCorrupt(t, err), "content 1 where 2")
	_, _, err = scan(t, []byte("PAR1, and then something of a length"), record.ScanOptions{})
	require.Zero(t, requireCorrupt(t, err).Offset)
}

func TestTooLargeBodyLeavesNothing(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w, err := record.Create(fsys, "f", record.EventLog, 42)
	require.NoError(t, err)
	err = w.Add(1, func(dst []byte) []byte { return append(dst, make([]byte, record.MaxBody+1)...) })
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeTooLarge, e.Code)
	require.Zero(t, w.Pending())
	require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, 'x') }))
	require.NoError(t, w.Mark())
	bodies, closed, err := scan(t, contents(t, fsys, "f"), record.ScanOptions{})
	require.NoError(t, err)
	require.True(t, closed)
	require.Equal(t, []string{"x"}, bodies)
}

// TestResume appends to a file cut at every byte: the frames before the cut stay, new ones follow, and all is durable.
// TestSilentWritersKeepNoBuffer looks at the buffer that an encoder is given: what a busy moment took is kept while it is of use, and given
// back once nothing but small frames comes.
func TestSilentWritersKeepNoBuffer(t *testing.T) {
	t.Parallel()
	w, err := record.Create(vfs.NewMem(), "f", record.EventLog, 42)
	require.NoError(t, err)
	write := func(bytes int) (had int) {
		require.NoError(t, w.Add(1, func(dst []byte) []byte {
			had = cap(dst)
			return append(dst, make([]byte, bytes)...)
		}))
		require.NoError(t, w.Flush())
		return had
	}
	for range 3 {
		write(1 << 20)
		require.Greater(t, write(1<<17), 1<<20, "the buffer of a writer that is busy")
		for range 7 {
			require.Greater(t, write(10), 1<<20, "the buffer of a writer that was busy just now")
		}
	}
	write(1 << 20)
	for range 8 {
		write(10)
	}
	require.Less(t, write(10), 1<<16, "the buffer of a writer that has fallen silent")
}

func TestResume(t *testing.T) {
	t.Parallel()
	whole := fixture(t, false)
	for n := range len(whole) + 1 {
		fsys := disk(t, whole[:n])
		var before []string
		w, err := record.Resume(fsys, "f", record.EventLog, func(f record.Frame) error {
			before = append(before, string(f.Body))
			return nil
		})
		require.NoError(t, err, "cut at %d", n)
		requirePrefix(t, before)
		require.NoError(t, w.Add(9, func(dst []byte) []byte { return append(dst, "new"...) }))
		require.NoError(t, w.Mark())
		require.NoError(t, w.Close())
		after, closed, err := scan(t, contents(t, fsys.Crash(), "f"), record.ScanOptions{Whole: true})
		require.NoError(t, err)
		require.True(t, closed)
		require.Equal(t, append(before, "new"), after)
	}
}

// TestResumeWritesUnsyncedFramesAgain shows that frames which were only ever in the page cache are durable after Resume.
func TestResumeWritesUnsyncedFramesAgain(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	w, err := record.Create(fsys, "f", record.EventLog, 42)
	require.NoError(t, err)
	require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, "seen"...) }))
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	resumed, err := record.Resume(fsys, "f", record.EventLog, func(record.Frame) error { return nil })
	require.NoError(t, err)
	require.NoError(t, resumed.Close())
	bodies, _, err := scan(t, contents(t, fsys.Crash(), "f"), record.ScanOptions{Whole: true})
	require.NoError(t, err)
	require.Equal(t, []string{"seen"}, bodies)
}

func TestFailureIsForGood(t *testing.T) {
	t.Parallel()
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync} {
		fail := false
		fsys := vfs.NewFaulty(vfs.NewMem(), func(at vfs.Op, _ string) error {
			if fail && at == op {
				return io.ErrClosedPipe
			}
			return nil
		})
		w, err := record.Create(fsys, "f", record.EventLog, 42)
		require.NoError(t, err)
		fail = true
		require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, 'x') }))
		err = errors.Join(w.Flush(), w.Sync())
		require.ErrorIs(t, err, record.ErrFailed, op)
		require.ErrorIs(t, err, io.ErrClosedPipe)
		fail = false
		require.ErrorIs(t, w.Sync(), record.ErrFailed)
		require.ErrorIs(t, w.Flush(), record.ErrFailed)
		require.ErrorIs(t, w.Add(1, nil), record.ErrFailed)
		require.ErrorIs(t, w.Mark(), record.ErrFailed)
	}
}

// TestWriteFileAppearsWholeOrNotAtAll cuts the power before every operation.
func TestWriteFileAppearsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	mem := disk(t, fixture(t, true))
	var crashes []*vfs.Mem
	fsys := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		crashes = append(crashes, mem.Crash())
		return nil
	})
	require.NoError(t, record.WriteFile(fsys, "f", record.EventLog, func(w *record.Writer) error {
		return w.Add(1, func(dst []byte) []byte { return append(dst, "second"...) })
	}))
	crashes = append(crashes, mem.Crash())
	var seen []int
	for _, c := range crashes {
		bodies, closed, err := scan(t, contents(t, c, "f"), record.ScanOptions{Whole: true})
		require.NoError(t, err)
		require.True(t, closed)
		seen = append(seen, len(bodies))
	}
	require.Equal(t, 1, seen[len(seen)-1])
	require.Equal(t, 5, seen[len(seen)-2], "the last operation is the sync of the directory")
}

func FuzzScanner(f *testing.F) {
	for _, marked := range []bool{false, true} {
		whole := fixture(f, marked)
		f.Add(whole)
		f.Add(whole[:len(whole)-3])
		f.Add(append(bytes.Clone(whole[:60]), whole[90:]...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frames := int64(0)
		_, err := record.Scan(disk(t, b), "f", record.EventLog, record.ScanOptions{}, func(f record.Frame) error {
			frames += int64(len(f.Body)) + 28
			require.LessOrEqual(t, f.Offset+28+int64(len(f.Body)), int64(len(b)))
			return nil
		})
		require.LessOrEqual(t, frames, int64(len(b)))
		var e *event.Error
		if err != nil && !errors.Is(err, record.ErrTorn) {
			require.ErrorAs(t, err, &e)
		}
	})
}

// TestClaimFarBehindTheDamage puts the frame that convicts at every place relative to the windows in which it is searched.
func TestClaimFarBehindTheDamage(t *testing.T) {
	t.Parallel()
	for shift := range 64 {
		fsys := vfs.NewMem()
		w, err := record.Create(fsys, "f", record.EventLog, 42)
		require.NoError(t, err)
		require.NoError(t, w.Add(1, func(dst []byte) []byte { return append(dst, make([]byte, 512<<10-shift)...) }))
		require.NoError(t, w.Mark())
		b := contents(t, fsys, "f")
		b[30] ^= 1
		_, _, err = scan(t, b, record.ScanOptions{})
		c := requireCorrupt(t, err)
		require.Equal(t, int64(20), c.Offset)
		require.ErrorContains(t, err, fmt.Sprintf("frame at byte %d shows", len(b)-28))
	}
}
