package views

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// changelogBytes is how much of a changelog is kept beyond what recovery needs, for those who come back to read on.
const changelogBytes = 64 << 20

// restore brings back the state as of the last frame: the newest checkpoint that can be read, the content by the frames since, and the
// machine by what the inputs gained until then. The machine's answers are left out, as the frames hold them.
func (r *runtime) restore(ctx context.Context) error {
	found, err := r.newestCheckpoint()
	if err != nil {
		return err
	}
	r.machine, r.content, r.started = found.machine, found.content, true
	r.closed, r.final, r.late, r.lost = found.Closed, found.Final, found.Late, found.Lost
	r.saved, r.savedBytes = found.Next, r.checkpointSize(found.Next)
	r.view.setRestored(found.Marks)
	if r.outlet != nil && found.Sent != nil {
		r.outlet.sent = found.Sent
	}
	targets := found.Marks
	apply := func(f *Frame) error {
		targets, r.closed, r.final, r.late, r.lost = f.Marks, f.Closed, f.Final, f.Late, f.Lost
		r.uncovered, r.uncoveredBytes = r.uncovered+1, r.uncoveredBytes+f.bytes()
		return r.content.apply(rows{columns: f.Columns, count: f.Rows}, f.Weights, f.Final)
	}
	if r.log, err = openChangelog(r.set.options.FS, r.changelogDir(), r.definition.Schema, found.Next, apply); err != nil {
		return err
	}
	if r.log.next() < found.Next || r.content.next < r.content.sealed {
		return event.Errorf(event.CodeCorrupt, "the changelog of view %s ends at frame %d, before what was made of it", r.definition.Name, r.log.next())
	}
	if err := r.place(found.Marks, targets); err != nil {
		return err
	}
	if err := cmp.Or(r.checkInputs(targets), r.checkLosses(found.Lost)); err != nil {
		return err
	}
	r.recorded = r.final
	late := r.late
	for i := range r.inputs {
		replay := func(inputs map[string]continuous.InputStep) error {
			_, err := r.machine.Step(ctx, continuous.Step{Inputs: inputs})
			return err
		}
		if _, err := r.take(ctx, i, &targets[i], replay); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	r.late, r.settled = late, true
	r.view.setReplayed(r.done)
	return r.publish(ctx)
}

// place sets the marks to those of the checkpoint. They name the inputs that the program has, or it is another program.
func (r *runtime) place(from, to []Mark) error {
	same := func(a, b Mark) bool { return a.Name == b.Name }
	if !slices.EqualFunc(from, r.marks, same) || !slices.EqualFunc(to, r.marks, same) {
		return errInputChanged
	}
	r.marks = slices.Clone(from)
	return nil
}

// checkInputs sees to it that the inputs have what an earlier process has read of them.
func (r *runtime) checkInputs(marks []Mark) error {
	if !r.view.unchecked {
		return nil // the marks may be of what came since
	}
	for i, in := range r.inputs {
		if err := in.reaches(marks[i]); err != nil {
			return err
		}
	}
	r.view.unchecked = false
	return nil
}

// checkLosses refuses to replay where damage has taken rows since the checkpoint: they may be there again, and what was answered lacks them.
func (r *runtime) checkLosses(before []Loss) error {
	for _, loss := range r.lost {
		same := func(l Loss) bool { return l.Stream == loss.Stream && l.Damaged && l.To.Covers(loss.To) }
		if loss.Damaged && !slices.ContainsFunc(before, same) {
			return r.lose(loss, true)
		}
	}
	return nil
}

// newestCheckpoint reads the newest checkpoint; where that is damaged, the one before.
func (r *runtime) newestCheckpoint() (*restored, error) {
	return r.newest(r.program, func() *content { return newContent(r.definition, r.program, r.set.seed) })
}

// newest reads the newest checkpoint that can be read, without a program its rows alone.
func (r *runtime) newest(program *continuous.Program, empty func() *content) (*restored, error) {
	numbers, err := listFiles(r.set.options.FS, r.stateDir(), checkpointSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sealed := r.set.sealed(r.definition)
	for _, number := range slices.Backward(numbers) {
		name, content := checkpointName(r.stateDir(), number), empty()
		content.sealed = sealed
		found, err := readCheckpoint(r.set.options.FS, name, program, content)
		if err == nil {
			return found, nil
		}
		if errors.Is(err, continuous.ErrOtherState) {
			return nil, fmt.Errorf("%w: %w", errInputChanged, err)
		}
		r.set.options.Logger.Error("a checkpoint cannot be read; the one before is tried", "view", r.definition.Name, "file", name, "error", err)
	}
	return nil, fmt.Errorf("no checkpoint of view %s can be read: %w", r.definition.Name, errInputChanged)
}

// finish ends the building of a view: what it holds becomes durable and can be read from then on. Where it is to take the place of another,
// that one stops first, and what it had taken by then is taken here as well: who reads the name never sees events go, and who waited for
// some at the one finds them in the other. If that fails, the other goes on.
func (r *runtime) finish(ctx context.Context) (err error) {
	if old := r.set.before(r.view); old != nil {
		old.stop()
		defer func() {
			if err != nil {
				r.set.revive(old)
			}
		}()
		for worked := true; worked && !r.asFarAs(old.snapshot()); {
			if worked, err = r.advance(ctx); err != nil {
				return err
			}
		}
	}
	if r.log, err = openChangelog(r.set.options.FS, r.changelogDir(), r.definition.Schema, 1, func(*Frame) error { return nil }); err != nil {
		return err
	}
	if err := r.checkpoint(); err != nil {
		return err
	}
	shown, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	return r.takePlace(shown)
}

// takePlace makes the view the one that its name stands for.
func (r *runtime) takePlace(shown *Snapshot) error {
	old, err := r.enter(shown)
	if fault := (*event.Error)(nil); errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return fmt.Errorf("%w: %w", errReplaced, err)
	}
	if err != nil {
		return err
	}
	r.set.remove(old, nil)
	return nil
}

// enter defines the view as one that can be read, and gives the one whose place it takes; nil for none.
func (r *runtime) enter(shown *Snapshot) (old *View, err error) {
	r.set.defining.Lock()
	defer r.set.defining.Unlock()
	ready, err := r.set.options.Catalog.ViewReady(r.definition)
	if err != nil {
		return nil, err
	}
	// Nothing fails from here on: the catalog says that this is the view, and whoever reads the name must find it.
	r.definition, r.content.definition, shown.definition = ready, ready, ready
	r.view.setSnapshot(r.log, shown)
	return r.set.promote(r.view, ready), nil
}

// asFarAs reports whether the view has taken what another one has. A view that both read may have been made anew since; then there is
// nothing to compare.
func (r *runtime) asFarAs(other *Snapshot) bool {
	if other == nil {
		return true
	}
	return coverAll(r.marks, slices.DeleteFunc(slices.Clone(other.Marks), func(m Mark) bool {
		return slices.ContainsFunc(r.marks, func(mine Mark) bool { return mine.Name == m.Name && mine.Generation != m.Generation })
	}))
}

// close leaves a checkpoint behind, so that the next start has little to do.
func (r *runtime) close(orderly bool) error {
	r.view.noteHeld(0)
	if r.log == nil {
		return r.closeMachine()
	}
	err := r.awaitCheckpoint()
	if err == nil && orderly && r.settled && r.uncovered > 0 {
		err = r.checkpoint()
	}
	return errors.Join(err, r.log.close(), r.closeMachine())
}

// closeMachine lets go of what the machine has on disk.
func (r *runtime) closeMachine() error {
	if r.machine == nil {
		return nil
	}
	return r.machine.Close()
}

// sealed is how many final rows of a generation lie in segments.
func (s *Set) sealed(definition *catalog.View) event.Offset {
	view := s.options.Segments.View(definition.Storage())
	defer view.Close()
	return view.Sealed().Next.At(0)
}

// discard removes all that is kept of a generation of a view. The records come first: a file that nothing names is removed at the next
// start, a record that names a missing file would be damage.
func (s *Set) discard(definition *catalog.View) error {
	view := s.options.Segments.View(definition.Storage())
	defer view.Close()
	if len(view.Segments()) > 0 || view.Sealed().Next.At(0) > 0 {
		record, err := manifest.DropRecord(definition.Storage())
		if err != nil {
			return err
		}
		if err := s.options.Journal.Update(func() ([]journal.Record, error) { return []journal.Record{record}, nil }); err != nil {
			return fmt.Errorf("discard segments of view %s: %w", definition.Name, err)
		}
		if err := s.options.Segments.Discard(definition.Storage()); err != nil {
			return err
		}
	}
	for _, parent := range []string{viewsDir, stateDir} {
		if err := removeDir(s.options.FS, path.Join(parent, definition.Storage())); err != nil {
			return fmt.Errorf("discard view %s: %w", definition.Name, err)
		}
	}
	return nil
}

// removeDir removes a directory of files, if it is there.
func removeDir(files vfs.FS, dir string) error {
	names, err := files.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := files.Remove(path.Join(dir, name)); err != nil {
			return err
		}
	}
	if err := files.Remove(dir); err != nil {
		return err
	}
	return files.SyncDir(path.Dir(dir))
}
