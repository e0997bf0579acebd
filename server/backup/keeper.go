package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const (
	// idleTime is how long a pin lasts that nobody asks for anything: what it holds takes space once the server has removed it.
	idleTime = time.Hour
	// maxPins is how many backups of one server may be made at a time.
	maxPins = 4
)

// Keeper lets others read a data directory as it was at one moment while its server goes on. It may be used from any goroutine. Close ends
// all pins.
type Keeper struct {
	source Source

	mu struct {
		sync.Mutex
		closed bool
		pins   map[string]*pinEntry
	}
}

// pinEntry is a pin. Its fields are guarded by the lock of the Keeper.
type pinEntry struct {
	pinned *Pinned // nil while it is being made
	idle   *time.Timer
}

// NewKeeper removes what an earlier process has left of its pins.
func NewKeeper(source Source) (*Keeper, error) {
	if err := removeAll(source.FS, Dir); err != nil {
		return nil, fmt.Errorf("remove pinned files: %w", err)
	}
	k := &Keeper{source: source}
	k.mu.pins = map[string]*pinEntry{}
	return k, nil
}

// Begin pins the data directory as it is now: all that was acknowledged before is in it. Whoever calls it reads the files with Open and
// gives them up with End.
func (k *Keeper) Begin(ctx context.Context) (*Pinned, error) {
	id := rand.Text()
	k.mu.Lock()
	closed, many := k.mu.closed, len(k.mu.pins) >= maxPins
	if !closed && !many {
		k.mu.pins[id] = &pinEntry{}
	}
	k.mu.Unlock()
	if closed {
		return nil, errClosed()
	}
	if many {
		return nil, event.Errorf(event.CodeTooBusy, "%d backups are being made already", maxPins).WithHint("try again when one has ended")
	}
	pinned, err := k.source.pin(ctx, path.Join(Dir, id))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin backup: %w", err), k.End(id))
	}
	pinned.ID = id
	k.mu.Lock()
	defer k.mu.Unlock()
	entry, ok := k.mu.pins[id]
	if !ok {
		return nil, errClosed()
	}
	entry.pinned = pinned
	entry.idle = time.AfterFunc(idleTime, func() { _ = k.End(id) }) // what is left is removed by the next start
	return pinned, nil
}

// Open reads a pinned file, up to its size in the backup.
func (k *Keeper) Open(id, name string) (*Reader, error) {
	k.mu.Lock()
	entry, ok := k.mu.pins[id]
	ok = ok && entry.pinned != nil
	if ok {
		entry.idle.Reset(idleTime)
	}
	k.mu.Unlock()
	if !ok {
		return nil, errNoPin(id)
	}
	size, ok := entry.pinned.sizes[name]
	if !ok {
		return nil, event.Errorf(event.CodeNotFound, "the backup has no file %q", name)
	}
	file, err := k.source.FS.Open(path.Join(Dir, id, name))
	if err != nil {
		return nil, fmt.Errorf("read pinned file: %w", err)
	}
	return &Reader{SectionReader: io.NewSectionReader(file, 0, size), file: file}, nil
}

// End gives a pin up. Ending one that is not there does nothing.
func (k *Keeper) End(id string) error {
	k.mu.Lock()
	entry, ok := k.mu.pins[id]
	delete(k.mu.pins, id)
	if ok && entry.idle != nil {
		entry.idle.Stop()
	}
	k.mu.Unlock()
	if !ok {
		return nil
	}
	if err := removeAll(k.source.FS, path.Join(Dir, id)); err != nil {
		return fmt.Errorf("end backup: %w", err)
	}
	return nil
}

// Close ends all pins, and lets no new ones begin.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.mu.closed = true
	var ids []string
	for id := range k.mu.pins {
		ids = append(ids, id)
	}
	k.mu.Unlock()
	var faults []error
	for _, id := range ids {
		faults = append(faults, k.End(id))
	}
	return errors.Join(faults...)
}

// Reader reads a pinned file.
type Reader struct {
	*io.SectionReader
	file vfs.File
}

// Close implements io.Closer.
func (r *Reader) Close() error { return r.file.Close() }

func errClosed() error { return event.Errorf(event.CodeClosed, "the server is stopping") }
