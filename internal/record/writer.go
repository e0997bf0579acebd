package record

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// keepBuffer is the largest buffer that a Writer keeps between flushes, so that one huge frame does not hold memory for good.
const keepBuffer = 4 << 20

// A buffer beyond smallBuffer of which the last idleFlushes used less than a sixteenth is given back as well. There is a writer for each partition
// of each stream, and one that has fallen silent writes nothing but markers, of which the first eight come within three minutes.
const (
	smallBuffer = 64 << 10
	idleFlushes = 8
)

// Writer appends frames to a file. After the first failure of a write or sync it does nothing more, and answers ErrFailed with
// the cause: the kernel may have dropped the pages that it could not write, so a second try could succeed without them. A write that only
// finds no space is different: what it left is cut off, what waited to be written is forgotten, and the Writer goes on.
type Writer struct {
	file vfs.File
	name string
	salt uint64
	// buffer holds the frames that wait to be written, behind unused bytes: as many as the last page of the file is full, where it is written past the cache.
	buffer  []byte
	unused  int
	idle    int // how many of the last flushes had little use for the buffer
	written int64
	durable int64
	marked  int64 // the size with which the file ended in a mark
	ahead   ahead
	// uncached asks for large writes to go past the system's cache.
	uncached bool
	failed   error
}

// Uncached says whether frames written from now on are hardly ever read: large groups of them then go past the system's cache.
func (w *Writer) Uncached(on bool) { w.uncached = on }

// Inherit takes over the memory of a writer that is done, for as much is likely to be written again.
func (w *Writer) Inherit(from *Writer) {
	if w.Pending() == 0 && cap(from.buffer) > cap(w.buffer) {
		w.buffer, from.buffer = from.buffer[:0], nil
		w.unused, from.unused = 0, 0
	}
}

// Add encodes a frame into the buffer; Flush writes it. encode appends the body to what it is given. A body beyond MaxBody is
// refused and nothing of it stays.
func (w *Writer) Add(kind uint8, encode func(dst []byte) []byte) error {
	return w.AddSummed(kind, func(dst []byte) ([]byte, Sum) { return encode(dst), Sum{} })
}

// AddSummed is Add for an encode that also says what it knows of the body's checksum.
func (w *Writer) AddSummed(kind uint8, encode func(dst []byte) ([]byte, Sum)) error {
	if w.failed != nil {
		return w.failed
	}
	w.place()
	start := len(w.buffer)
	var header [frameHeaderSize]byte
	var sum Sum
	w.buffer, sum = encode(append(w.buffer, header[:]...))
	if n := len(w.buffer) - start - frameHeaderSize; n > MaxBody {
		w.buffer = w.buffer[:start]
		return event.Errorf(event.CodeTooLarge, "a record of %d bytes is beyond the limit of %d", n, MaxBody)
	}
	putFrameHeader(w.buffer[start:], kind, w.salt, w.durable, sum)
	return nil
}

// place readies an empty buffer so that frames lie in pages of memory as they will in those of the file, which begins at a page once it is large.
func (w *Writer) place() {
	if !w.uncached || w.Pending() > 0 {
		return
	}
	w.unused = int(w.written % vfs.PageBytes)
	w.buffer = slices.Grow(w.buffer[:0], w.unused)[:w.unused]
}

// Discard forgets the frames that are not flushed.
func (w *Writer) Discard() { w.buffer, w.unused = w.buffer[:0], 0 }

// Flush writes what Add has encoded, in one call.
func (w *Writer) Flush() error {
	if w.failed != nil {
		return w.failed
	}
	group := w.Pending()
	if group == 0 {
		return nil
	}
	if err := w.write(w.buffer[w.unused:]); err != nil {
		return w.takeBack(fmt.Errorf("write %s: %w", w.name, err))
	}
	w.written += int64(group)
	w.Discard()
	w.settle(group)
	return w.zeroAhead(group)
}

// settle gives back a buffer that is too large for what was flushed from it, now or for some time.
func (w *Writer) settle(group int) {
	if w.idle++; group >= cap(w.buffer)/16 {
		w.idle = 0
	}
	if size := cap(w.buffer); size > keepBuffer || (size > smallBuffer && w.idle >= idleFlushes) {
		w.buffer, w.idle = nil, 0
	}
}

func (w *Writer) write(frames []byte) error {
	if w.uncached {
		_, err := vfs.WriteUncached(w.file, frames, w.written)
		return err
	}
	_, err := w.file.WriteAt(frames, w.written)
	return err
}

// Sync makes what was flushed durable.
func (w *Writer) Sync() error {
	if w.failed != nil {
		return w.failed
	}
	if w.durable == w.written {
		return nil
	}
	if err := w.file.Sync(); err != nil {
		return w.fail(fmt.Errorf("sync %s: %w", w.name, err))
	}
	w.durable = w.written
	return nil
}

// Mark flushes, syncs, and then records in the file that everything so far is durable, and cuts off the zeroes behind that. A file that ends in
// a mark is complete: from then on, damage to its last frames cannot pass for a torn tail. More frames may follow.
func (w *Writer) Mark() error {
	if err := w.Flush(); err != nil {
		return err
	}
	if w.marked == w.written {
		return nil
	}
	if err := w.Sync(); err != nil {
		return err
	}
	if err := w.Add(KindMark, func(dst []byte) []byte { return dst }); err != nil {
		return err
	}
	if err := w.flushLast(); err != nil {
		return err
	}
	if err := w.Sync(); err != nil {
		return err
	}
	w.marked = w.written
	return nil
}

// Size is where the frames of the file end, flushed ones included.
func (w *Writer) Size() int64 { return w.written }

// Pending is how many bytes wait for Flush.
func (w *Writer) Pending() int { return len(w.buffer) - w.unused }

// Failed is nil, or what every call answers since the first failure.
func (w *Writer) Failed() error { return w.failed }

// Close closes the file without flushing: Mark first where the frames matter.
func (w *Writer) Close() error {
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", w.name, err)
	}
	return nil
}

// takeBack answers a failed write. If only the space was missing, what was written of it is cut off again, and the file can go on once there
// is space: nothing of it was ever to be durable. If that does not succeed, or for any other reason, the Writer has failed.
func (w *Writer) takeBack(err error) error {
	if !vfs.Full(err) && !errors.Is(err, io.ErrShortWrite) {
		return w.fail(err)
	}
	if cut := w.cutZeroes(); cut != nil {
		return w.fail(errors.Join(err, cut))
	}
	w.Discard()
	return err
}

func (w *Writer) fail(err error) error {
	w.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	return w.failed
}

// Fail stops the Writer as a failed write would, for a failure in what belongs to writing but lies outside the file.
func (w *Writer) Fail(err error) error {
	if w.failed != nil {
		return w.failed
	}
	return w.fail(err)
}
