package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadOnly is a directory of the operating system that is looked at and not changed: everything that would change it fails with
// fs.ErrPermission. It also works where nothing can be written.
type ReadOnly struct {
	*Real
}

var _ FS = (*ReadOnly)(nil)

// NewReadOnly opens a directory, which must exist. The result must be closed.
func NewReadOnly(dir string) (*ReadOnly, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	return &ReadOnly{Real: &Real{root: root}}, nil
}

func refused(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrPermission} }

// Create implements FS.
func (r *ReadOnly) Create(name string) (File, error) { return nil, refused("create", name) }

// OpenAppend implements FS.
func (r *ReadOnly) OpenAppend(name string) (File, error) { return nil, refused("open", name) }

// Rename implements FS.
func (r *ReadOnly) Rename(from, _ string) error { return refused("rename", from) }

// Link implements FS.
func (r *ReadOnly) Link(from, _ string) error { return refused("link", from) }

// Remove implements FS.
func (r *ReadOnly) Remove(name string) error { return refused("remove", name) }

// MkdirAll implements FS.
func (r *ReadOnly) MkdirAll(name string) error { return refused("mkdir", name) }

// SyncDir implements FS.
func (r *ReadOnly) SyncDir(name string) error { return refused("sync", name) }

// Lock keeps writers out and lets other readers in. A directory without the lock file was never opened by a server.
func (r *ReadOnly) Lock(name string) (io.Closer, error) {
	if err := checkName("lock", name); err != nil {
		return nil, err
	}
	f, err := r.root.Open(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	if err := shareFile(f); err != nil {
		return nil, errors.Join(describeHolder(f, name, err), f.Close())
	}
	return f, nil
}
