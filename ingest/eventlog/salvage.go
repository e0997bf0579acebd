package eventlog

import (
	"errors"
	"fmt"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// leastRecord is the least that a record takes in a file, in bytes; rows that are logged as columns take as much.
const leastRecord = 7

// diskSector is what a disk loses at least.
const diskSector = 512

// Gap is a range of offsets that cannot be read.
type Gap struct {
	// From is the first offset that is lost, and To the one after the last.
	From, To event.Offset
	// File is where the damage is, and At the byte of the file.
	File   string
	At     int64
	Reason string
}

// damaged reports whether an error says that a file is damaged.
func damaged(err error) bool {
	var fault *record.CorruptionError
	return errors.As(err, &fault) || errors.Is(err, record.ErrTorn)
}

// salvage reads a damaged file from an offset on: the entries that are whole, and the gaps between them, up to the offset with which the
// file ends. fn is given the entries before the damage again.
func (l *Log) salvage(r reading, fn func(*Entry) error, gap func(Gap) error) error {
	first := r.file.first
	s := &salvager{name: l.path(first), next: first, from: max(r.from, first), want: r.want, fn: fn, gap: gap, path: l.path}
	in, err := l.fs.Open(s.name)
	if err != nil {
		return fmt.Errorf("open %s: %w", s.name, err)
	}
	options := record.ScanOptions{Whole: true}
	if r.last {
		options.Limit = r.size
	}
	scanner, err := record.NewScanner(in, s.name, record.EventLog, options)
	if damaged(err) {
		s.note(err) // without its header no frame of the file can be known
	} else if err == nil {
		err = s.scan(scanner)
		s.closed = scanner.Closed()
	}
	if err != nil && !damaged(err) {
		return errors.Join(err, in.Close())
	}
	return errors.Join(s.lose(r.want), in.Close())
}

// salvager is one reading of a damaged file.
type salvager struct {
	name       string
	next       event.Offset // that follows what was read
	from, want event.Offset
	fn         func(*Entry) error
	gap        func(Gap) error
	path       func(event.Offset) string
	closed     bool // the file is whole, and ends before what is wanted
	// at and reason are of the damage met since the last entry.
	at     int64
	reason string
}

func (s *salvager) scan(scanner *record.Scanner) error {
	for {
		frame, err := scanner.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case damaged(err):
			s.note(err)
			if ok, err := scanner.Resync(); err != nil || !ok {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := s.take(frame); err != nil {
			return err
		}
	}
}

// take gives an entry that follows on what was read, with the gap before it.
func (s *salvager) take(frame record.Frame) error {
	entry := s.parse(frame)
	if entry == nil {
		s.note(record.Corrupt(s.name, frame.Offset, "the frame does not fit here"))
		return nil // its offsets are among those that the next entry does not follow on
	}
	if err := s.lose(entry.First); err != nil {
		return err
	}
	if s.next = entry.End(); s.next <= s.from {
		return nil
	}
	return s.fn(entry)
}

// parse gives a frame's entry, or nil if it cannot be one that belongs here.
func (s *salvager) parse(frame record.Frame) *Entry {
	entry, err := parseEntry(frame)
	if err != nil || entry.First < s.next || entry.End() > s.want {
		return nil
	}
	return entry
}

func (s *salvager) note(err error) {
	var fault *record.CorruptionError
	switch {
	case s.reason != "":
	case errors.As(err, &fault):
		s.at, s.reason = fault.Offset, fault.Reason
	default:
		s.reason = err.Error()
	}
}

// lose tells of the offsets up to the given one, if they are missing.
func (s *salvager) lose(to event.Offset) error {
	at, reason := s.at, s.reason
	s.at, s.reason = 0, ""
	lost := max(s.next, s.from)
	s.next = max(s.next, to)
	if lost >= to {
		return nil
	}
	name := s.name
	switch {
	case reason == "" && s.closed:
		name, reason = s.path(lost), "the file is missing"
	case reason == "":
		reason = "the file lacks its end"
	}
	return s.gap(Gap{From: lost, To: to, File: name, At: at, Reason: reason})
}

// setAside begins a new file after one that is damaged before its end, which stays as it is. The new file begins behind every offset
// that the damaged one may have given away: none is ever given twice.
func (l *Log) setAside(first event.Offset) error {
	name := l.path(first)
	in, err := l.fs.Open(name)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	size, err := in.Size()
	if err != nil {
		return errors.Join(err, in.Close())
	}
	end, lost, err := survey(in, name, first, size)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	if err := in.Close(); err != nil {
		return fmt.Errorf("close %s: %w", name, err)
	}
	l.mu.next = end + event.Offset((lost+leastRecord-1)/leastRecord)
	l.mu.files = append(l.mu.files, file{first: l.mu.next})
	return l.begin()
}

// survey finds the offset after the last entry of a damaged file that can be read, and how many bytes that cannot follow it.
func survey(in vfs.File, name string, first event.Offset, size int64) (end event.Offset, lost int64, err error) {
	scanner, err := record.NewScanner(in, name, record.EventLog, record.ScanOptions{})
	if damaged(err) {
		return first, size, nil
	}
	if err != nil {
		return first, size, err
	}
	for end = first; ; {
		frame, fault := scanner.Next()
		switch {
		case errors.Is(fault, io.EOF):
			return end, lost, nil
		case damaged(fault):
			at := scanner.Offset()
			found, err := scanner.Resync()
			if err == nil && !found && at%diskSector != 0 { // else it may be a sector that has lost its bytes
				if empty, err := scanner.Empty(); err != nil || empty {
					return end, lost, err // the rest was never written to
				}
			}
			if !found {
				return end, lost + size - at, err
			}
			lost += scanner.Offset() - at
			continue
		case fault != nil:
			return end, lost, fault
		}
		if entry, fault := parseEntry(frame); fault == nil && entry.First >= end {
			end, lost = entry.End(), 0
		} else {
			lost += int64(len(frame.Body))
		}
	}
}
