// Package manifest knows which segment files make up each stream and how far each stream is sealed.
//
// The manifest lives in memory and is the fold of its records in the journal: what a Snapshot shows has been made durable.
// A commit is atomic and optimistic: it names the sealed vector that it was made from and conflicts if another got there
// first. Published values never change, so readers hold a Snapshot for as long as they like.
//
// All methods may be called from any goroutine. The journal calls Apply and Snapshot; the lock order is journal, then
// manifest. The package opens no files.
package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
)

// ErrConflict is returned by Commit when the stream's manifest is no longer what the commit was made from.
var ErrConflict = errors.New("manifest has changed since")

// Journal is what a commit needs of the journal: decide runs under its lock, its records become durable together, and then
// they are applied to the states.
type Journal interface {
	Update(decide func() ([]journal.Record, error)) error
}

// Manifest is the list of segments of all streams. It is the journal.State for journal.KindSegment.
type Manifest struct {
	mu struct {
		sync.Mutex
		streams map[string]*View
		// lastID is the highest id that any segment ever had or was promised.
		lastID uint64
		// held says that segments must not be dropped by age.
		held bool
	}
}

var _ journal.State = (*Manifest)(nil)

// New makes an empty Manifest.
func New() *Manifest {
	m := &Manifest{}
	m.mu.streams = map[string]*View{}
	return m
}

// View is the manifest of one stream at one moment. It never changes.
type View struct {
	Sealed Sealed
	// Segments are sorted by MinTime, then ID.
	Segments []*Segment
	// Retired are ids that edits have removed and whose files may still lie in the stream's directory.
	Retired []uint64
	// ExpiredBefore is the event time below which retention has dropped segments, in microseconds since 1970 or NoTime.
	ExpiredBefore int64
	// ExpiredTo is the offset after the newest row of each partition that retention has dropped; nil where there was none. Rows with
	// lower offsets may be there still, as segments expire by their times.
	ExpiredTo event.Vector
}

// View gives the present state of a stream; a stream never sealed has an empty one.
func (m *Manifest) View(stream string) *View {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.mu.streams[stream]; ok {
		return v
	}
	return &View{ExpiredBefore: NoTime}
}

// Streams lists the streams that were ever sealed, sorted.
func (m *Manifest) Streams() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.mu.streams))
}

// NextID promises an id for a segment about to be written. Ids of segments that never were committed may come again after a
// restart, once their files have been moved away.
func (m *Manifest) NextID() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.lastID++
	return m.mu.lastID
}

// Edit is one change of a stream's manifest.
type Edit struct {
	Stream string
	// ExpectedNext is the sealed vector that the edit was made from.
	ExpectedNext event.Vector
	Add          []*Segment
	// Remove are ids, which become Retired. The files stay where they are: moving them away is for whoever commits.
	Remove []uint64
	// Sealed is the state after the edit; a Next that does not cover ExpectedNext is refused.
	Sealed Sealed
	// Settled are retired ids whose files are surely out of the stream's directory.
	Settled []uint64
	// ExpiredBefore, unless 0, raises that of the View.
	ExpiredBefore int64
	// ExpiredTo, unless nil, raises that of the View.
	ExpiredTo event.Vector
}

// Commit makes an edit durable and visible, or returns ErrConflict and changes nothing. After any other error the outcome is
// unknown: the journal decides at the next start.
func (m *Manifest) Commit(j Journal, edit Edit) error {
	err := j.Update(func() ([]journal.Record, error) {
		if err := m.check(edit); err != nil {
			return nil, err
		}
		record, err := encodeEdit(edit)
		return []journal.Record{record}, err
	})
	if err != nil {
		return fmt.Errorf("commit segments of stream %s: %w", edit.Stream, err)
	}
	return nil
}

// Restore puts an edit into effect in a manifest that is being made from files, before any journal has it. Snapshot then gives its
// records.
func (m *Manifest) Restore(edit Edit) { m.publish(edit) }

// check holds an edit against the present state. The journal's lock keeps that state until the edit is applied.
func (m *Manifest) check(edit Edit) error {
	now := m.View(edit.Stream)
	if !sameVector(now.Sealed.Next, edit.ExpectedNext) {
		return fmt.Errorf("sealed up to %s, not %s: %w", now.Sealed.Next, edit.ExpectedNext, ErrConflict)
	}
	if !edit.Sealed.Next.Covers(edit.ExpectedNext) {
		return fmt.Errorf("sealed vector would go back from %s to %s", edit.ExpectedNext, edit.Sealed.Next)
	}
	for _, id := range edit.Remove {
		if !slices.ContainsFunc(now.Segments, func(s *Segment) bool { return s.ID == id }) {
			return fmt.Errorf("segment %d to remove is gone: %w", id, ErrConflict)
		}
	}
	for _, add := range edit.Add {
		if slices.ContainsFunc(now.Segments, func(s *Segment) bool { return s.ID == add.ID }) {
			return fmt.Errorf("segment %d to add is there: %w", add.ID, ErrConflict)
		}
	}
	return nil
}

// sameVector compares vectors in which missing elements are 0.
func sameVector(a, b event.Vector) bool { return a.Covers(b) && b.Covers(a) }

// publish puts an edit into effect.
func (m *Manifest) publish(edit Edit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &View{Sealed: edit.Sealed, ExpiredBefore: NoTime}
	if now, ok := m.mu.streams[edit.Stream]; ok {
		for _, s := range now.Segments {
			if !slices.Contains(edit.Remove, s.ID) {
				next.Segments = append(next.Segments, s)
			}
		}
		next.Retired = slices.DeleteFunc(slices.Clone(now.Retired), func(id uint64) bool { return slices.Contains(edit.Settled, id) })
		next.ExpiredBefore, next.ExpiredTo = now.ExpiredBefore, now.ExpiredTo
	}
	next.Retired = append(next.Retired, edit.Remove...)
	if edit.ExpiredBefore != 0 {
		next.ExpiredBefore = max(next.ExpiredBefore, edit.ExpiredBefore)
	}
	if edit.ExpiredTo != nil {
		next.ExpiredTo = next.ExpiredTo.Max(edit.ExpiredTo)
	}
	next.Segments = append(next.Segments, edit.Add...)
	slices.SortFunc(next.Segments, compareSegments)
	for _, s := range edit.Add {
		m.mu.lastID = max(m.mu.lastID, s.ID)
	}
	for _, id := range next.Retired {
		m.mu.lastID = max(m.mu.lastID, id)
	}
	m.mu.streams[edit.Stream] = next
}
