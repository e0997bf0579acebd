package eventlog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

// Read calls fn, in order, for the entries that hold offsets from the given one on, as far as they were appended when it was
// called; the first entry may begin before that offset. An entry and its Values are valid during the call only. The caller
// sees to it that Trim spares what is being read.
//
// Any damage is an error with CodeCorrupt: entries after it are not given.
func (l *Log) Read(from event.Offset, fn func(*Entry) error) error {
	l.mu.Lock()
	files, end, size := slices.Clone(l.mu.files), l.mu.next, l.mu.size
	l.mu.Unlock()
	if from > end {
		return record.Corrupt(l.path(files[len(files)-1].first), size, "the log ends at offset %d, before offset %d", end, from)
	}
	if from == end {
		return nil
	}
	return l.readFiles(files, from, end, size, fn, nil)
}

// ReadAround is Read that goes on behind damage: gap is told of each range of offsets from the given one on that cannot be read, in its
// place among the entries. An error of gap ends the reading.
func (l *Log) ReadAround(from event.Offset, fn func(*Entry) error, gap func(Gap) error) error {
	l.mu.Lock()
	files, end, size := slices.Clone(l.mu.files), l.mu.next, l.mu.size
	l.mu.Unlock()
	if from >= end {
		return nil
	}
	given := from
	return l.readFiles(files, from, end, size, func(e *Entry) error {
		if e.End() <= given { // before the damage, and read once more
			return nil
		}
		given = e.End()
		return fn(e)
	}, func(g Gap) error {
		if given = max(given, g.To); g.To <= g.From {
			return nil
		}
		return gap(g)
	})
}

func (l *Log) readFiles(files []file, from, end event.Offset, size int64, fn func(*Entry) error, gap func(Gap) error) error {
	i, exact := slices.BinarySearchFunc(files, from, func(f file, o event.Offset) int { return int(min(max(f.first-o, -1), 1)) })
	if !exact {
		i--
	}
	if i < 0 {
		missing := Gap{From: from, To: files[0].first, File: l.path(from), Reason: "the file is missing"}
		if gap == nil {
			return record.Corrupt(missing.File, 0, "the log begins at offset %d, after offset %d", missing.To, from)
		}
		if err := gap(missing); err != nil {
			return fmt.Errorf("read log %s: %w", l.dir, err)
		}
		i, from = 0, missing.To
	}
	for ; i < len(files); i++ {
		r := reading{file: files[i], from: from, want: end, last: i == len(files)-1, size: size}
		if !r.last {
			r.want = files[i+1].first
		} else if gap == nil { // else it is recovered, once
			l.followed.Store(true)
		}
		err := l.readFile(r, fn)
		if gap != nil && damaged(err) {
			if err = l.readFile(r, fn); damaged(err) { // not only misread
				err = l.salvage(r, fn, gap)
			}
		}
		if err != nil {
			return fmt.Errorf("read log %s: %w", l.dir, err)
		}
		from = max(from, r.want)
	}
	return nil
}

// errWhole ends the reading of a file that has given all that counts of it.
var errWhole = errors.New("the file is read")

// reading is what is to be read of one file.
type reading struct {
	file file
	// from is the first offset to give, and want the one that follows on the file.
	from, want event.Offset
	// last is set for the file being written, which is read up to a size.
	last bool
	size int64
}

// readFile reads one file, from the place that its index knows for the offset. A file without an index is read whole, and is indexed by
// that. What lies behind the wanted offset is not looked at: the next file has it.
func (l *Log) readFile(r reading, fn func(*Entry) error) error {
	name, next := l.path(r.file.first), r.file.first
	options := record.ScanOptions{Whole: true} // recovery has seen to the tail
	if r.last {
		options.Limit = r.size
	}
	at, indexed := l.startOf(r.file.first, r.from)
	if indexed {
		next, options.Start = at.offset, at.position
	}
	var index []mark
	if next < r.want {
		closed, err := record.Scan(l.fs, name, record.EventLog, options, func(frame record.Frame) error {
			entry, err := parseFrame(frame, name, next)
			if err != nil {
				return err
			}
			if !indexed {
				index = addMark(index, entry, frame.Offset, l.options.IndexBytes)
			}
			if next = entry.End(); next > r.want {
				return record.Corrupt(name, frame.Offset, "offsets up to %d stand where the file ends before %d", next-1, r.want)
			}
			if next > r.from {
				if err := fn(entry); err != nil {
					return err
				}
			}
			if next == r.want && !r.last {
				return errWhole
			}
			return nil
		})
		if err != nil && !errors.Is(err, errWhole) {
			return err
		}
		if next < r.want && closed {
			return record.Corrupt(l.path(next), 0, "the file is missing")
		}
		if next < r.want {
			return record.Corrupt(name, 0, "the file ends at offset %d, and offset %d follows", next, r.want)
		}
	}
	if !indexed {
		l.keepIndex(r.file.first, next, index)
	}
	return nil
}

// startOf is where to begin to read a file for an offset.
func (l *Log) startOf(first, from event.Offset) (mark, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.mu.files {
		if f.first == first {
			return start(f.index, from)
		}
	}
	return mark{}, false
}

// keepIndex gives a file the index that a whole reading of it, up to the offset end, has made. The file being written may have grown
// since: then the index would miss what came meanwhile, and is left for another reading to make.
func (l *Log) keepIndex(first, end event.Offset, index []mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.mu.files {
		f, last := &l.mu.files[i], i == len(l.mu.files)-1
		if f.first == first && len(f.index) == 0 && (!last || end == l.mu.next) {
			f.index = index
		}
	}
}

// First is the oldest offset that Read can give.
func (l *Log) First() event.Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.files[0].first
}
