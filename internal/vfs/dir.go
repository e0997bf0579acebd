package vfs

import (
	"io/fs"
	"path"
)

// MkdirAllSync makes a directory and its parents and makes all their names durable: MkdirAll followed by SyncDir of every
// parent up to the root.
func MkdirAllSync(fsys FS, name string) error {
	if err := fsys.MkdirAll(name); err != nil {
		return err
	}
	for at := path.Clean(name); at != "."; {
		at = path.Dir(at)
		if err := fsys.SyncDir(at); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses names that are not clean, relative and slash-separated. It is the same for every FS, so that a name that
// works in memory works on disk.
func checkName(op, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}
