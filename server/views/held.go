package views

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
)

// The changelog of a view stays for the views that read it, from where they would begin after a restart. Those that run write checkpoints, so that
// this moves on. One that has failed or is paused may stay so: for that, a changelog is kept up to a bound. What is gone then costs no row: the
// view is built anew from what the other holds.

// heldBytes bounds how much of a changelog is kept for views that have stopped.
const heldBytes = 1 << 30

// trimChangelog lets go of the frames that nobody needs. needed is the first that the view itself does.
func (r *runtime) trimChangelog(needed uint64) error {
	limits := r.set.options.Limits
	readers := r.set.readersOf(r.definition)
	all, moving := needed, needed
	for _, reader := range readers {
		all = min(all, reader.oldestMark(r.definition.Name))
		if !reader.stands() {
			moving = min(moving, reader.oldestMark(r.definition.Name))
		}
	}
	if err := r.log.trim(all, limits.ChangelogBytes); err != nil {
		return err
	}
	for _, reader := range readers {
		if reader.stands() {
			continue
		}
		// One whose own rows seldom change writes no checkpoint by itself. A checkpoint holds all of a view, so it is asked for seldom.
		held, err := r.log.sizeFrom(reader.oldestMark(r.definition.Name))
		if err != nil {
			return err
		}
		if held > max(limits.ChangelogBytes, limits.HeldBytes/2) {
			reader.askCheckpoint()
			reader.wake()
		}
	}
	return r.log.trim(moving, limits.HeldBytes)
}

// readersOf are the views that read another and may want its frames after a restart.
func (s *Set) readersOf(definition *catalog.View) []*View {
	return slices.DeleteFunc(s.all(), func(v *View) bool {
		d := v.Definition()
		return !d.Ready || !slices.Contains(d.Inputs, definition.Name)
	})
}

// stands reports whether a view has failed or is paused.
func (v *View) stands() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.state == Failed || v.mu.state == Paused
}

// sizeFrom is the bytes of the files that hold a frame or one after it.
func (l *changelog) sizeFrom(from uint64) (total int64, err error) {
	files := l.kept()
	for i, first := range files {
		if i+1 < len(files) && files[i+1] <= from {
			continue
		}
		info, err := l.fs.Stat(l.file(first))
		if err != nil {
			return 0, fmt.Errorf("measure changelog: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// held is what of the changelogs of other views a view has still to read, or would read again after a restart, and the names of those.
func (s *Set) held(v *View) (bytes int64, names []string) {
	for _, input := range v.Definition().Inputs {
		other, err := s.find(input)
		if err != nil {
			continue // a stream
		}
		from := v.oldestMark(input)
		if log := other.changelog(); log != nil && from < math.MaxUint64 {
			size, err := log.sizeFrom(from)
			if err != nil {
				continue // it was trimmed while it was looked at
			}
			bytes, names = bytes+size, append(names, input)
		}
	}
	return bytes, names
}

// holding says in words what is kept for a view that has stopped; empty where there is nothing.
func (s *Set) holding(v *View) (detail string, bytes int64) {
	bytes, names := s.held(v)
	if len(names) == 0 || !v.stands() {
		return "", bytes
	}
	return fmt.Sprintf("%d bytes of changes of %s are kept for it; where they come to more than %d it will be built anew", bytes,
		strings.Join(names, " and "), s.options.Limits.HeldBytes), bytes
}

// Stopped is how many views have failed or are paused.
func (s *Set) Stopped() (count int64) {
	for _, v := range s.all() {
		if v.stands() {
			count++
		}
	}
	return count
}

// HeldForStopped is what of the changelogs of views is kept for others that have failed or are paused, in bytes.
func (s *Set) HeldForStopped() (total int64) {
	for _, v := range s.all() {
		if v.stands() {
			bytes, _ := s.held(v)
			total += bytes
		}
	}
	return total
}
