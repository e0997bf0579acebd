// Package vfs is the only code that opens data files. Everything durable goes through FS, so that tests can put a memory,
// a crash or a fault behind it.
//
// Names are slash-separated and relative to the data directory; nothing outside it can be reached. An FS may be used from
// any goroutine; a File allows concurrent ReadAt and one writer. Durability is explicit: bytes survive a power cut after
// File.Sync, a created, renamed or removed name after SyncDir of its directory, and not before.
package vfs

import (
	"errors"
	"io"
	"io/fs"
)

// ErrLocked is returned by Lock when another process holds the data directory.
var ErrLocked = errors.New("data directory is in use by another process")

// File is an open data file.
type File interface {
	io.ReaderAt
	// Write appends at the end of the file.
	io.Writer
	// WriteAt writes at a place of a file that Create has opened, and grows it where that lies beyond its end. A file is written by Write or
	// by WriteAt, not by both.
	io.WriterAt
	// Sync makes the contents durable (fdatasync). After an error the file must not be trusted or synced again.
	Sync() error
	// Truncate cuts the file to size bytes.
	Truncate(size int64) error
	// Size is the present length in bytes.
	Size() (int64, error)
	Close() error
}

// FS is a directory tree of data files.
type FS interface {
	// Create makes a new file for writing and reading; a file that exists is an error (fs.ErrExist).
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// OpenAppend opens an existing file for reading and appending.
	OpenAppend(name string) (File, error)
	// Rename moves a file, replacing the target.
	Rename(from, to string) error
	// Link gives a file a second name, which must not be taken: the contents stay as long as either name does.
	Link(from, to string) error
	// Remove deletes a file or an empty directory.
	Remove(name string) error
	// MkdirAll makes a directory (mode 0700) and its parents.
	MkdirAll(name string) error
	// ReadDir lists the names in a directory, sorted. A directory that does not exist is fs.ErrNotExist.
	ReadDir(name string) ([]string, error)
	// Stat describes a file or directory.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
	// Lock takes the exclusive lock file name, or fails with ErrLocked. Closing the result gives it up.
	Lock(name string) (io.Closer, error)
	// FreeBytes is the space left for data, and the size of the whole, in bytes.
	FreeBytes() (free, total uint64, err error)
}
