package eventlog

import (
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// CheckedFile is what Check found in one file of a log.
type CheckedFile struct {
	record.Checked
	Name string
	// First is the first offset of the file, and Next the one after the last that can be read.
	First, Next event.Offset
	// Missing says that the offsets from Next up to the file that follows are in no file, though nothing of this one is damaged.
	Missing bool
	// Err is why the file could not be read to its end.
	Err error
}

// Check reads every file of the log in a directory, behind damage too, and changes nothing. visit is given every entry that can be read;
// nil for none.
func Check(fs vfs.FS, dir string, visit func(*Entry)) ([]CheckedFile, error) {
	l := &Log{fs: fs, dir: dir, looking: true}
	if err := l.list(); err != nil {
		return nil, fmt.Errorf("check log %s: %w", dir, err)
	}
	out := make([]CheckedFile, len(l.mu.files))
	for i, f := range l.mu.files {
		c := &checking{CheckedFile: CheckedFile{Name: l.path(f.first), First: f.first, Next: f.first}, visit: visit, last: i == len(l.mu.files)-1}
		if !c.last {
			c.want = l.mu.files[i+1].first
		}
		c.run(fs)
		out[i] = c.CheckedFile
	}
	return out, nil
}

// checking is the check of one file.
type checking struct {
	CheckedFile
	visit func(*Entry)
	last  bool
	// want is the first offset of the next file, which has all from there on, and whole the place where that would begin here. superseded is
	// set if it does: the process that wrote the file was killed, and what follows the place counts for nothing.
	want       event.Offset
	whole      int64
	superseded bool
	jumps      []record.Damage
}

func (c *checking) run(fs vfs.FS) {
	c.Checked, c.Err = record.Check(fs, c.Name, record.EventLog, !c.last, c.take)
	if c.superseded {
		c.Damage = slices.DeleteFunc(c.Damage, func(d record.Damage) bool { return d.From >= c.whole })
		c.Closed = true
	}
	if len(c.Damage) == 0 { // else the damage says it
		c.Damage = c.jumps
	}
	c.Missing = !c.last && c.Err == nil && len(c.Damage) == 0 && c.Next != c.want
}

func (c *checking) take(frame record.Frame) error {
	if !c.last && c.Next >= c.want {
		c.superseded = true
		return nil
	}
	entry, err := parseFrame(frame, c.Name, c.Next)
	if err != nil {
		if frame.Kind != frameBatch && frame.Kind != frameColumns {
			return err // of a later program, and not damaged
		}
		if entry, err = parseEntry(frame); err != nil || entry.First < c.Next {
			return record.Corrupt(c.Name, frame.Offset, "the frame does not fit here")
		}
		reason := fmt.Sprintf("offsets %d to %d are missing", c.Next, entry.First-1)
		c.jumps = append(c.jumps, record.Damage{From: frame.Offset, To: frame.Offset, Reason: reason})
	}
	c.Next, c.whole = entry.End(), frame.Offset+frame.Size()
	if c.visit != nil {
		c.visit(entry)
	}
	return nil
}
