// Package eventlog keeps the events of one partition: a list of files of Kafka RecordBatch v2 batches, each behind our frame
// together with what the writer decided about it, so that a replay decides nothing again.
//
// What always holds: offsets are dense from 0 and never given twice; what Sync has confirmed is read again after any crash,
// and what comes back is either exactly what was appended or an error that names the file and the place; a file is written by
// one process, and never changed after the next one has begun; it counts up to the offset in the name of the next. Damage is never cut
// off, only the torn end of the last write is.
//
// Append, Sync and Close are for the writer of the partition, one at a time. Next, Read and Trim may be called from any, also
// meanwhile. The package does not know schemas, does not look into values, and starts no goroutines.
package eventlog

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// defaultRotateBytes is the size at which a new file begins: small enough to remove soon after it is sealed and to copy when a
// crash has left it open, large enough that beginning one costs nothing per event.
const defaultRotateBytes = 64 << 20

const (
	suffix = ".log"
	// frameBatch is the kind of the frames that hold a batch of records, and frameColumns that of those that hold rows as columns. A program
	// that does not know a kind opens no log with it.
	frameBatch   uint8 = 1
	frameColumns uint8 = 2
)

// ErrFailed is what Append and Sync answer after a write or sync has failed. Only opening the log again helps.
var ErrFailed = record.ErrFailed

// ErrClosed is what Append and Sync answer after Close.
var ErrClosed error = event.Errorf(event.CodeClosed, "the log is closed")

// Options tune a Log; the zero value is good.
type Options struct {
	// RotateBytes is the size at which a new file begins; 0 means 64 MiB. One frame more than that is possible.
	RotateBytes int64
	// IndexBytes is how far apart the places are from which a Read can start; 0 means 256 KiB.
	IndexBytes int64
	// Salvage opens a log whose last file is damaged where it was durable: it goes on in a new file, behind every offset that the damaged
	// one may have given away, and ReadAround tells what is lost.
	Salvage bool
}

// Log is the log of one partition.
type Log struct {
	fs      vfs.FS
	dir     string
	options Options
	looking bool // nothing is to be changed

	// The writer's own.
	writer *record.Writer
	placed []place // entries that are encoded and not yet written
	closed bool
	// followed is set once somebody reads of the file being written: the rest of it, which is likely to be read at once, too, then stays in the system's cache.
	followed atomic.Bool

	// mu guards what others look at; no I/O happens under it.
	mu struct {
		sync.Mutex
		files []file // ascending by first offset, at least one; the last is being written
		next  event.Offset
		size  int64 // of the last file, as far as it is written
	}
	trimming sync.Mutex // held by Trim throughout; taken before mu
}

// file is one file of the log.
type file struct {
	first event.Offset
	// arrival is when the first entry came, once known: then every entry of the file before had come.
	arrival    int64
	hasArrival bool
	// size is that of a file before the last one, in bytes.
	size int64
	// index lists places in the file, for a Read that starts in the middle; it is empty while it is not known.
	index []mark
}

// Open recovers the log in the directory, making it if it does not exist. A torn tail is left out, durably. Damage to what was
// durable is an error with CodeCorrupt, and changes nothing, unless it is to be salvaged.
func Open(fs vfs.FS, dir string, options Options) (*Log, error) {
	if options.RotateBytes <= 0 {
		options.RotateBytes = defaultRotateBytes
	}
	if options.IndexBytes <= 0 {
		options.IndexBytes = defaultIndexBytes
	}
	l := &Log{fs: fs, dir: dir, options: options}
	if err := l.recover(); err != nil {
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return l, nil
}

// list finds the files, and removes what a crash has left half made.
func (l *Log) list() error {
	names, err := l.fs.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, record.TemporarySuffix) && !l.looking {
			if err := l.fs.Remove(path.Join(l.dir, name)); err != nil {
				return err
			}
			continue
		}
		digits, ok := strings.CutSuffix(name, suffix)
		if first, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && len(digits) == 20 && first >= 0 {
			info, err := l.fs.Stat(path.Join(l.dir, name))
			if err != nil {
				return err
			}
			l.mu.files = append(l.mu.files, file{first: event.Offset(first), size: info.Size()})
		}
	}
	return nil
}

// begin makes the file for the next offset. It is durable, name and all, before the first frame is written to it.
func (l *Log) begin() error {
	writer, err := record.Create(l.fs, l.path(l.mu.next), record.EventLog, record.NewSalt())
	if err != nil {
		return err
	}
	l.writeTo(writer)
	return nil
}

// writeTo goes on with a new file.
func (l *Log) writeTo(writer *record.Writer) {
	writer.Ahead(l.options.RotateBytes)
	l.followed.Store(false)
	l.writer, l.mu.size = writer, writer.Size()
}

// Next is the offset that the next record takes.
func (l *Log) Next() event.Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.next
}

// Append writes entries in order and sets the First of each. They are not durable before Sync. An entry that cannot be encoded
// is refused before anything is written. If there is no space, none of the entries is in the log, and later ones are taken again; any
// other failed write closes the log for writing, which Failed then tells.
func (l *Log) Append(entries []*Entry) error {
	if l.closed {
		return ErrClosed
	}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return fmt.Errorf("append to log %s: %w", l.dir, err)
		}
	}
	before := l.Next()
	err := l.append(entries)
	if err == nil {
		return nil
	}
	clear(l.placed) // of idle streams it would keep rows and their text
	l.placed = l.placed[:0]
	if l.Next() > before { // a part of them is written, and cannot be told from the rest
		err = l.writer.Fail(err)
	}
	return fmt.Errorf("append to log %s: %w", l.dir, err)
}

// Failed is nil while the log can be written to, or the reason why not. It is for the writer.
func (l *Log) Failed() error { return l.writer.Failed() }

func (l *Log) append(entries []*Entry) error {
	next := l.Next()
	l.writer.Uncached(!l.followed.Load())
	for _, e := range entries {
		if l.full(next) {
			if err := l.flush(next); err != nil {
				return err
			}
			if err := l.rotate(); err != nil {
				return err
			}
		}
		e.First = next
		position := l.writer.Size() + int64(l.writer.Pending())
		err := l.writer.AddSummed(e.kind(), func(dst []byte) ([]byte, record.Sum) {
			start := len(dst)
			dst, sum := appendEntry(dst, e)
			e.Bytes = len(dst) - start
			return dst, sum
		})
		if err != nil {
			l.writer.Discard()
			return err
		}
		l.placed = append(l.placed, place{entry: e, position: position})
		next = e.End()
	}
	return l.flush(next)
}

// full reports whether offset next belongs into a new file. A file without records is never full: the next one would have
// its name.
func (l *Log) full(next event.Offset) bool {
	return next > l.lastFirst() && l.writer.Size()+int64(l.writer.Pending()) >= l.options.RotateBytes
}

// flush writes what is buffered and lets readers see it.
func (l *Log) flush(next event.Offset) error {
	if err := l.writer.Flush(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.next, l.mu.size = next, l.writer.Size()
	l.mu.files[len(l.mu.files)-1].note(l.placed, l.options.IndexBytes)
	clear(l.placed) // of idle streams it would keep rows and their text
	l.placed = l.placed[:0]
	return nil
}

// rotate completes the file and begins the next one.
func (l *Log) rotate() error {
	if err := l.mark(); err != nil {
		return err
	}
	next := l.Next()
	writer, err := record.Create(l.fs, l.path(next), record.EventLog, record.NewSalt())
	if vfs.Full(err) && l.fs.Remove(l.path(next)) == nil {
		return err // the old file can go on, behind its mark
	}
	if err != nil {
		return l.writer.Fail(err)
	}
	old := l.writer
	writer.Inherit(old)
	l.mu.Lock()
	l.mu.files[len(l.mu.files)-1].size = old.Size()
	l.mu.files = append(l.mu.files, file{first: next})
	l.writeTo(writer)
	l.mu.Unlock()
	return old.Close()
}

// mark completes the file. Whoever copies it up to where Writing says has the mark, too, before a next file can be seen.
func (l *Log) mark() error {
	if err := l.writer.Mark(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.size = l.writer.Size()
	return nil
}

// Sync makes everything appended durable.
func (l *Log) Sync() error {
	if l.closed {
		return ErrClosed
	}
	if err := l.writer.Sync(); err != nil {
		return fmt.Errorf("sync log %s: %w", l.dir, err)
	}
	return nil
}

// Close makes everything appended durable, marks the file complete and closes it. It leaves an empty file for the next process to go on
// with: its name says where this one ends, so that it is known to be damaged if it is ever found shorter. Calling it again does nothing.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	if l.writer.Failed() != nil {
		return l.writer.Close() // the failure was given to whoever met it
	}
	err := errors.Join(l.mark(), l.writer.Close())
	if next := l.Next(); err == nil && next > l.lastFirst() {
		var following *record.Writer
		if following, err = record.Create(l.fs, l.path(next), record.EventLog, record.NewSalt()); err == nil {
			err = following.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("close log %s: %w", l.dir, err)
	}
	return nil
}

// lastFirst is the first offset of the file being written.
func (l *Log) lastFirst() event.Offset {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.files[len(l.mu.files)-1].first
}

func (l *Log) path(first event.Offset) string {
	return path.Join(l.dir, fmt.Sprintf("%020d%s", first, suffix))
}
