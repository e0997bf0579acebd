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
	w, err := Replace(fsys, name, content, fill)
	if err != nil {
		return err
	}
	return w.Close()
}

// Replace is WriteFile that leaves the file open, to append to it.
func Replace(fsys vfs.FS, name string, content Content, fill func(*Writer) error) (*Writer, error) {
	temporary := name + TemporarySuffix
	if err := fsys.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	w, err := create(fsys, temporary, content, NewSalt())
	if err != nil {
		return nil, err
	}
	if err := fill(w); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), w.Close())
	}
	if err := w.Mark(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := fsys.Rename(temporary, name); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), w.Close())
	}
	if err := fsys.SyncDir(path.Dir(name)); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), w.Close())
	}
	w.name = name
	return w, nil
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
// What another process has written is never appended to: the frames are copied to a new file that takes the place of the old one, less a
// torn tail. If the last run ended because a sync failed, the kernel may show bytes, of the end or of a mark, that never reached the disk
// and that no further sync of the old file would write.
func Resume(fsys vfs.FS, name string, content Content, fn func(Frame) error) (*Writer, error) {
	frames := 0
	_, err := Scan(fsys, name, content, ScanOptions{}, func(f Frame) error {
		frames++
		return fn(f)
	})
	if err != nil && !errors.Is(err, ErrTorn) {
		return nil, err
	}
	return Continue(fsys, name, content, Carried{From: name, Frames: frames})
}

// Carried are frames that a file begins with.
type Carried struct {
	// From is the file that has them, and Start where the first of them begins there; 0 is with the first frame.
	From  string
	Start int64
	// Frames is how many there are, marks aside.
	Frames int
}

// Continue makes a file that begins with copies of frames, and opens it to append to it. It takes the place of a file of that name, from which
// the frames may come. When it returns, they are durable and so is the name.
func Continue(fsys vfs.FS, name string, content Content, carried Carried) (*Writer, error) {
	w, err := Replace(fsys, name, content, func(w *Writer) error { return carried.copyTo(fsys, w, content) })
	if err != nil {
		return nil, fmt.Errorf("recover %s: %w", carried.From, err)
	}
	return w, nil
}

// copyTo fails where it does not find as many frames as whoever counted them: the disk then gives other bytes each time, and what was lost or
// found meanwhile cannot be told.
func (c Carried) copyTo(fsys vfs.FS, w *Writer, content Content) error {
	if c.Frames == 0 {
		return nil
	}
	copied := 0
	_, err := Scan(fsys, c.From, content, ScanOptions{Start: c.Start}, func(f Frame) error {
		copied++
		if w.Pending() >= keepBuffer {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		return w.Add(f.Kind, func(dst []byte) []byte { return append(dst, f.Body...) })
	})
	if err != nil && !errors.Is(err, ErrTorn) {
		return err
	}
	if copied != c.Frames {
		return fmt.Errorf("%d frames were read at first, and now %d: the disk does not give the same bytes each time", c.Frames, copied)
	}
	return nil
}
