package eventlog

import (
	"fmt"

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
		c := &out[i]
		c.Name, c.First, c.Next = l.path(f.first), f.first, f.first
		last := i == len(l.mu.files)-1
		var jumps []record.Damage
		c.Checked, c.Err = record.Check(fs, c.Name, record.EventLog, !last, func(frame record.Frame) error {
			entry, err := parseFrame(frame, c.Name, c.Next)
			if err != nil {
				if entry, err = parseEntry(frame.Body); err != nil || entry.First < c.Next {
					return record.Corrupt(c.Name, frame.Offset, "the frame does not fit here")
				}
				reason := fmt.Sprintf("offsets %d to %d are missing", c.Next, entry.First-1)
				jumps = append(jumps, record.Damage{From: frame.Offset, To: frame.Offset, Reason: reason})
			}
			c.Next = entry.End()
			if visit != nil {
				visit(entry)
			}
			return nil
		})
		if len(c.Damage) == 0 { // else the damage says it
			c.Damage = jumps
		}
		c.Missing = !last && c.Err == nil && len(c.Damage) == 0 && c.Next != l.mu.files[i+1].first
	}
	return out, nil
}
