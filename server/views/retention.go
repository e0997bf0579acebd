package views

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// What a view has not read is kept beyond the retention of its stream, so that a view that is behind misses nothing. A view that has
// failed or is paused may stay so: what it has not read is kept for it until it is twice as old as the retention, and what it misses then is
// recorded with the view.

// Loss says that rows of a stream were gone before a view came to them: some of those between two vectors.
type Loss struct {
	Stream string       `json:"stream"`
	From   event.Vector `json:"from"`
	To     event.Vector `json:"to"`
	// Damaged says that damage has taken the rows; else they had expired.
	Damaged bool `json:"damaged,omitempty"`
}

// String says it in words.
func (l Loss) String() string {
	if l.Damaged {
		return fmt.Sprintf("it lacks rows between offsets %s and %s of %s, which were lost to damage before it read them", l.From, l.To, l.Stream)
	}
	return fmt.Sprintf("it lacks rows between offsets %s and %s of %s, which expired before it read them", l.From, l.To, l.Stream)
}

// lossBetween is what is missing of the rows after a mark and before a vector, where retention has dropped rows up to another one. Who
// has read nothing yet begins with what is there, and misses nothing.
func lossBetween(from Mark, to, expired event.Vector) (Loss, bool) {
	if len(from.Vector) == 0 || from.Vector.Covers(expired) {
		return Loss{}, false
	}
	loss := Loss{Stream: from.Name, From: from.Vector, To: slices.Clone(from.Vector)}
	for p, next := range expired {
		loss.To = loss.To.With(event.Partition(p), max(loss.To.At(event.Partition(p)), min(next, to.At(event.Partition(p)))))
	}
	return loss, !from.Vector.Covers(loss.To)
}

// damageBetween is what damage has taken of the rows after a mark and before a vector. Of who has read nothing yet, and reads for the first time,
// that is what nobody has accepted as lost.
func damageBetween(from Mark, to event.Vector, lost []catalog.Quarantine, first bool) (Loss, bool) {
	loss := Loss{Stream: from.Name, Damaged: true}
	first = first && len(from.Vector) == 0
	for _, q := range lost {
		if first && q.Accepted {
			continue
		}
		first, end := max(q.From, from.Vector.At(q.Partition)), min(q.To, to.At(q.Partition))
		if first >= end {
			continue
		}
		if loss.To == nil {
			loss.From, loss.To = slices.Clone(from.Vector), slices.Clone(from.Vector)
			if len(from.Vector) == 0 {
				loss.From = make(event.Vector, len(to))
			}
		}
		loss.To = loss.To.With(q.Partition, max(end, loss.To.At(q.Partition)))
	}
	return loss, loss.To != nil
}

// withLoss adds a loss to those before. There is one for each stream and cause, which reaches from the first row to the last.
func withLoss(list []Loss, loss Loss) []Loss {
	out := slices.Clone(list)
	i := slices.IndexFunc(out, func(l Loss) bool { return l.Stream == loss.Stream && l.Damaged == loss.Damaged })
	if i < 0 {
		return append(out, loss)
	}
	out[i].To = out[i].To.Max(loss.To)
	return out
}

// lose notes that rows are missing. A view goes on without them; what it has answered already cannot be computed again without them.
func (r *runtime) lose(loss Loss, replay bool) error {
	if replay {
		return event.Errorf(event.CodeConflict, "view %s cannot go on from its checkpoint: %s", r.definition.Name, loss).
			WithHint("CREATE OR REPLACE MATERIALIZED VIEW builds it anew from the rows that are there")
	}
	r.set.options.Logger.Warn("a view goes on without rows", "view", r.definition.Name, "stream", loss.Stream,
		"from", loss.From.String(), "to", loss.To.String())
	r.lost = withLoss(r.lost, loss)
	r.view.askCheckpoint() // behind it the rows are not wanted again
	return nil
}

// askCheckpoint lets the next step be followed by a checkpoint.
func (v *View) askCheckpoint() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.due = true
}

// losses are those of a snapshot, and those that the view has not come to yet.
func (s *Set) losses(snapshot *Snapshot) []Loss {
	out := snapshot.Lost
	for _, m := range snapshot.Marks {
		if m.Generation != 0 {
			continue
		}
		view := s.options.Segments.View(m.Name)
		loss, ok := lossBetween(m, view.Sealed().Next, view.ExpiredTo())
		if err := view.Close(); err != nil {
			s.options.Logger.Warn("segments could not be let go of", "stream", m.Name, "error", err)
		}
		if ok {
			out = withLoss(out, loss)
		}
		if stream, known := s.options.Catalog.Stream(m.Name); known {
			if loss, ok := damageBetween(m, endOf(stream.Quarantined), stream.Quarantined, true); ok {
				out = withLoss(out, loss)
			}
		}
	}
	return out
}

// endOf covers all that damage has taken.
func endOf(lost []catalog.Quarantine) (end event.Vector) {
	for _, q := range lost {
		end = end.With(q.Partition, max(q.To, end.At(q.Partition)))
	}
	return end
}

// Needs reports whether a view has still to read a segment that retention has passed. Views that have read it and would read it again
// after a restart are asked for a checkpoint, so that it can go soon.
func (s *Set) Needs(segment *manifest.Segment) bool {
	stream, ok := s.options.Catalog.Stream(segment.Stream)
	if !ok {
		return false
	}
	given := s.options.Now().Add(-2 * stream.Retention).UnixMicro()
	needed := false
	for _, v := range s.all() {
		if slices.Contains(v.Definition().Inputs, segment.Stream) && v.needs(segment, segment.MaxTime < given) {
			needed = true
		}
	}
	return needed
}

// needs reports whether the view would read a segment after a restart, even one that finds the newest checkpoint damaged; expired tells that
// a view that has failed waits for it no more.
func (v *View) needs(segment *manifest.Segment, expired bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if (v.mu.state == Failed || v.mu.state == Paused) && (expired || !v.mu.definition.Ready) { // one that is not ready begins anew with what is there
		return false
	}
	covers := func(m Mark) bool { return m.Name == segment.Stream && m.Vector.Covers(segment.To) }
	stays := v.mu.state == Failed || v.mu.state == Paused // it writes no other checkpoint for now
	if slices.ContainsFunc(v.mu.durable, covers) && (stays || slices.ContainsFunc(v.mu.before, covers)) {
		return false
	}
	if v.mu.snapshot != nil && slices.ContainsFunc(v.mu.snapshot.Marks, covers) {
		v.mu.due = true
		v.wake()
	}
	return true
}

// wake has the view look for what is to be done.
func (v *View) wake() {
	select {
	case v.asked <- struct{}{}:
	default:
	}
}

// setDurable notes the marks of a checkpoint that was written, the first of the view or another. Two are kept.
func (v *View) setDurable(marks []Mark, first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.before, v.mu.durable = v.mu.durable, slices.Clone(marks)
	if first {
		v.mu.before = v.mu.durable
	}
}

// setRestored notes the marks of the checkpoint that a start began with. There may be one before, which nobody has looked at.
func (v *View) setRestored(marks []Mark) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.before, v.mu.durable = nil, slices.Clone(marks)
}

// takeDue reports whether a checkpoint was asked for since the last call.
func (v *View) takeDue() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	due := v.mu.due
	v.mu.due = false
	return due
}

// anchor leaves a checkpoint at the last frame of a view that its query has stopped: it may stay so for long, and the rows that a
// restart would read again may not.
func (v *View) anchor(err error) {
	if !isQuery(err) || errors.Is(err, errWouldLose) || !v.Definition().Ready {
		return
	}
	err = protected(func() error {
		r, err := v.set.newRuntime(v)
		if err != nil {
			return err
		}
		err = r.restore(v.ctx)
		return errors.Join(err, r.close(err == nil))
	})
	if err != nil && v.ctx.Err() == nil {
		v.set.options.Logger.Warn("no checkpoint for a view that has stopped", "view", v.Definition().Name, "error", err)
	}
}
