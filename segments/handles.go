package segments

import (
	"container/list"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// DefaultOpenFiles is how many segment files are kept open where Options do not say otherwise: well below the 1,024 descriptors that
// a process is commonly given, of which connections and logs need some too.
const DefaultOpenFiles = 256

// handles keep the files read last open, up to a bound. More are open only while as many are being read at the same moment.
type handles struct {
	open  func(*manifest.Segment) (vfs.File, error)
	limit int
	mu    struct {
		sync.Mutex
		closed bool
		byID   map[uint64]*list.Element
		order  list.List // of *handle, most recently used first
	}
}

// handle is an open file. Its fields but for file are guarded by the lock of handles.
type handle struct {
	id    uint64
	file  vfs.File
	users int
	// forgotten says that whoever uses it last closes it.
	forgotten bool
}

func newHandles(limit int, open func(*manifest.Segment) (vfs.File, error)) *handles {
	h := &handles{open: open, limit: limit}
	h.mu.byID = map[uint64]*list.Element{}
	return h
}

// readAt reads from a segment's file, which it opens if need be.
func (h *handles) readAt(segment *manifest.Segment, p []byte, offset int64) (n int, err error) {
	used, err := h.acquire(segment)
	if err != nil {
		return 0, err
	}
	n, err = used.file.ReadAt(p, offset)
	if closing := h.release(used); closing != nil {
		return n, closing
	}
	return n, err
}

func (h *handles) acquire(segment *manifest.Segment) (*handle, error) {
	if used, err := h.use(segment.ID); used != nil || err != nil {
		return used, err
	}
	file, err := h.open(segment) // without the lock: two may open the same file, and the second is closed
	if err != nil {
		return nil, err
	}
	fresh := &handle{id: segment.ID, file: file}
	h.mu.Lock()
	used, closing := fresh, []*handle(nil)
	switch e, ok := h.mu.byID[segment.ID]; {
	case h.mu.closed:
		h.mu.Unlock()
		return nil, errors.Join(errClosed(), file.Close())
	case ok:
		used, closing = e.Value.(*handle), append(closing, fresh)
		h.mu.order.MoveToFront(e)
	default:
		closing = h.makeRoom()
		h.mu.byID[segment.ID] = h.mu.order.PushFront(fresh)
	}
	used.users++
	h.mu.Unlock()
	for _, old := range closing {
		err = errors.Join(err, old.file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("close segment file: %w", err), h.release(used))
	}
	return used, nil
}

func (h *handles) use(id uint64) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.closed {
		return nil, errClosed()
	}
	e, ok := h.mu.byID[id]
	if !ok {
		return nil, nil
	}
	h.mu.order.MoveToFront(e)
	used := e.Value.(*handle)
	used.users++
	return used, nil
}

// makeRoom takes out what is beyond the bound and gives those that nobody is reading. The lock is held.
func (h *handles) makeRoom() (unused []*handle) {
	for len(h.mu.byID) >= h.limit {
		if old := h.forget(h.mu.order.Back()); old != nil {
			unused = append(unused, old)
		}
	}
	return unused
}

// forget takes out a handle and returns it if nobody is reading. The lock is held.
func (h *handles) forget(e *list.Element) *handle {
	old := h.mu.order.Remove(e).(*handle)
	delete(h.mu.byID, old.id)
	old.forgotten = true
	if old.users > 0 {
		return nil
	}
	return old
}

func (h *handles) release(used *handle) error {
	h.mu.Lock()
	used.users--
	last := used.forgotten && used.users == 0
	h.mu.Unlock()
	if !last {
		return nil
	}
	return used.file.Close()
}

// drop closes the file of a segment that is about to be removed.
func (h *handles) drop(id uint64) error {
	h.mu.Lock()
	var old *handle
	if e, ok := h.mu.byID[id]; ok {
		old = h.forget(e)
	}
	h.mu.Unlock()
	if old == nil {
		return nil
	}
	return old.file.Close()
}

// close closes all files that nobody is reading; the others close when their reads end. Nothing can be read afterwards.
func (h *handles) close() error {
	h.mu.Lock()
	h.mu.closed = true
	var unused []*handle
	for h.mu.order.Len() > 0 {
		if old := h.forget(h.mu.order.Back()); old != nil {
			unused = append(unused, old)
		}
	}
	h.mu.Unlock()
	var faults []error
	for _, old := range unused {
		faults = append(faults, old.file.Close())
	}
	return errors.Join(faults...)
}

// openFile opens a segment's file where it lies now: in the directory of its stream, or in trash/ once it has been replaced.
func (s *Store) openFile(segment *manifest.Segment) (vfs.File, error) {
	for {
		at := s.location(segment)
		file, err := s.fs.Open(at)
		switch {
		case err == nil:
			return s.checkSize(segment, file)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("open segment: %w", err)
		case at == s.location(segment): // it was not moved between the two looks
			err := event.Errorf(event.CodeCorrupt, "segment file %s of stream %s is missing", segment.File, segment.Stream)
			s.noteDamage(segment, err)
			return nil, err
		}
	}
}

// location is where a segment's file is, as far as this process has moved it.
func (s *Store) location(segment *manifest.Segment) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if moved, ok := s.mu.moved[segment.ID]; ok {
		return moved
	}
	return segment.File
}

// checkSize holds the size of a file against the manifest. Contents are checked as they are read.
func (s *Store) checkSize(segment *manifest.Segment, file vfs.File) (vfs.File, error) {
	size, err := file.Size()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("look at segment file %s: %w", segment.File, err), file.Close())
	}
	if size != segment.Bytes {
		err := event.Errorf(event.CodeCorrupt, "segment file %s has %d bytes, not %d", segment.File, size, segment.Bytes)
		s.noteDamage(segment, err)
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
