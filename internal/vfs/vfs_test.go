package vfs_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestConformance holds every FS to one behaviour.
func TestConformance(t *testing.T) {
	t.Parallel()
	makers := map[string]func(t *testing.T) vfs.FS{
		"real": func(t *testing.T) vfs.FS { t.Helper(); return newReal(t, t.TempDir()) },
		"mem":  func(*testing.T) vfs.FS { return vfs.NewMem() },
		"faulty": func(*testing.T) vfs.FS {
			return vfs.NewFaulty(vfs.NewMem(), func(vfs.Op, string) error { return nil })
		},
	}
	rules := map[string]func(*testing.T, vfs.FS){
		"files": testFiles, "names": testNames, "directories": testDirectories, "rename": testRename, "link": testLink,
		"lock": testLock, "openings": testOpenings, "places": testPlaces,
	}
	for kind, newFS := range makers {
		for rule, run := range rules {
			t.Run(kind+"/"+rule, func(t *testing.T) {
				t.Parallel()
				run(t, newFS(t))
			})
		}
	}
}

func newReal(t *testing.T, dir string) *vfs.Real {
	t.Helper()
	r, err := vfs.NewReal(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func write(t *testing.T, fsys vfs.FS, name, text string) vfs.File {
	t.Helper()
	f, err := fsys.Create(name)
	require.NoError(t, err)
	n, err := f.Write([]byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
	return f
}

func read(t *testing.T, fsys vfs.FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	require.NoError(t, err)
	size, err := f.Size()
	require.NoError(t, err)
	b, err := io.ReadAll(io.NewSectionReader(f, 0, size+1))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return string(b)
}

func testFiles(t *testing.T, fsys vfs.FS) {
	t.Helper()
	f := write(t, fsys, "a", "hello")
	require.NoError(t, f.Sync())
	buf := make([]byte, 8)
	n, err := f.ReadAt(buf, 1)
	require.Equal(t, 4, n)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "ello", string(buf[:n]))
	_, err = f.ReadAt(buf, 5)
	require.ErrorIs(t, err, io.EOF)

	require.NoError(t, f.Truncate(2))
	_, err = f.Write([]byte("y"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Close(), fs.ErrClosed)
	require.Equal(t, "hey", read(t, fsys, "a"))

	f, err = fsys.OpenAppend("a")
	require.NoError(t, err)
	_, err = f.Write([]byte("!"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(6))
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	require.Equal(t, "hey!\x00\x00", read(t, fsys, "a"))
	long := strings.Repeat("0123456789", 50_000)
	require.NoError(t, write(t, fsys, "long", long).Close())
	require.Equal(t, long, read(t, fsys, "long"))
}

func testPlaces(t *testing.T, fsys vfs.FS) {
	t.Helper()
	f, err := fsys.Create("a")
	require.NoError(t, err)
	for _, w := range []struct {
		at   int64
		text string
	}{{0, "hello"}, {1, "ip"}, {4, "ody"}, {9, "!"}} {
		n, err := f.WriteAt([]byte(w.text), w.at)
		require.NoError(t, err)
		require.Equal(t, len(w.text), n)
	}
	require.Equal(t, "hiplody\x00\x00!", read(t, fsys, "a"))
	long := []byte(strings.Repeat("0123456789", 50_000)) // more than is written at a time
	n, err := f.WriteAt(long, 3)
	require.NoError(t, err)
	require.Equal(t, len(long), n)
	require.Equal(t, "hip"+string(long), read(t, fsys, "a"))
	n, err = f.WriteAt(nil, 3)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, f.Truncate(3))
	_, err = f.WriteAt([]byte("x"), 1)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "hxp", read(t, fsys, "a"))
	f, err = fsys.OpenAppend("a")
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("x"), 0)
	require.Error(t, err, "only where Create has opened it")
	require.NoError(t, f.Close())
}

func testOpenings(t *testing.T, fsys vfs.FS) {
	t.Helper()
	require.NoError(t, write(t, fsys, "a", "x").Close())
	_, err := fsys.Create("a")
	require.ErrorIs(t, err, fs.ErrExist)
	for _, open := range []func(string) (vfs.File, error){fsys.Open, fsys.OpenAppend} {
		_, err = open("b")
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	_, err = fsys.Create("no/b")
	require.ErrorIs(t, err, fs.ErrNotExist)

	f, err := fsys.Open("a")
	require.NoError(t, err)
	_, err = f.Write([]byte("y"))
	require.Error(t, err)
	require.Error(t, f.Truncate(0))
	require.NoError(t, fsys.Remove("a"))
	buf := make([]byte, 1)
	_, err = f.ReadAt(buf, 0)
	require.NoError(t, err, "a removed file stays readable for those who have it open")
	require.NoError(t, f.Close())
}

func testNames(t *testing.T, fsys vfs.FS) {
	t.Helper()
	for _, name := range []string{"", "/a", "../a", "a/../../b", "a//b", "a/", "./a"} {
		_, err := fsys.Create(name)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
		require.ErrorIs(t, fsys.MkdirAll(name), fs.ErrInvalid, "%q", name)
		require.ErrorIs(t, fsys.Remove(name), fs.ErrInvalid, "%q", name)
		_, err = fsys.Stat(name)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", name)
	}
}

func testDirectories(t *testing.T, fsys vfs.FS) {
	t.Helper()
	require.NoError(t, vfs.MkdirAllSync(fsys, "d/e"))
	require.NoError(t, fsys.MkdirAll("d/e"), "making it again is fine")
	require.NoError(t, write(t, fsys, "d/b", "").Close())
	require.NoError(t, write(t, fsys, "d/a", "12").Close())
	require.NoError(t, fsys.SyncDir("d"))
	names, err := fsys.ReadDir("d")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "e"}, names)
	names, err = fsys.ReadDir(".")
	require.NoError(t, err)
	require.Equal(t, []string{"d"}, names)
	_, err = fsys.ReadDir("f")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, fsys.SyncDir("f"), fs.ErrNotExist)
	require.Error(t, fsys.MkdirAll("d/a"))

	info, err := fsys.Stat("d/a")
	require.NoError(t, err)
	require.Equal(t, int64(2), info.Size())
	require.False(t, info.IsDir())
	info, err = fsys.Stat("d/e")
	require.NoError(t, err)
	require.True(t, info.IsDir())
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())

	require.Error(t, fsys.Remove("d"), "not empty")
	require.NoError(t, fsys.Remove("d/e"))
	require.ErrorIs(t, fsys.Remove("d/e"), fs.ErrNotExist)
	free, total, err := fsys.FreeBytes()
	require.NoError(t, err)
	require.Positive(t, total)
	require.LessOrEqual(t, free, total)
}

func testRename(t *testing.T, fsys vfs.FS) {
	t.Helper()
	require.NoError(t, fsys.MkdirAll("d"))
	require.NoError(t, write(t, fsys, "a", "new").Close())
	require.NoError(t, write(t, fsys, "d/b", "old").Close())
	require.NoError(t, fsys.Rename("a", "d/b"))
	require.Equal(t, "new", read(t, fsys, "d/b"))
	require.ErrorIs(t, fsys.Rename("a", "c"), fs.ErrNotExist)
	require.ErrorIs(t, fsys.Rename("d/b", "no/b"), fs.ErrNotExist)
	require.NoError(t, write(t, fsys, "a", "").Close())
	require.Error(t, fsys.Rename("a", "d"))
}

func testLock(t *testing.T, fsys vfs.FS) {
	t.Helper()
	held, err := fsys.Lock("lock")
	require.NoError(t, err)
	_, err = fsys.Lock("lock")
	require.ErrorIs(t, err, vfs.ErrLocked)
	require.NoError(t, held.Close())
	held, err = fsys.Lock("lock")
	require.NoError(t, err)
	require.NoError(t, held.Close())
}

func testLink(t *testing.T, fsys vfs.FS) {
	t.Helper()
	require.NoError(t, fsys.MkdirAll("d"))
	f := write(t, fsys, "a", "one")
	require.NoError(t, fsys.Link("a", "d/b"))
	_, err := f.Write([]byte(" two"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "one two", read(t, fsys, "d/b"), "it is the same file")
	require.ErrorIs(t, fsys.Link("a", "d/b"), fs.ErrExist)
	require.ErrorIs(t, fsys.Link("nothing", "c"), fs.ErrNotExist)
	require.ErrorIs(t, fsys.Link("a", "nowhere/c"), fs.ErrNotExist)
	require.Error(t, fsys.Link("d", "e"), "a directory has one name")
	require.NoError(t, fsys.Remove("a"))
	require.Equal(t, "one two", read(t, fsys, "d/b"))
}

func TestRealDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	r := newReal(t, dir)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())

	held, err := r.Lock("lock")
	require.NoError(t, err)
	_, err = newReal(t, dir).Lock("lock")
	require.ErrorContains(t, err, "pid "+strconv.Itoa(os.Getpid()))
	require.NoError(t, held.Close())
}

func TestRealStaysInside(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("x"), 0o600))
	dir := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
	_, err := newReal(t, dir).Open("link/secret")
	require.Error(t, err)
}

func TestFaultyFailsWhatItIsTold(t *testing.T) {
	t.Parallel()
	full := errors.New("no space")
	var fail vfs.Op
	mem := vfs.NewMem()
	fsys := vfs.NewFaulty(mem, func(op vfs.Op, _ string) error {
		if op == fail {
			return full
		}
		return nil
	})
	f := write(t, fsys, "a", "1234")
	fail = vfs.OpWrite
	n, err := f.Write([]byte("5678"))
	require.ErrorIs(t, err, full)
	require.Equal(t, 2, n)
	require.Equal(t, "123456", read(t, mem, "a"), "half of a failed write is there")
	for op, try := range map[vfs.Op]func() error{
		vfs.OpSync:     f.Sync,
		vfs.OpTruncate: func() error { return f.Truncate(0) },
		vfs.OpCreate:   func() error { _, err := fsys.Create("b"); return err },
		vfs.OpRename:   func() error { return fsys.Rename("a", "b") },
		vfs.OpRemove:   func() error { return fsys.Remove("a") },
		vfs.OpMkdir:    func() error { return fsys.MkdirAll("d") },
		vfs.OpSyncDir:  func() error { return fsys.SyncDir(".") },
	} {
		fail = op
		require.ErrorIs(t, try(), full, op)
	}
	require.Equal(t, "123456", read(t, mem, "a"), "none of it happened")
}

// TestASyncAfterAFailedOneMakesNothingDurable is what makes trying again a mistake that tests notice.
func TestASyncAfterAFailedOneMakesNothingDurable(t *testing.T) {
	t.Parallel()
	mem, fail := vfs.NewMem(), true
	fsys := vfs.NewFaulty(mem, func(op vfs.Op, _ string) error {
		if op == vfs.OpSync && fail {
			fail = false
			return errors.New("broken")
		}
		return nil
	})
	f, err := fsys.Create("f")
	require.NoError(t, err)
	require.NoError(t, fsys.SyncDir("."))
	_, err = f.Write([]byte("data"))
	require.NoError(t, err)
	require.Error(t, f.Sync())
	require.NoError(t, f.Sync())
	info, err := mem.Crash().Stat("f")
	require.NoError(t, err)
	require.Zero(t, info.Size())
}
