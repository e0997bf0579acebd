package eventlog

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// recover finds what other processes have written, and begins the file that this one writes to. What another process wrote is never
// appended to nor changed: if a sync of it failed, the system may show bytes that are not on the disk and that it will not write again. So
// the new file begins with copies of the entries that are not known to be durable, which is no more than one sync covers, and takes the
// place of theirs: a file counts up to the offset with which the next begins.
func (l *Log) recover() error {
	if err := vfs.MkdirAllSync(l.fs, l.dir); err != nil {
		return err
	}
	if err := l.list(); err != nil {
		return err
	}
	if len(l.mu.files) == 0 {
		l.mu.files = []file{{}}
		return l.begin()
	}
	last := l.mu.files[len(l.mu.files)-1].first
	found, err := l.readEnding(last)
	if l.options.Salvage && damaged(err) {
		return l.setAside(last)
	}
	if err != nil {
		return err
	}
	l.mu.next = found.next
	return l.goOn(last, found)
}

// ending is what the last file of a log ends with.
type ending struct {
	next event.Offset // the one after the last entry
	// open are the entries that are not known to be durable.
	open []mark
	torn bool
}

// readEnding reads the last file of another process. Where it is damaged or torn, it is read once more: what then is whole was only misread,
// and is neither cut off nor taken for lost.
func (l *Log) readEnding(first event.Offset) (ending, error) {
	found, err := l.readEndingOnce(first)
	if !found.torn && !damaged(err) {
		return found, err
	}
	again, fault := l.readEndingOnce(first)
	if fault != nil || (err == nil && again.next < found.next) {
		return found, err
	}
	return again, nil
}

func (l *Log) readEndingOnce(first event.Offset) (found ending, err error) {
	found.next = first
	name := l.path(first)
	in, err := l.fs.Open(name)
	if err != nil {
		return found, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	scanner, err := record.NewScanner(in, name, record.EventLog, record.ScanOptions{})
	for err == nil {
		var frame record.Frame
		if frame, err = scanner.Next(); err != nil {
			break
		}
		entry, fault := parseFrame(frame, name, found.next)
		if fault != nil {
			return found, fault
		}
		found.next = entry.End()
		found.open = append(found.open, mark{offset: entry.First, position: frame.Offset})
		found.settle(scanner.Durable())
	}
	if scanner != nil {
		found.settle(scanner.Durable()) // by a mark at the end
	}
	if found.torn = errors.Is(err, record.ErrTorn); found.torn || errors.Is(err, io.EOF) {
		return found, nil
	}
	return found, err
}

// settle forgets the entries that lie before a place up to which the file is durable.
func (e *ending) settle(durable int64) {
	n := 0
	for n < len(e.open) && e.open[n].position < durable {
		n++
	}
	e.open = slices.Delete(e.open, 0, n)
}

// goOn begins the file that follows on the last one, or takes its place if nothing of it is known to be durable.
func (l *Log) goOn(last event.Offset, found ending) error {
	carried := record.Carried{From: l.path(last), Frames: len(found.open)}
	first := found.next
	if len(found.open) > 0 {
		first, carried.Start = found.open[0].offset, found.open[0].position
	}
	writer, err := record.Continue(l.fs, l.path(first), record.EventLog, carried)
	if err != nil {
		return err
	}
	l.writeTo(writer)
	if first > last {
		l.mu.files = append(l.mu.files, file{first: first})
	}
	return nil
}
