package eventlog

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

var errFound = errors.New("found")

// Trim removes the oldest files, as long as their offsets all lie before sealed, and their entries all came before arrivedBefore or the
// log takes more than keepBytes, where 0 is no limit. It never removes the last file. A file's newest arrival is taken to be the first
// of the next file, so that not all of it has to be read: at worst a file stays a little longer.
func (l *Log) Trim(sealed event.Offset, arrivedBefore time.Time, keepBytes int64) error {
	l.trimming.Lock()
	defer l.trimming.Unlock()
	for {
		following, ok := l.following(sealed)
		if !ok {
			return nil
		}
		if keepBytes > 0 && l.Bytes() > keepBytes {
			if err := l.removeFirst(); err != nil {
				return fmt.Errorf("trim log %s: %w", l.dir, err)
			}
			continue
		}
		arrival, known, err := l.firstArrival(following)
		if err != nil {
			return fmt.Errorf("trim log %s: %w", l.dir, err)
		}
		if !known || arrival >= arrivedBefore.UnixMicro() {
			return nil
		}
		if err := l.removeFirst(); err != nil {
			return fmt.Errorf("trim log %s: %w", l.dir, err)
		}
	}
}

// Bytes is the size of all files.
func (l *Log) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.mu.size
	for _, f := range l.mu.files[:len(l.mu.files)-1] {
		total += f.size
	}
	return total
}

// Writing is the file that is being written, and where what it holds ends: there may be space behind that.
func (l *Log) Writing() (name string, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.path(l.mu.files[len(l.mu.files)-1].first), l.mu.size
}

// following gives the second file, if the first holds nothing but offsets before sealed.
func (l *Log) following(sealed event.Offset) (file, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.files) < 2 || l.mu.files[1].first > sealed {
		return file{}, false
	}
	return l.mu.files[1], true
}

// firstArrival is when the first entry of the file came. It is not known while there is none.
func (l *Log) firstArrival(f file) (arrival int64, known bool, err error) {
	if f.hasArrival {
		return f.arrival, true, nil
	}
	name := l.path(f.first)
	_, err = record.Scan(l.fs, name, record.EventLog, record.ScanOptions{}, func(frame record.Frame) error {
		entry, err := parseFrame(frame, name, f.first)
		if err != nil {
			return err
		}
		arrival, known = entry.Meta.Arrival, true
		return errFound
	})
	if known {
		l.keepArrival(f.first, arrival)
		return arrival, true, nil
	}
	if errors.Is(err, record.ErrTorn) {
		return 0, false, nil // its first frame is being written
	}
	if damaged(err) {
		return 0, false, nil // it stays, for whoever wants to look at it
	}
	return 0, false, err
}

func (l *Log) keepArrival(first event.Offset, arrival int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.files) > 1 && l.mu.files[1].first == first {
		l.mu.files[1].arrival, l.mu.files[1].hasArrival = arrival, true
	}
}

// removeFirst forgets the first file and then removes it, so that no Read that starts now looks for it. The removal is made
// durable before the next one, so that a crash never leaves a log with a hole: where that fails, the file stays the first, to be removed again.
func (l *Log) removeFirst() error {
	l.mu.Lock()
	first := l.mu.files[0]
	l.mu.files = slices.Delete(l.mu.files, 0, 1)
	l.mu.Unlock()
	err := l.fs.Remove(l.path(first.first))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = l.fs.SyncDir(l.dir)
	}
	if err != nil {
		l.mu.Lock()
		l.mu.files = slices.Insert(l.mu.files, 0, first)
		l.mu.Unlock()
	}
	return err
}
