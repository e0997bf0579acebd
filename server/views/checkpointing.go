package views

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// writing is a checkpoint on its way to the disk.
type writing struct {
	marks []Mark
	// bytes is the memory of the state that is being written.
	bytes int64
	// done is closed when it is written or has failed, as err says from then on.
	done chan struct{}
	err  error
}

// checkpointIfDue begins a checkpoint where many frames have come since the last one, or where one was asked for. While one is written no
// other begins. A checkpoint holds all of the view, however little has changed: it waits until the frames since the last one take half of what
// that one did. So checkpoints write in proportion to what the changelog does, and a start reads frames of half a checkpoint at most.
func (r *runtime) checkpointIfDue() error {
	if !r.definition.Ready || r.writing != nil {
		return nil
	}
	many := r.uncovered >= r.set.options.Limits.CheckpointFrames || r.uncoveredBytes >= checkpointBytes
	asked := r.view.takeDue()
	if (!many || r.log.size() < r.savedBytes/2) && !asked {
		return nil
	}
	if r.log.next() == r.saved {
		if err := r.moveOn(); err != nil {
			return err
		}
	}
	return r.beginCheckpoint()
}

// moveOn adds a frame without rows, where there is none since the newest checkpoint: another one at the same frame would be written over that
// one, and the older of the two that are kept would stay where it was.
func (r *runtime) moveOn() error {
	if err := r.append(&Frame{}); err != nil {
		return err
	}
	return r.publish(r.view.ctx)
}

// checkpoint writes a checkpoint and waits for it.
func (r *runtime) checkpoint() error {
	if err := r.beginCheckpoint(); err != nil {
		return err
	}
	return r.awaitCheckpoint()
}

// beginCheckpoint takes down the state as of the last frame and has it written beside: the view goes on meanwhile. The frames that follow are
// in a new file of the changelog, so that those before can go.
func (r *runtime) beginCheckpoint() error {
	files, dir := r.set.options.FS, r.stateDir()
	if err := vfs.MkdirAllSync(files, dir); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := r.log.rotate(); err != nil {
		return err
	}
	h := checkpointHeader{
		Next: r.log.next(), Marks: slices.Clone(r.marks), Closed: r.closed, Final: r.final, Late: r.late,
		Lost: r.lost,
	}
	if r.outlet != nil {
		h.Sent = r.outlet.sent
	}
	r.saved = h.Next
	state, err := capture(h, r.machine, r.content)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	r.uncovered, r.uncoveredBytes, r.recorded = 0, 0, r.final
	w := &writing{marks: h.Marks, bytes: state.machine.Bytes(), done: make(chan struct{})}
	r.writing = w
	go func() {
		defer close(w.done)
		w.err = protected(func() error { return state.write(files, dir) })
		w.err = errors.Join(w.err, state.machine.Close())
		r.view.wake()
	}()
	return nil
}

// checkpointSize is the bytes of a checkpoint, 0 where they cannot be told.
func (r *runtime) checkpointSize(next uint64) int64 {
	info, err := r.set.options.FS.Stat(checkpointName(r.stateDir(), next))
	if err != nil {
		return 0
	}
	return info.Size()
}

// checkpointStep completes a checkpoint that has been written and begins one that is due.
func (r *runtime) checkpointStep() error {
	if err := r.noteCheckpoint(); err != nil {
		return err
	}
	return r.checkpointIfDue()
}

// noteCheckpoint completes a checkpoint that has been written meanwhile.
func (r *runtime) noteCheckpoint() error {
	if r.writing == nil {
		return nil
	}
	select {
	case <-r.writing.done:
		return r.awaitCheckpoint()
	default:
		return nil
	}
}

// awaitCheckpoint waits for the checkpoint that is being written, if there is one, and lets go of what it makes superfluous.
func (r *runtime) awaitCheckpoint() error {
	w := r.writing
	if w == nil {
		return nil
	}
	<-w.done
	r.writing = nil
	if w.err != nil {
		return fmt.Errorf("write checkpoint: %w", w.err)
	}
	r.view.setDurable(w.marks, !r.definition.Ready)
	r.savedBytes = r.checkpointSize(r.saved)
	needed, err := trimCheckpoints(r.set.options.FS, r.stateDir())
	if err != nil {
		return err
	}
	return r.trimChangelog(needed)
}
