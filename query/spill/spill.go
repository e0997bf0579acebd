// Package spill keeps batches of columns on disk while a query runs, for what does not fit into its memory.
//
// A Space is the directory for such files and the bound on what they take together. What is in it means nothing to any other
// process: opening a Space empties the directory, closing a File removes it. Nothing is synced. Yet every chunk has a
// checksum, so that a disk which gives back other bytes makes an error, never a wrong answer.
//
// A Space may be used from any goroutine. Append belongs to one goroutine per File; Read may be called from any, also at the same
// time. The package does no more than store: who spills what and when is the matter of query/exec.
package spill

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// Space is where queries keep what they cannot hold in memory.
type Space struct {
	fs    vfs.FS
	dir   string
	limit int64

	used    atomic.Int64 // bytes in files now
	written atomic.Int64 // bytes ever written
	next    atomic.Int64 // number of the next file
}

// Open takes over a directory, of which it removes what an earlier process has left. limit bounds the bytes of all files together.
func Open(disk vfs.FS, dir string, limit int64) (*Space, error) {
	names, err := disk.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open temporary files of queries: %w", err)
	}
	for _, name := range names {
		if err := disk.Remove(path.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("remove temporary file of an earlier query: %w", err)
		}
	}
	if err := disk.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("make directory for temporary files of queries: %w", err)
	}
	return &Space{fs: disk, dir: dir, limit: limit}, nil
}

// Used is the bytes that all files take now.
func (s *Space) Used() int64 { return s.used.Load() }

// Written is the bytes that were ever written.
func (s *Space) Written() int64 { return s.written.Load() }

// Create makes an empty file. The caller closes it.
func (s *Space) Create() (*File, error) {
	name := path.Join(s.dir, strconv.FormatInt(s.next.Add(1), 10))
	file, err := s.fs.Create(name)
	if err != nil {
		return nil, fmt.Errorf("make temporary file of a query: %w", diskFull(err))
	}
	return &File{space: s, name: name, file: file}, nil
}

// take counts bytes about to be written, or fails.
func (s *Space) take(bytes int64) error {
	if used := s.used.Add(bytes); used > s.limit {
		s.used.Add(-bytes)
		return event.Errorf(event.CodeDiskFull, "temporary files of queries would take %d bytes; the limit is %d", used, s.limit).
			WithHint("raise spill_space, or narrow the time range")
	}
	free, total, err := s.fs.FreeBytes()
	if err != nil {
		s.used.Add(-bytes)
		return fmt.Errorf("ask for free disk space: %w", err)
	}
	if int64(free)-bytes < reserve(total) {
		s.used.Add(-bytes)
		return event.Errorf(event.CodeDiskFull, "the disk has %d bytes left, too few for temporary files of queries", free).
			WithHint("free some space, or narrow the time range")
	}
	s.written.Add(bytes)
	return nil
}

// reserve is what queries leave free on a disk of a size: more than ingest does, so that no query is the reason why events are
// turned away.
func reserve(total uint64) int64 {
	const (
		part     = 10
		least    = 512 << 20
		greatest = 2 << 30
	)
	return min(max(int64(total/part), least), greatest, int64(total/2))
}

// diskFull marks the failure of a disk without room.
func diskFull(err error) error {
	if !vfs.Full(err) {
		return err
	}
	return &event.Error{Code: event.CodeDiskFull, Detail: "the disk has no room for temporary files of queries", Cause: err}
}
