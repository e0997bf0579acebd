package vfs_test

import (
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestEveryOperationCanFail fails each operation that a file system has, whatever it is.
func TestEveryOperationCanFail(t *testing.T) {
	t.Parallel()
	var fail vfs.Op
	mem := vfs.NewMem()
	fsys := vfs.NewFaultyAll(mem, func(op vfs.Op, _ string) error {
		if op == fail {
			return syscall.EIO
		}
		return nil
	})
	require.NoError(t, write(t, fsys, "a", "1234").Close())
	f, err := fsys.Open("a")
	require.NoError(t, err)
	for op, try := range map[vfs.Op]func() error{
		vfs.OpOpen:    func() error { _, err := fsys.Open("a"); return err },
		vfs.OpRead:    func() error { _, err := f.ReadAt(make([]byte, 1), 0); return err },
		vfs.OpSize:    func() error { _, err := f.Size(); return err },
		vfs.OpReadDir: func() error { _, err := fsys.ReadDir("."); return err },
		vfs.OpStat:    func() error { _, err := fsys.Stat("a"); return err },
		vfs.OpLock:    func() error { _, err := fsys.Lock("LOCK"); return err },
		vfs.OpFree:    func() error { _, _, err := fsys.FreeBytes(); return err },
	} {
		require.NoError(t, try(), op)
		fail = op
		require.ErrorIs(t, try(), syscall.EIO, op)
		fail = ""
	}
	fail = vfs.OpClose
	require.ErrorIs(t, f.Close(), syscall.EIO)
	fail = ""
	require.ErrorIs(t, f.Close(), fs.ErrClosed, "a file is closed whatever closing it answers")
}

// TestNothingChangesAfterTheEnd ends the disk while inject looks at an operation, which then comes too late, as every later one does.
func TestNothingChangesAfterTheEnd(t *testing.T) {
	t.Parallel()
	for op, try := range map[vfs.Op]func(fsys vfs.FS, f vfs.File) error{
		vfs.OpCreate:   func(fsys vfs.FS, _ vfs.File) error { _, err := fsys.Create("c"); return err },
		vfs.OpWrite:    func(_ vfs.FS, f vfs.File) error { _, err := f.Write([]byte("5678")); return err },
		vfs.OpSync:     func(_ vfs.FS, f vfs.File) error { return f.Sync() },
		vfs.OpTruncate: func(_ vfs.FS, f vfs.File) error { return f.Truncate(1) },
		vfs.OpRename:   func(fsys vfs.FS, _ vfs.File) error { return fsys.Rename("a", "b") },
		vfs.OpLink:     func(fsys vfs.FS, _ vfs.File) error { return fsys.Link("a", "b") },
		vfs.OpRemove:   func(fsys vfs.FS, _ vfs.File) error { return fsys.Remove("a") },
		vfs.OpMkdir:    func(fsys vfs.FS, _ vfs.File) error { return fsys.MkdirAll("d") },
		vfs.OpSyncDir:  func(fsys vfs.FS, _ vfs.File) error { return fsys.SyncDir(".") },
	} {
		mem, ended := vfs.NewMem(), false
		var fsys *vfs.Faulty
		fsys = vfs.NewFaulty(mem, func(at vfs.Op, _ string) error {
			if at == op && !ended {
				fsys.End(syscall.EIO, func() { ended = true })
			}
			return nil
		})
		f := write(t, mem, "a", "1234")
		require.NoError(t, f.Close())
		f, err := fsys.OpenAppend("a")
		require.NoError(t, err)
		require.ErrorIs(t, try(fsys, f), syscall.EIO, op)
		require.True(t, ended)
		require.ErrorIs(t, try(fsys, f), syscall.EIO, op)
		require.Equal(t, "1234", read(t, mem, "a"), op)
		names, err := mem.ReadDir(".")
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, names, op)
		require.NoError(t, f.Close())
	}
}

// slowSync is a disk of which a sync has begun when begun is closed, and takes some time from then on.
type slowSync struct {
	vfs.FS
	begun chan struct{}
	done  atomic.Bool
}

func (s *slowSync) SyncDir(string) error {
	close(s.begun)
	for range 1000 {
		runtime.Gosched()
	}
	s.done.Store(true)
	return nil
}

func TestTheEndWaitsForWhatHasBegun(t *testing.T) {
	t.Parallel()
	disk := &slowSync{FS: vfs.NewMem(), begun: make(chan struct{})}
	fsys := vfs.NewFaulty(disk, func(vfs.Op, string) error { return nil })
	answer := make(chan error)
	go func() { answer <- fsys.SyncDir(".") }()
	<-disk.begun
	fsys.End(syscall.EIO, func() { require.True(t, disk.done.Load()) })
	require.NoError(t, <-answer, "what had begun is done")
}

// TestFaults lets each fault happen to a file of four bytes.
func TestFaults(t *testing.T) {
	t.Parallel()
	open := func(fault vfs.Fault) (*vfs.Mem, *vfs.Script, vfs.File) {
		mem, script := vfs.NewMem(), vfs.NewScript(fault, 1, false, 7)
		f, err := mem.Create("f")
		require.NoError(t, err)
		_, err = f.Write([]byte("kept"))
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, mem.SyncDir("."))
		require.NoError(t, f.Close())
		f, err = vfs.NewFaulty(mem, script.Inject).OpenAppend("f")
		require.NoError(t, err)
		return mem, script, f
	}
	mem, _, f := open(vfs.FaultForget)
	_, err := f.Write([]byte("lost"))
	require.NoError(t, err)
	require.Equal(t, "keptlost", read(t, mem, "f"))
	require.ErrorIs(t, f.Sync(), syscall.EIO)
	require.Equal(t, "kept\x00\x00\x00\x00", read(t, mem, "f"))
	require.NoError(t, f.Sync())
	require.Equal(t, "kept", read(t, mem.Crash(), "f"))

	mem, script, f := open(vfs.FaultShort)
	n, err := f.Write([]byte("halves"))
	require.ErrorIs(t, err, syscall.EIO)
	require.Equal(t, 3, n)
	_, err = f.Write([]byte("whole"))
	require.NoError(t, err, "once")
	require.Equal(t, "kepthalwhole", read(t, mem, "f"))
	require.Equal(t, 2, script.Count())
	require.Equal(t, "short at operation 1, once: write f", script.String())

	_, _, f = open(vfs.FaultFull)
	_, err = f.Write([]byte("x"))
	require.True(t, vfs.Full(err))
}

func TestAReadCanGiveAWrongBit(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	text := strings.Repeat("a", 100)
	require.NoError(t, write(t, mem, "f", text).Close())
	for number := range 5 {
		script := vfs.NewScript(vfs.FaultFlip, number+1, false, 3)
		f, err := vfs.NewFaultyAll(mem, script.Inject).Open("f")
		require.NoError(t, err)
		for i := range 5 {
			b := make([]byte, len(text))
			_, err := f.ReadAt(b, 0)
			require.NoError(t, err)
			require.Equal(t, i != number, string(b) == text)
		}
		_, err = f.ReadAt(make([]byte, 1), int64(len(text)))
		require.ErrorIs(t, err, io.EOF)
	}
}

func TestStickyFaultsEndWhenTheyAreToldTo(t *testing.T) {
	t.Parallel()
	script := vfs.NewScript(vfs.FaultIO, 2, true, 0)
	require.NoError(t, script.Inject(vfs.OpRead, "a"))
	for range 3 {
		require.ErrorIs(t, script.Inject(vfs.OpStat, "b"), syscall.EIO)
	}
	script.End()
	require.NoError(t, script.Inject(vfs.OpWrite, "c"))
	require.Equal(t, "io at operation 2, from then on: stat b", script.String())
}

func TestADiskInMemoryCanBeFull(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	mem.SetCapacity(10)
	f := write(t, mem, "f", "123456")
	n, err := f.Write([]byte("7890abc"))
	require.True(t, vfs.Full(err))
	require.Equal(t, 4, n, "as much as fits")
	_, err = mem.Create("g")
	require.True(t, vfs.Full(err))
	free, total, err := mem.FreeBytes()
	require.NoError(t, err)
	require.Zero(t, free)
	require.EqualValues(t, 10, total)
	require.NoError(t, f.Truncate(1))
	_, err = mem.Create("g")
	require.NoError(t, err)
	free, _, err = mem.FreeBytes()
	require.NoError(t, err)
	require.EqualValues(t, 9, free)
}
