package vfs

import (
	"io"
	"io/fs"
	"sync"
)

// Op names an operation that changes something, or makes a change durable.
type Op string

// The operations that Faulty reports.
const (
	OpCreate   Op = "create"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpTruncate Op = "truncate"
	OpRename   Op = "rename"
	OpLink     Op = "link"
	OpRemove   Op = "remove"
	OpMkdir    Op = "mkdir"
	OpSyncDir  Op = "syncdir"
)

// Faulty is an FS that asks before every mutating operation. An error that inject returns is the operation's result and the
// operation is not carried out, except that a failing write leaves the first half of its bytes, as a full disk does.
// inject may also just look: taking Mem.Crash there shows the disk as it was at that moment.
//
// A sync that failed has lost what it was to make durable, and later syncs of the file do not know: they succeed and make nothing durable,
// as on file systems that mark pages clean when writing them has failed (Rebello et al., USENIX ATC 2020).
type Faulty struct {
	FS
	inject func(op Op, name string) error

	mu struct {
		sync.Mutex
		lost map[string]bool // files of which a sync has failed
	}
}

var _ FS = (*Faulty)(nil)

// NewFaulty puts inject before the mutating operations of inner.
func NewFaulty(inner FS, inject func(op Op, name string) error) *Faulty {
	f := &Faulty{FS: inner, inject: inject}
	f.mu.lost = map[string]bool{}
	return f
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	if err := f.inject(OpCreate, name); err != nil {
		return nil, pathError("open", name, err)
	}
	f.lose(name, false) // another file than the one of that name before
	return f.wrap(name)(f.FS.Create(name))
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) { return f.wrap(name)(f.FS.Open(name)) }

// OpenAppend implements FS.
func (f *Faulty) OpenAppend(name string) (File, error) { return f.wrap(name)(f.FS.OpenAppend(name)) }

func (f *Faulty) wrap(name string) func(File, error) (File, error) {
	return func(file File, err error) (File, error) {
		if err != nil {
			return nil, err
		}
		return &faultyFile{File: file, fs: f, name: name}, nil
	}
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	return f.before(OpRename, from, func() error {
		f.lose(to, f.hasLost(from))
		return f.FS.Rename(from, to)
	})
}

// Link implements FS.
func (f *Faulty) Link(from, to string) error {
	return f.before(OpLink, from, func() error {
		f.lose(to, f.hasLost(from))
		return f.FS.Link(from, to)
	})
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	return f.before(OpRemove, name, func() error { return f.FS.Remove(name) })
}

// MkdirAll implements FS.
func (f *Faulty) MkdirAll(name string) error {
	return f.before(OpMkdir, name, func() error { return f.FS.MkdirAll(name) })
}

// SyncDir implements FS.
func (f *Faulty) SyncDir(name string) error {
	return f.before(OpSyncDir, name, func() error { return f.FS.SyncDir(name) })
}

func (f *Faulty) before(op Op, name string, then func() error) error {
	if err := f.inject(op, name); err != nil {
		return &fs.PathError{Op: string(op), Path: name, Err: err}
	}
	return then()
}

func (f *Faulty) hasLost(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.lost[name]
}

func (f *Faulty) lose(name string, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if lost {
		f.mu.lost[name] = true
	} else {
		delete(f.mu.lost, name)
	}
}

type faultyFile struct {
	File
	fs   *Faulty
	name string
}

// Write implements io.Writer.
func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.fs.inject(OpWrite, f.name); err != nil {
		n, werr := f.File.Write(p[:len(p)/2])
		if werr != nil {
			return n, werr
		}
		return n, pathError("write", f.name, err)
	}
	n, err := f.File.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// Sync implements File.
func (f *faultyFile) Sync() error {
	err := f.fs.before(OpSync, f.name, func() error {
		if f.fs.hasLost(f.name) {
			return nil
		}
		return f.File.Sync()
	})
	if err != nil {
		f.fs.lose(f.name, true)
	}
	return err
}

// Truncate implements File.
func (f *faultyFile) Truncate(size int64) error {
	return f.fs.before(OpTruncate, f.name, func() error { return f.File.Truncate(size) })
}
