package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/tail"
)

const (
	// idleLook is how often partitions are looked at, and so how often a silent one follows the active ones at most.
	idleLook = time.Second
	// longestIdleStep bounds the doubling intervals between the markers of a stream that is silent as a whole.
	longestIdleStep = time.Minute
)

// idling appends idle markers to the logs of partitions that get no rows, so that they do not hold back the watermark of their stream. It
// decides; what it has decided is in the log, and is never decided again.
type idling struct {
	engine *Engine
	cancel context.CancelFunc
	done   chan struct{}
}

// silence is what is remembered of a stream that is silent as a whole.
type silence struct {
	// newest is when the last row came, as far as known; the silence is another one once that has changed.
	newest time.Time
	// due is when the next marker is, and step how long after the one before.
	due  time.Time
	step time.Duration
}

func newIdling(e *Engine) *idling {
	ctx, cancel := context.WithCancel(context.Background())
	i := &idling{engine: e, cancel: cancel, done: make(chan struct{})}
	go i.run(ctx)
	return i
}

func (i *idling) close() {
	i.cancel()
	<-i.done
}

func (i *idling) run(ctx context.Context) {
	defer close(i.done)
	ticker := time.NewTicker(idleLook)
	defer ticker.Stop()
	silences := map[*Stream]*silence{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if i.engine.room.take(0) != nil {
			continue // a marker is no reason to run into a full disk
		}
		streams := i.engine.openStreams()
		maps.DeleteFunc(silences, func(s *Stream, _ *silence) bool { return !slices.Contains(streams, s) })
		for _, s := range streams {
			if silences[s] == nil {
				silences[s] = &silence{}
			}
			s.markIdle(i.engine.options.Now(), silences[s])
		}
	}
}

// markIdle queues the markers that are due now. Silence before the stream was open does not count.
func (s *Stream) markIdle(now time.Time, quiet *silence) {
	timeout := s.Definition().IdleTimeout
	if timeout <= 0 {
		return
	}
	states := make([]activity, len(s.writers))
	for p := range states {
		a := &states[p]
		a.next, a.clock, a.newest = s.sealing.Tail.Activity(event.Partition(p))
		if a.newest.Before(s.ready) {
			a.newest = s.ready
		}
		a.silent = now.Sub(a.newest) >= timeout
	}
	watermark, ok := idleWatermark(states, s.Definition().Bound, now, quiet)
	if !ok {
		return
	}
	for p, a := range states {
		if a.silent && (!a.clock.HasWatermark || a.clock.Watermark < watermark) {
			s.writers[p].Idle(a.next, watermark)
		}
	}
}

// activity is what idleWatermark goes by: the state of one partition.
type activity struct {
	next   event.Offset
	clock  tail.Clock
	newest time.Time
	silent bool
}

// idleWatermark is what the watermarks of silent partitions are to rise to: while others are active, the least of theirs; when all are
// silent, the stream's newest event time less the bound, plus the time since the last row. ok is false while there is nothing to say: no
// partition is silent, an active one has no watermark, the stream never had a row, or the next marker is not due.
func idleWatermark(states []activity, bound time.Duration, now time.Time, quiet *silence) (watermark int64, ok bool) {
	active, silent := tail.Clock{}, 0
	var newest tail.Clock
	var last time.Time
	for _, a := range states {
		if a.clock.Valid && (!newest.Valid || a.clock.MaxEventTime > newest.MaxEventTime) {
			newest = a.clock
		}
		if last.Before(a.newest) {
			last = a.newest
		}
		switch {
		case a.silent:
			silent++
		case !a.clock.HasWatermark:
			return 0, false
		case !active.HasWatermark || a.clock.Watermark < active.Watermark:
			active = a.clock
		}
	}
	if silent < len(states) {
		return active.Watermark, silent > 0
	}
	if !newest.Valid || !quiet.isDue(last, now) {
		return 0, false
	}
	return newest.MaxEventTime - bound.Microseconds() + now.Sub(last).Microseconds(), true
}

// isDue reports whether a marker is due in a silence since the last row, and if so, sets when the next one is: the first at once, then after
// a second, two, four, up to longestIdleStep.
func (q *silence) isDue(last, now time.Time) bool {
	if !q.newest.Equal(last) {
		*q = silence{newest: last, due: now}
	}
	if now.Before(q.due) {
		return false
	}
	q.step = min(max(2*q.step, idleLook), longestIdleStep)
	q.due = now.Add(q.step)
	return true
}
