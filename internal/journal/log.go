package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// defaultRotateBytes is how long the log grows before a snapshot replaces it. Replaying it takes some tens of milliseconds.
const defaultRotateBytes = 4 << 20

// The kinds of frames.
const (
	frameUpdate   uint8 = 1 // in logs
	frameSnapshot uint8 = 2 // in snapshots
)

// ErrClosed is what Update answers after Close.
var ErrClosed error = event.Errorf(event.CodeClosed, "the journal is closed")

// Options tune a Journal; the zero value is good.
type Options struct {
	// RotateBytes is the size of the log that makes a snapshot due; 0 means 4 MiB. A snapshot larger than that has to be
	// outgrown by the log first, so that writing snapshots never costs more than writing records.
	RotateBytes int64
}

// Journal appends records and keeps States up to date with them.
type Journal struct {
	fs      vfs.FS
	dir     string
	states  map[Kind]State
	options Options
	looking bool // nothing is to be changed

	// mu is held during writes and syncs: what is decided under it must be durable before the next decision looks.
	mu struct {
		sync.Mutex
		log      *record.Writer
		first    uint64 // the number of the log's first update
		next     uint64 // the number of the next update
		base     int64  // size of the newest snapshot
		failed   error
		isClosed bool
	}
}

// Open replays the directory into the states, which must be empty, and makes the directory if it does not exist.
func Open(fs vfs.FS, dir string, states map[Kind]State) (*Journal, error) {
	return OpenWith(fs, dir, states, Options{})
}

// OpenWith is Open with options.
func OpenWith(fs vfs.FS, dir string, states map[Kind]State, options Options) (*Journal, error) {
	if options.RotateBytes <= 0 {
		options.RotateBytes = defaultRotateBytes
	}
	j := &Journal{fs: fs, dir: dir, states: states, options: options}
	if err := vfs.MkdirAllSync(fs, dir); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if err := j.replay(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Update runs decide, writes the records it gives as one frame, syncs, and applies them. Nothing else is applied meanwhile, so
// decide may look at the States and rely on what it sees; it must not call Update. No records is a success without a write.
//
// An error of decide is returned as it is. After any other failure the journal takes no more updates.
func (j *Journal) Update(decide func() ([]Record, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.writable(); err != nil {
		return err
	}
	records, err := decide()
	if err != nil || len(records) == 0 {
		return err
	}
	if err := j.checkKinds(records); err != nil {
		return err
	}
	if err := j.commit(records); err != nil {
		return err
	}
	if j.mu.log.Size() > max(j.options.RotateBytes, j.mu.base) {
		// The update is durable whatever becomes of the rotation, so its failure is the next caller's.
		if err := j.rotate(); err != nil {
			j.mu.failed = errors.Join(record.ErrFailed, fmt.Errorf("rotate journal: %w", err))
		}
	}
	return nil
}

// Hold runs a function while no update is made, so that the States and the files of the journal stay as they are. It must be short, and must
// not call Update or wait for who does.
func (j *Journal) Hold(do func() error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.isClosed {
		return ErrClosed
	}
	return do()
}

// Failed is nil while the journal takes updates, or the reason why not.
func (j *Journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.writable()
}

// Close marks the log complete and closes it. Calling it again does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.isClosed {
		return nil
	}
	j.mu.isClosed = true
	if j.mu.failed != nil {
		return j.mu.log.Close() // its error was given to whoever met it
	}
	if err := errors.Join(j.mu.log.Mark(), j.mu.log.Close()); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return j.seal()
}

// seal begins the log that the next process goes on with. It also says where the one before ends: if that is ever shorter, it is damaged.
func (j *Journal) seal() error {
	if j.mu.next == j.mu.first {
		return nil // nothing is in it
	}
	log, err := record.Create(j.fs, j.path(j.mu.next, logSuffix), record.Journal, record.NewSalt())
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return log.Close()
}

func (j *Journal) writable() error {
	if j.mu.isClosed {
		return ErrClosed
	}
	return j.mu.failed
}

func (j *Journal) checkKinds(records []Record) error {
	for _, r := range records {
		if j.states[r.Kind] == nil {
			return fmt.Errorf("update journal: no state is registered for records of kind %d", r.Kind)
		}
	}
	return nil
}

func (j *Journal) commit(records []Record) error {
	log := j.mu.log
	err := log.Add(frameUpdate, func(dst []byte) []byte { return appendUpdate(dst, j.mu.next, records) })
	if err != nil {
		return fmt.Errorf("update journal: %w", err) // too large: nothing is written
	}
	if err := log.Flush(); err != nil && log.Failed() == nil {
		return fmt.Errorf("update journal: %w", err) // there is no space: nothing is written, and the next update may succeed
	} else if err != nil {
		return j.fail(err)
	}
	if err := log.Sync(); err != nil {
		return j.fail(err)
	}
	j.mu.next++
	if err := j.apply(records); err != nil {
		return j.fail(err) // memory no longer agrees with the disk; a restart would show what is wrong
	}
	return nil
}

func (j *Journal) fail(err error) error {
	j.mu.failed = errors.Join(record.ErrFailed, fmt.Errorf("update journal: %w", err))
	return j.mu.failed
}

func (j *Journal) apply(records []Record) error {
	for _, r := range records {
		state := j.states[r.Kind]
		if state == nil {
			return event.Errorf(event.CodeNotSupported, "the journal holds records of kind %d, which this program does not know", r.Kind)
		}
		if err := state.Apply(r); err != nil {
			return fmt.Errorf("apply record of kind %d: %w", r.Kind, err)
		}
	}
	return nil
}

// rotate writes a snapshot of the present state, starts the log that follows it, and removes what is older than the snapshot
// before. The old log is marked complete first: from then on it must be there to its end. Where there is no space for that, the log goes on, and
// the next update tries again.
func (j *Journal) rotate() error {
	base := j.mu.base
	log, err := j.beginNext()
	if vfs.Full(err) && j.mu.log.Failed() == nil {
		j.mu.base = base
		return j.takeBack(j.mu.next)
	}
	if err != nil {
		return err
	}
	old := j.mu.log
	j.mu.log, j.mu.first = log, j.mu.next
	return errors.Join(old.Close(), j.removeOld())
}

// beginNext completes the log, and makes the snapshot and the log that take its place.
func (j *Journal) beginNext() (*record.Writer, error) {
	if err := j.mu.log.Mark(); err != nil {
		return nil, err
	}
	if err := j.writeSnapshot(j.mu.next); err != nil {
		return nil, err
	}
	return record.Create(j.fs, j.path(j.mu.next, logSuffix), record.Journal, record.NewSalt())
}

// takeBack removes what beginNext has made, durably: a start would go on from that, and miss the updates that the old log is about to get.
func (j *Journal) takeBack(number uint64) error {
	snapshot := j.path(number, snapshotSuffix)
	for _, name := range []string{j.path(number, logSuffix), snapshot, snapshot + record.TemporarySuffix} {
		if err := j.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return j.fs.SyncDir(j.dir)
}

func (j *Journal) path(number uint64, suffix string) string {
	return path.Join(j.dir, fmt.Sprintf("%020d%s", number, suffix))
}
