package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TemporarySuffix ends the names of files that are not complete yet. After a crash they may be removed.
const TemporarySuffix = ".tmp"

// Create makes a file without frames. When it returns, the file and its name are durable.
func Create(fsys vfs.FS, name string, content Content, salt uint64) (*Writer, error) {
	w, err := create(fsys, name, content, salt)
	if err != nil {
		return nil, err
	}
	if err := fsys.SyncDir(path.Dir(name)); err != nil {
		return nil, errors.Join(fmt.Errorf("create %s: %w", name, err), w.Close())
	}
	return w, nil
}

// create leaves the name to the caller to sync.
func create(fsys vfs.FS, name string, content Content, salt uint64) (*Writer, error) {
	file, err := fsys.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	w := &Writer{file: file, name: name, salt: salt, buffer: appendFileHeader(nil, content, salt)}
	if err := w.Flush(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := w.Sync(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return w, nil
}

// WriteFile writes a file as a whole: fill adds its frames, and it appears under its name complete and durable, or not at all.
func WriteFile(fsys vfs.FS, name string, content Content, fill func(*Writer) error) error {
	temporary := name + TemporarySuffix
	if err := fsys.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", name, err)
	}
	w, err := create(fsys, temporary, content, NewSalt())
	if err != nil {
		return err
	}
	if err := fill(w); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), w.Close())
	}
	if err := errors.Join(w.Mark(), w.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(temporary, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := fsys.SyncDir(path.Dir(name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Scan calls fn for every frame of a file that is not being written, and reports whether the file ends in a mark. Bodies are
// valid during the call only. A torn tail is ErrTorn.
func Scan(fsys vfs.FS, name string, content Content, options ScanOptions, fn func(Frame) error) (closed bool, err error) {
	file, err := fsys.Open(name)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	s, err := NewScanner(file, name, content, options)
	if err != nil {
		return false, err
	}
	for {
		frame, err := s.Next()
		switch {
		case errors.Is(err, io.EOF):
			return s.Closed(), nil
		case err != nil:
			return false, err
		}
		if err := fn(frame); err != nil {
			return false, err
		}
	}
}

// Resume opens a file to append to it, after calling fn for every frame it holds.
//
// A file that does not end in a mark was not closed in order. Its valid frames are then copied to a new file that takes its
// place, without the torn tail: if the last run ended because a sync failed, the kernel may show frames that never reached the
// disk and that no further sync of the old file would write.
func Resume(fsys vfs.FS, name string, content Content, fn func(Frame) error) (*Writer, error) {
	closed, err := Scan(fsys, name, content, ScanOptions{}, fn)
	if err != nil && !errors.Is(err, ErrTorn) {
		return nil, err
	}
	if !closed {
		if err := rewrite(fsys, name, content); err != nil {
			return nil, fmt.Errorf("recover %s: %w", name, err)
		}
	}
	return reopen(fsys, name, content)
}

func rewrite(fsys vfs.FS, name string, content Content) error {
	return WriteFile(fsys, name, content, func(w *Writer) error {
		_, err := Scan(fsys, name, content, ScanOptions{}, func(f Frame) error {
			if w.Pending() >= keepBuffer {
				if err := w.Flush(); err != nil {
					return err
				}
			}
			return w.Add(f.Kind, func(dst []byte) []byte { return append(dst, f.Body...) })
		})
		if errors.Is(err, ErrTorn) {
			return nil
		}
		return err
	})
}

// reopen opens a file that ends in a mark.
func reopen(fsys vfs.FS, name string, content Content) (*Writer, error) {
	file, err := fsys.OpenAppend(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	w, err := resumed(file, name, content)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return w, nil
}

func resumed(file vfs.File, name string, content Content) (*Writer, error) {
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	raw := make([]byte, fileHeaderSize)
	if _, err := file.ReadAt(raw, 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	header, ok := parseFileHeader(raw)
	if !ok || header.content != content {
		return nil, Corrupt(name, 0, "not a file header of Tidemark")
	}
	return &Writer{file: file, name: name, salt: header.salt, written: size, durable: size, marked: size}, nil
}
