package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Real is a directory of the operating system. All names are resolved below an os.Root, so no name, and no symbolic link,
// leads out of it.
type Real struct {
	root *os.Root
}

var _ FS = (*Real)(nil)

// NewReal opens the data directory dir, making it (mode 0700) if it does not exist. When it returns, the directory itself
// is durable. The result must be closed.
func NewReal(dir string) (*Real, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", dir, err)
	}
	made, err := makeAll(abs)
	if err != nil {
		return nil, fmt.Errorf("make data directory %s: %w", dir, err)
	}
	if err := syncNewDirs(abs, made); err != nil {
		return nil, fmt.Errorf("sync data directory %s: %w", dir, err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", dir, err)
	}
	return &Real{root: root}, nil
}

// makeAll makes dir and its parents and returns those it made, outermost first.
func makeAll(dir string) ([]string, error) {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		missing = append(missing, at)
	}
	slices.Reverse(missing)
	return missing, os.MkdirAll(dir, 0o700)
}

// syncNewDirs makes dir and the names that lead to it durable. The nearest parent is synced even when nothing was made: an
// earlier start may have died between making the directory and syncing it.
func syncNewDirs(dir string, made []string) error {
	if err := syncOSDir(dir); err != nil {
		return err
	}
	err := syncOSDir(filepath.Dir(dir))
	if err != nil && (len(made) > 0 || !errors.Is(err, fs.ErrPermission)) {
		return err
	}
	for _, d := range made {
		if err := syncOSDir(filepath.Dir(d)); err != nil {
			return err
		}
	}
	return nil
}

func syncOSDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close gives the directory up. Files that are open stay usable.
func (r *Real) Close() error { return r.root.Close() }

// Create implements FS.
func (r *Real) Create(name string) (File, error) {
	return r.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL) // without O_APPEND, which makes every write one at the end
}

// Open implements FS.
func (r *Real) Open(name string) (File, error) { return r.open(name, os.O_RDONLY) }

// OpenAppend implements FS.
func (r *Real) OpenAppend(name string) (File, error) { return r.open(name, os.O_RDWR|os.O_APPEND) }

func (r *Real) open(name string, flag int) (File, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	f, err := r.root.OpenFile(filepath.FromSlash(name), flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &realFile{File: f}, nil
}

// Rename implements FS.
func (r *Real) Rename(from, to string) error {
	if err := errors.Join(checkName("rename", from), checkName("rename", to)); err != nil {
		return err
	}
	return r.root.Rename(filepath.FromSlash(from), filepath.FromSlash(to))
}

// Link implements FS.
func (r *Real) Link(from, to string) error {
	if err := errors.Join(checkName("link", from), checkName("link", to)); err != nil {
		return err
	}
	return r.root.Link(filepath.FromSlash(from), filepath.FromSlash(to))
}

// Remove implements FS.
func (r *Real) Remove(name string) error {
	if err := checkName("remove", name); err != nil {
		return err
	}
	return r.root.Remove(filepath.FromSlash(name))
}

// MkdirAll implements FS.
func (r *Real) MkdirAll(name string) error {
	if err := checkName("mkdir", name); err != nil {
		return err
	}
	return r.root.MkdirAll(filepath.FromSlash(name), 0o700)
}

// ReadDir implements FS.
func (r *Real) ReadDir(name string) (names []string, err error) {
	if err := checkName("readdir", name); err != nil {
		return nil, err
	}
	d, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if names, err = d.Readdirnames(-1); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// Stat implements FS.
func (r *Real) Stat(name string) (fs.FileInfo, error) {
	if err := checkName("stat", name); err != nil {
		return nil, err
	}
	return r.root.Stat(filepath.FromSlash(name))
}

// SyncDir implements FS.
func (r *Real) SyncDir(name string) error {
	if err := checkName("syncdir", name); err != nil {
		return err
	}
	d, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lock implements FS. The file holds the process id of its holder, for people and for the error of whoever comes second;
// the lock itself is the kernel's and ends with the process.
func (r *Real) Lock(name string) (io.Closer, error) {
	if err := checkName("lock", name); err != nil {
		return nil, err
	}
	f, err := r.root.OpenFile(filepath.FromSlash(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(describeHolder(f, name, err), f.Close())
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f, nil
}

func describeHolder(f *os.File, name string, err error) error {
	if !errors.Is(err, ErrLocked) {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	pid := make([]byte, 32)
	n, _ := f.ReadAt(pid, 0) // best effort: without a readable id the error still says what matters
	if holder := strings.TrimSpace(string(pid[:n])); holder != "" {
		return fmt.Errorf("lock %s: %w (pid %s)", name, err, holder)
	}
	return fmt.Errorf("lock %s: %w", name, err)
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := fmt.Fprintln(f, os.Getpid())
	return err
}

// FreeBytes implements FS.
func (r *Real) FreeBytes() (free, total uint64, err error) {
	d, err := r.root.Open(".")
	if err != nil {
		return 0, 0, err
	}
	free, total, err = diskSpace(d)
	return free, total, errors.Join(err, d.Close())
}

// realFile adds to os.File what File asks beyond it.
type realFile struct {
	*os.File
	past past
}

// Close implements File.
func (f *realFile) Close() error { return errors.Join(f.File.Close(), f.past.close()) }

// pieceBytes is the most that is written with one call. Linux takes the pages of a file that grows in pieces as large as the call, and finding
// and filling those of a megabyte costs several times those of an eighth of it.
const pieceBytes = 128 << 10

// Write implements File.
func (f *realFile) Write(p []byte) (int, error) {
	return inPieces(p, func(piece []byte, _ int64) (int, error) { return f.File.Write(piece) })
}

// WriteAt implements File.
func (f *realFile) WriteAt(p []byte, off int64) (int, error) {
	return inPieces(p, func(piece []byte, at int64) (int, error) { return f.File.WriteAt(piece, off+at) })
}

// inPieces writes p up to the first failure, and says how much was written.
func inPieces(p []byte, write func(piece []byte, at int64) (int, error)) (n int, err error) {
	for first := true; first || n < len(p); first = false {
		var wrote int
		wrote, err = write(p[n:min(len(p), n+pieceBytes)], int64(n))
		if n += wrote; err != nil {
			break
		}
	}
	return n, err
}

// Sync implements File.
func (f *realFile) Sync() error { return syncData(f.File) }

// Truncate implements File. What is written next goes to the new end.
func (f *realFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

// Size implements File.
func (f *realFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
