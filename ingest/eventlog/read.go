package eventlog

import (
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
	i, exact := slices.BinarySearchFunc(files, from, func(f file, o event.Offset) int { return int(min(max(f.first-o, -1), 1)) })
	if !exact {
		i--
	}
	if i < 0 {
		return record.Corrupt(l.path(files[0].first), 0, "the log begins at offset %d, after offset %d", files[0].first, from)
	}
	for ; i < len(files); i++ {
		next, err := l.readFile(files[i].first, i == len(files)-1, size, from, fn)
		if err != nil {
			return fmt.Errorf("read log %s: %w", l.dir, err)
		}
		want := end
		if i < len(files)-1 {
			want = files[i+1].first
		}
		if next != want {
			return record.Corrupt(l.path(files[i].first), 0, "the file ends at offset %d, and offset %d follows", next, want)
		}
	}
	return nil
}

// readFile reads one file and gives the offset after its last record.
func (l *Log) readFile(first event.Offset, last bool, size int64, from event.Offset, fn func(*Entry) error) (event.Offset, error) {
	name, next := l.path(first), first
	options := record.ScanOptions{Whole: true} // recovery has seen to the tail
	if last {
		options.Limit = size
	}
	complete, err := record.Scan(l.fs, name, record.EventLog, options, func(f record.Frame) error {
		entry, err := parseFrame(f, name, next)
		if err != nil {
			return err
		}
		if next = entry.end(); next <= from {
			return nil
		}
		return fn(entry)
	})
	if err == nil && !last && !complete {
		err = record.Corrupt(name, 0, "the file lacks its end")
	}
	return next, err
}
