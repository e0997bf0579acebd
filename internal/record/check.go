package record

import (
	"errors"
	"fmt"
	"io"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// Damage is a range of bytes of a file that cannot be read.
type Damage struct {
	// From is the first byte, and To the one after the last.
	From, To int64
	Reason   string
}

// Checked is what Check found in a file.
type Checked struct {
	Bytes  int64
	Damage []Damage
	// Torn is how many bytes at the end are of a write that a crash cut short: recovery drops them, and nobody was told of them.
	Torn int64
	// Unused is how many zeroes follow the frames: space that was to be written to.
	Unused int64
	// Closed reports whether the file ends in a mark, or has no frames yet.
	Closed bool
}

// Check reads all of a file that is not being written, behind damage too, and changes nothing. fn is given every frame that can be read;
// a corruption error that it returns is damage to that frame, any other error ends the check.
func Check(fsys vfs.FS, name string, content Content, whole bool, fn func(Frame) error) (out Checked, err error) {
	file, err := fsys.Open(name)
	if err != nil {
		return out, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if out.Bytes, err = file.Size(); err != nil {
		return out, fmt.Errorf("read %s: %w", name, err)
	}
	s, err := NewScanner(file, name, content, ScanOptions{Whole: whole})
	if err != nil {
		return out, out.note(err, 0, out.Bytes)
	}
	for {
		frame, err := s.Next()
		if errors.Is(err, io.EOF) {
			out.Unused = out.Bytes - s.Offset()
			out.Closed = s.Closed() || (!whole && out.Bytes == fileHeaderSize) // nothing was ever written to it
			if whole && !out.Closed && len(out.Damage) == 0 {
				out.Damage = append(out.Damage, Damage{From: out.Bytes, To: out.Bytes, Reason: "the file lacks its end"})
			}
			return out, nil
		}
		if err == nil {
			if err := out.note(fn(frame), frame.Offset, s.Offset()); err != nil {
				return out, err
			}
			continue
		}
		at := s.Offset()
		if errors.Is(err, ErrTorn) {
			if empty, lost := s.Empty(); lost != nil || empty {
				out.Unused = out.Bytes - at
				return out, lost
			}
		}
		more, lost := s.Resync()
		if lost != nil {
			return out, lost
		}
		end := out.Bytes
		if more {
			end = s.Offset()
		}
		if err := out.note(err, at, end); err != nil || !more {
			return out, err
		}
	}
}

// note keeps what an error says of a range of bytes. It gives back an error that does not mean damage.
func (c *Checked) note(err error, from, to int64) error {
	var fault *CorruptionError
	switch {
	case errors.Is(err, ErrTorn):
		c.Torn = to - from
	case errors.As(err, &fault):
		c.Damage = append(c.Damage, Damage{From: from, To: to, Reason: fault.Reason})
	default:
		return err
	}
	return nil
}
