package views

import (
	"fmt"
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// What a view holds in memory, which is the state of its machine and the rows that may still change, is bounded: by what its WITH (memory)
// says, and together with the other views by their share of the process. A view that comes near its bound moves what it needs least to the
// disk. One that has little room left in spite of that takes rows in small portions. One that has none stops taking rows, can be read as it
// is, and goes on as soon as there is room.
const (
	// tailRows is how many unsealed rows a step takes at most, and slowRows is that for a view that has little room left.
	tailRows = 256 << 10
	slowRows = 4 << 10
)

// pressure says how near a view is to its bound.
type pressure uint8

const (
	roomy  pressure = iota
	near            // over three quarters: what can go to the disk does
	narrow          // over seven eighths: small steps
	over            // no more rows
)

func pressureOf(held, limit int64) pressure {
	switch {
	case held > limit:
		return over
	case held > limit/8*7:
		return narrow
	case held > limit/4*3:
		return near
	default:
		return roomy
	}
}

// together is what all views hold together.
type together struct {
	share int64 // 0 for no bound
	held  atomic.Int64
	views atomic.Int64
}

// note changes what one view holds and reports whether there is room again where there was none.
func (m *together) note(change int64) (eased bool) {
	after := m.held.Add(change)
	return m.share > 0 && change < 0 && after-change > m.share && after <= m.share
}

// allowance is what a view may hold, given what it holds now: what the others leave of the share, and an equal part of it in any case.
func (m *together) allowance(held int64) int64 {
	return max(m.share-(m.held.Load()-held), m.share/max(m.views.Load(), 1))
}

// Held is the memory that all views hold, in bytes.
func (s *Set) Held() int64 { return s.memory.held.Load() }

// noteHeld notes what the view holds: what counts against its own bound, and what it has on the way to its files and its readers.
func (v *View) noteHeld(bytes int64) {
	if v.set.memory.note(bytes - v.held.Swap(bytes)) {
		for _, other := range v.set.all() {
			other.wake()
		}
	}
}

// noteStopped notes what a view that has stopped still holds: the rows that it is read by, and the frames for those who follow.
func (v *View) noteStopped() {
	bytes := int64(0)
	if s := v.snapshot(); s != nil {
		bytes += s.bytes()
	}
	if log := v.changelog(); log != nil {
		bytes += log.held()
	}
	v.noteHeld(bytes)
}

// limit is what the view may hold; own tells that its definition says so, and not what the views may hold together. 0 is no bound.
func (v *View) limit() (bytes int64, own bool) {
	bytes, own = v.Definition().Memory, true
	if v.set.memory.share > 0 {
		if shared := v.set.memory.allowance(v.held.Load()); bytes == 0 || shared < bytes {
			return shared, false
		}
	}
	return bytes, own
}

// held is the memory of the machine and of the rows.
func (r *runtime) held() int64 { return r.machine.Bytes() + r.content.bytes() }

// keepWithin moves to the disk what the view has no room for, and sets the pace at which it takes rows. It gives the reason where it must not
// take any.
func (r *runtime) keepWithin() error {
	r.noteHeld()
	limit, own := r.view.limit()
	if limit == 0 {
		return nil
	}
	var failed error
	held := r.held()
	if pressureOf(held, limit) >= near && r.set.options.Spill != nil {
		failed = r.spill(held - limit/2)
		held = r.held()
		r.noteHeld()
	}
	now := pressureOf(held, limit)
	r.pace(now)
	if now < over {
		return nil
	}
	return r.overLimit(held, limit, own, failed)
}

// sealIfNear writes final rows into a segment where there is little room: they are a good part of what may be held, and no more needed in memory.
func (r *runtime) sealIfNear() error {
	limit, _ := r.view.limit()
	if limit == 0 || pressureOf(r.held(), limit) < near || r.content.finalBytes <= limit/8 {
		return nil
	}
	return r.seal(r.view.ctx)
}

// spill moves rows first, which are read again only by those who ask for them, and then state.
func (r *runtime) spill(bytes int64) error {
	before := r.content.live.bytes()
	if err := r.content.live.cool(r.set.options.Spill, bytes); err != nil {
		return err
	}
	return r.machine.Spill(bytes - (before - r.content.live.bytes()))
}

func (r *runtime) noteHeld() {
	held := r.held()
	total := held
	if r.writing != nil {
		total += r.writing.bytes
	}
	if r.log != nil {
		total += r.log.held()
	}
	r.view.noteHeld(total)
	r.view.setSizes(held, r.machine.Spilled()+r.content.live.stored)
}

// pace sets how many rows a step takes.
func (r *runtime) pace(now pressure) {
	most := int64(tailRows)
	if now >= narrow {
		most = slowRows
	}
	for _, in := range r.inputs {
		if s := streamOf(in); s != nil {
			s.most = most
		}
	}
	r.view.setSlow(now >= narrow)
}

// overLimit says why a view takes no more rows, and what to do.
func (r *runtime) overLimit(held, limit int64, own bool, failed error) error {
	name := r.definition.Name
	err := event.Errorf(event.CodeMemoryLimit, "it takes %d bytes of memory and may take %d", held, limit)
	switch most, bytes := r.machine.Heaviest(); {
	case failed != nil:
		err.Detail += ", and cannot move to the disk: " + failed.Error()
	case bytes > held/2:
		err.Detail += fmt.Sprintf(", of which %d are for what does not go to the disk: %s", bytes, most)
	}
	if own {
		return err.WithHint("ALTER MATERIALIZED VIEW %s SET (memory = '%dMB') lets it go on from where it is", name, 2*max(held/1e6, 1))
	}
	return err.WithHint("all views together may take %d: drop one, or give the server more with memory; then it goes on", r.set.memory.share)
}

// holdIfOver keeps a view from taking rows for as long as it is over its bound. It is false once the view is stopped.
func (r *runtime) holdIfOver() (bool, error) {
	for {
		if err := r.sealIfNear(); err != nil {
			return true, err
		}
		reason := r.keepWithin()
		r.view.setPaused(reason)
		if reason == nil {
			return true, nil
		}
		select {
		case <-r.view.asked:
		case <-r.view.resume:
		case <-r.view.ctx.Done():
			return false, nil
		}
		if err := r.checkpointStep(); err != nil {
			return true, err
		}
	}
}

// setPaused notes that the view takes no rows, and why, or that it does again.
func (v *View) setPaused(reason error) {
	v.mu.Lock()
	state, before := v.mu.state, v.mu.failure
	v.mu.Unlock()
	switch {
	case reason != nil && (state != Paused || before.Error() != reason.Error()):
		if state != Paused {
			v.set.options.Logger.Warn("a view takes no more rows", "view", v.Definition().Name, "reason", reason)
		}
		v.update(func() { v.mu.state, v.mu.failure = Paused, reason })
	case reason == nil && state == Paused:
		v.set.options.Logger.Info("a view takes rows again", "view", v.Definition().Name)
		v.update(func() {
			if v.mu.state, v.mu.failure = Running, nil; !v.mu.definition.Ready {
				v.mu.state = Building
			}
		})
	}
}

// setSlow notes that the view takes rows in small portions for want of room.
func (v *View) setSlow(slow bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.slow = slow
}

// setSizes notes what of the view lies in memory and in temporary files.
func (v *View) setSizes(memory, disk int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.memory, v.mu.disk = memory, disk
}

// SetMemory changes what a view may hold. One that was paused for want of memory goes on if that is enough.
func (s *Set) SetMemory(name string, bytes int64) error {
	present, next, err := s.options.Catalog.SetViewMemory(name, bytes)
	if err != nil {
		return err
	}
	s.mu.Lock()
	views := map[*View]*catalog.View{s.mu.views[name]: present, s.mu.next[name]: next}
	s.mu.Unlock()
	for v, definition := range views {
		if v != nil && definition != nil && v.Definition().Generation == definition.Generation {
			v.update(func() { v.mu.definition = definition })
			v.wake()
		}
	}
	return nil
}
