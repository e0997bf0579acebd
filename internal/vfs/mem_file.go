package vfs

import (
	"io"
	"io/fs"
	"math"
	"syscall"
	"time"
)

// memFile is one opening of a file in a Mem; closed is guarded by Mem.mu like the node.
type memFile struct {
	fs       *Mem
	node     *memNode
	name     string
	writable bool
	anywhere bool // WriteAt is allowed
	closed   bool
}

var _ File = (*memFile)(nil)

// ReadAt implements io.ReaderAt.
func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write implements io.Writer.
func (f *memFile) Write(p []byte) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	n := int(min(uint64(len(p)), f.fs.room()))
	f.node.data = append(f.node.data, p[:n]...)
	if n < len(p) {
		return n, pathError("write", f.name, syscall.ENOSPC)
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	if off < 0 || !f.anywhere {
		return 0, pathError("write", f.name, fs.ErrInvalid)
	}
	have := int64(len(f.node.data))
	n := int(min(int64(len(p)), max(have-off, 0)))
	f.node.overwrite(off, p[:n])
	if n == len(p) {
		return n, nil
	}
	fits := int64(min(f.fs.room(), math.MaxInt64))
	if hole := off - have; hole > 0 { // n is 0, and a hole takes no space on a disk, but here
		if hole > fits {
			return 0, pathError("write", f.name, syscall.ENOSPC)
		}
		f.node.data = append(f.node.data, make([]byte, hole)...)
		fits -= hole
	}
	more := int(min(int64(len(p)-n), fits))
	f.node.data = append(f.node.data, p[n:n+more]...)
	if n += more; n < len(p) {
		return n, pathError("write", f.name, syscall.ENOSPC)
	}
	return n, nil
}

// Sync implements File.
func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("sync", false); err != nil {
		return err
	}
	f.node.synced, f.node.over = f.node.data[:len(f.node.data):len(f.node.data)], nil
	return nil
}

// Truncate implements File.
func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("truncate", true); err != nil {
		return err
	}
	switch have := int64(len(f.node.data)); {
	case size < 0:
		return pathError("truncate", f.name, fs.ErrInvalid)
	case size <= have:
		f.node.data = f.node.data[:size:size]
	default:
		grown := make([]byte, size)
		copy(grown, f.node.data)
		f.node.data = grown
	}
	return nil
}

// Size implements File.
func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("stat", false); err != nil {
		return 0, err
	}
	return int64(len(f.node.data)), nil
}

// Close implements io.Closer.
func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.check("close", false); err != nil {
		return err
	}
	f.closed = true
	return nil
}

// check refuses what the opening does not allow. The caller holds Mem.mu.
func (f *memFile) check(op string, write bool) error {
	if f.closed {
		return pathError(op, f.name, fs.ErrClosed)
	}
	if write && !f.writable {
		return pathError(op, f.name, fs.ErrPermission)
	}
	return nil
}

// memLock is a lock that is held.
type memLock struct {
	fs   *Mem
	name string
	done bool
}

// Close gives the lock up.
func (l *memLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.done {
		return pathError("unlock", l.name, fs.ErrClosed)
	}
	l.done = true
	delete(l.fs.mu.locks, l.name)
	return nil
}

// memInfo describes a node.
type memInfo struct {
	name string
	size int64
	dir  bool
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
