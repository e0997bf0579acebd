package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// Op names an operation on files.
type Op string

// The operations that change something, or make a change durable.
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

// The other operations. Only a Faulty made by NewFaultyAll asks before them.
const (
	OpOpen    Op = "open" // for reading or for appending
	OpRead    Op = "read"
	OpSize    Op = "size"
	OpClose   Op = "close"
	OpReadDir Op = "readdir"
	OpStat    Op = "stat"
	OpLock    Op = "lock"
	OpFree    Op = "free"
)

// FlipError is what inject returns to make a read succeed with one of its bits turned over: the bit of that number, counted around.
type FlipError uint64

// Error says what happens, though nobody is told.
func (f FlipError) Error() string {
	return fmt.Sprintf("bit %d of what is read is turned over", uint64(f))
}

// ForgetError is what inject returns to make a sync fail after which the system no longer shows what it could not write: zeroes are read in its
// place, as when it needed the memory of those pages for something else. The inner FS must be a Mem.
type ForgetError struct{ Err error }

// Error is the error of the sync.
func (f ForgetError) Error() string { return f.Err.Error() }

// Unwrap gives the error of the sync.
func (f ForgetError) Unwrap() error { return f.Err }

// Faulty is an FS that asks before every operation that changes something, or before all. An error that inject returns is the operation's
// result and the operation is not carried out, except that a failing write leaves the first half of its bytes, as a full disk does; that a
// file which fails to close is closed; and what FlipError and ForgetError say. inject may also just look: taking Mem.Crash there shows the disk as it
// was at that moment. Where it takes its time the disk is slow.
//
// A sync that failed has lost what it was to make durable, and later syncs of the file do not know: they succeed and make nothing durable,
// as on file systems that mark pages clean when writing them has failed (Rebello et al., USENIX ATC 2020).
type Faulty struct {
	FS
	inject func(op Op, name string) error
	all    bool
	end    end

	mu struct {
		sync.Mutex
		lost map[string]bool // files of which a sync has failed
	}
}

// end is whether operations are still carried out. They hold it for reading while they are.
type end struct {
	sync.RWMutex
	err error // what operations give after the end; nil before
}

var _ FS = (*Faulty)(nil)

// NewFaulty puts inject before the operations of inner that change something.
func NewFaulty(inner FS, inject func(op Op, name string) error) *Faulty {
	f := &Faulty{FS: inner, inject: inject}
	f.mu.lost = map[string]bool{}
	return f
}

// NewFaultyAll puts inject before all operations of inner.
func NewFaultyAll(inner FS, inject func(op Op, name string) error) *Faulty {
	f := NewFaulty(inner, inject)
	f.all = true
	return f
}

// look asks before an operation that changes nothing.
func (f *Faulty) look(op Op, name string) error {
	if !f.all {
		return nil
	}
	if err := f.inject(op, name); err != nil {
		return pathError(string(op), name, err)
	}
	return nil
}

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) {
	if err := f.inject(OpCreate, name); err != nil {
		return nil, pathError("open", name, err)
	}
	var file File
	err := f.carryOut(OpCreate, name, func() (err error) {
		f.lose(name, false) // another file than the one of that name before
		file, err = f.FS.Create(name)
		return err
	})
	return f.wrap(name)(file, err)
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) { return f.open(name, f.FS.Open) }

// OpenAppend implements FS.
func (f *Faulty) OpenAppend(name string) (File, error) { return f.open(name, f.FS.OpenAppend) }

func (f *Faulty) open(name string, open func(string) (File, error)) (File, error) {
	if err := f.look(OpOpen, name); err != nil {
		return nil, err
	}
	return f.wrap(name)(open(name))
}

func (f *Faulty) wrap(name string) func(File, error) (File, error) {
	return func(file File, err error) (File, error) {
		if err != nil {
			return nil, err
		}
		return &faultyFile{File: file, fs: f, name: name}, nil
	}
}

// ReadDir implements FS.
func (f *Faulty) ReadDir(name string) ([]string, error) {
	if err := f.look(OpReadDir, name); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(name)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (fs.FileInfo, error) {
	if err := f.look(OpStat, name); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

// Lock implements FS.
func (f *Faulty) Lock(name string) (io.Closer, error) {
	if err := f.look(OpLock, name); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

// FreeBytes implements FS.
func (f *Faulty) FreeBytes() (free, total uint64, err error) {
	if err := f.look(OpFree, "."); err != nil {
		return 0, 0, err
	}
	return f.FS.FreeBytes()
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
	return f.carryOut(op, name, then)
}

// End ends the disk at one moment: it waits for the operations under way, calls what is to happen then, and lets all later ones that change
// something fail with err, also those that inject has let through already. So whatever was told to have succeeded is on the disk that then
// sees, and the rest is not. It may be called by inject.
func (f *Faulty) End(err error, then func()) {
	f.end.Lock()
	defer f.end.Unlock()
	f.end.err = err
	then()
}

// carryOut does what inject has let through, where the disk has not ended since.
func (f *Faulty) carryOut(op Op, name string, do func() error) error {
	f.end.RLock()
	defer f.end.RUnlock()
	if f.end.err != nil {
		return pathError(string(op), name, f.end.err)
	}
	return do()
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
