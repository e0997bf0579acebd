package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Mem is a strict file system in memory, for tests. It keeps, beside what a running process sees, what a power cut would
// leave: contents as of the last File.Sync and names as of the last SyncDir of their directory. Crash gives that state.
type Mem struct {
	mu struct {
		sync.Mutex
		root        *memNode
		locks       map[string]bool
		free, total uint64
		// capacity is what all files together may take, in bytes; 0 is no limit.
		capacity uint64
	}
}

var _ FS = (*Mem)(nil)

// memNode is a file or a directory; the fields of the other kind stay empty. All are guarded by Mem.mu.
type memNode struct {
	// data is a file's contents and synced their durable state, but for what over puts back. The two may share memory: data only grows past
	// synced, Truncate clips the capacity so that the next Write copies, and what WriteAt overwrites of both goes to over.
	data, synced []byte
	over         []overwritten
	// entries are a directory's names and kept their durable state; both nil for files.
	entries, kept map[string]*memNode
}

func newMemDir() *memNode {
	return &memNode{entries: map[string]*memNode{}, kept: map[string]*memNode{}}
}

func (n *memNode) isDir() bool { return n.entries != nil }

// NewMem makes an empty file system with a terabyte of free space.
func NewMem() *Mem {
	m := &Mem{}
	m.mu.root = newMemDir()
	m.mu.locks = map[string]bool{}
	m.mu.free, m.mu.total = 1<<40, 1<<40
	return m
}

// SetFree sets what FreeBytes reports.
func (m *Mem) SetFree(free, total uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.free, m.mu.total = free, total
}

// SetCapacity makes it a disk of that size, in bytes: what does not fit any more fails with ENOSPC, a write after as much as fits, and
// FreeBytes tells what is left. Files that are open and have no name take nothing.
func (m *Mem) SetCapacity(bytes uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.capacity = bytes
}

// room is how many bytes still fit. The caller holds m.mu.
func (m *Mem) room() uint64 {
	if m.mu.capacity == 0 {
		return math.MaxUint64
	}
	used := m.mu.root.size()
	return m.mu.capacity - min(used, m.mu.capacity)
}

func (n *memNode) size() uint64 {
	total := uint64(len(n.data))
	for _, entry := range n.entries {
		total += entry.size()
	}
	return total
}

// Create implements FS.
func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent("open", name)
	if err != nil {
		return nil, err
	}
	if dir.entries[base] != nil {
		return nil, pathError("open", name, fs.ErrExist)
	}
	if m.room() == 0 {
		return nil, pathError("open", name, syscall.ENOSPC)
	}
	node := &memNode{}
	dir.entries[base] = node
	return &memFile{fs: m, node: node, name: name, writable: true, anywhere: true}, nil
}

// Open implements FS.
func (m *Mem) Open(name string) (File, error) { return m.open(name, false) }

// OpenAppend implements FS.
func (m *Mem) OpenAppend(name string) (File, error) { return m.open(name, true) }

func (m *Mem) open(name string, writable bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("open", name)
	if err != nil {
		return nil, err
	}
	if node.isDir() {
		return nil, pathError("open", name, syscall.EISDIR)
	}
	return &memFile{fs: m, node: node, name: name, writable: writable}, nil
}

// Rename implements FS.
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	source, base, err := m.parent("rename", from)
	if err != nil {
		return err
	}
	node := source.entries[base]
	if node == nil {
		return pathError("rename", from, fs.ErrNotExist)
	}
	target, newBase, err := m.parent("rename", to)
	if err != nil {
		return err
	}
	if old := target.entries[newBase]; old != nil && old.isDir() {
		return pathError("rename", to, fs.ErrExist)
	}
	delete(source.entries, base)
	target.entries[newBase] = node
	return nil
}

// Link implements FS.
func (m *Mem) Link(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("link", from)
	if err != nil {
		return err
	}
	dir, base, err := m.parent("link", to)
	if err != nil {
		return err
	}
	if node.isDir() {
		return pathError("link", from, syscall.EPERM)
	}
	if dir.entries[base] != nil {
		return pathError("link", to, fs.ErrExist)
	}
	dir.entries[base] = node
	return nil
}

// Remove implements FS.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent("remove", name)
	if err != nil {
		return err
	}
	node := dir.entries[base]
	if node == nil {
		return pathError("remove", name, fs.ErrNotExist)
	}
	if len(node.entries) > 0 {
		return pathError("remove", name, syscall.ENOTEMPTY)
	}
	delete(dir.entries, base)
	return nil
}

// MkdirAll implements FS.
func (m *Mem) MkdirAll(name string) error {
	if err := checkName("mkdir", name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.mu.root
	for part := range strings.SplitSeq(name, "/") {
		if part == "." {
			continue
		}
		next := at.entries[part]
		if next == nil {
			next = newMemDir()
			at.entries[part] = next
		}
		if !next.isDir() {
			return pathError("mkdir", name, syscall.ENOTDIR)
		}
		at = next
	}
	return nil
}

// ReadDir implements FS.
func (m *Mem) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.findDir("readdir", name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(node.entries)), nil
}

// Stat implements FS. Modification times are zero, so that nothing in a test depends on the clock.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.find("stat", name)
	if err != nil {
		return nil, err
	}
	return memInfo{name: path.Base(name), size: int64(len(node.data)), dir: node.isDir()}, nil
}

// SyncDir implements FS.
func (m *Mem) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, err := m.findDir("syncdir", name)
	if err != nil {
		return err
	}
	node.kept = maps.Clone(node.entries)
	return nil
}

// Lock implements FS.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent("lock", name)
	if err != nil {
		return nil, err
	}
	if m.mu.locks[name] {
		return nil, fmt.Errorf("lock %s: %w (pid of this process)", name, ErrLocked)
	}
	if dir.entries[base] == nil {
		dir.entries[base] = &memNode{}
	}
	m.mu.locks[name] = true
	return &memLock{fs: m, name: name}, nil
}

// FreeBytes implements FS.
func (m *Mem) FreeBytes() (free, total uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.capacity > 0 {
		return m.room(), m.mu.capacity, nil
	}
	return m.mu.free, m.mu.total, nil
}

// find resolves a name. The caller holds m.mu.
func (m *Mem) find(op, name string) (*memNode, error) {
	if name == "." {
		return m.mu.root, nil
	}
	dir, base, err := m.parent(op, name)
	if err != nil {
		return nil, err
	}
	if node := dir.entries[base]; node != nil {
		return node, nil
	}
	return nil, pathError(op, name, fs.ErrNotExist)
}

func (m *Mem) findDir(op, name string) (*memNode, error) {
	node, err := m.find(op, name)
	if err == nil && !node.isDir() {
		return nil, pathError(op, name, syscall.ENOTDIR)
	}
	return node, err
}

// parent resolves the directory that holds name, and name's last part. The caller holds m.mu.
func (m *Mem) parent(op, name string) (*memNode, string, error) {
	if err := checkName(op, name); err != nil {
		return nil, "", err
	}
	if name == "." {
		return nil, "", pathError(op, name, fs.ErrInvalid)
	}
	at := m.mu.root
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		next := at.entries[part]
		if next == nil {
			return nil, "", pathError(op, name, fs.ErrNotExist)
		}
		if !next.isDir() {
			return nil, "", pathError(op, name, syscall.ENOTDIR)
		}
		at = next
	}
	return at, parts[len(parts)-1], nil
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}
