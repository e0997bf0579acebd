package exec

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// smallQuery is how long a query counts as small: a panel over an hour ends well before.
	smallQuery = 200 * time.Millisecond
	// longestTurn is the longest that a worker of a large query waits between two batches: it may hold what others wait for, so it is slowed
	// down, never stopped.
	longestTurn = 10 * time.Millisecond
)

// turns keeps small queries quick beside large ones. As long as a small one runs, the workers of all large ones take turns at all
// processors but one, or at the only one. It may be used from any goroutine.
type turns struct {
	young  time.Duration // how long a query counts as small
	small  atomic.Int64  // queries that run and are not yet large
	tokens chan struct{} // one for each turn that is not taken
}

func newTurns(processors int) *turns {
	t := &turns{young: smallQuery, tokens: make(chan struct{}, max(1, processors-1))}
	for range cap(t.tokens) {
		t.tokens <- struct{}{}
	}
	return t
}

// standing is one query's place among the others.
type standing struct {
	turns *turns
	large atomic.Bool
	timer *time.Timer
}

// enter counts a query as small for a while.
func (t *turns) enter() *standing {
	s := &standing{turns: t}
	t.small.Add(1)
	s.timer = time.AfterFunc(t.young, s.grow)
	return s
}

// grow makes the query a large one.
func (s *standing) grow() {
	if s.large.CompareAndSwap(false, true) {
		s.turns.small.Add(-1)
	}
}

// leave is the query's end.
func (s *standing) leave() {
	s.timer.Stop()
	s.grow()
}

// turn is a worker's; the zero value holds none.
type turn struct{ held bool }

// next is called between two batches. It gives back the turn that the worker has had and takes another, where queries must take turns.
func (w *turn) next(ctx context.Context, s *standing) {
	w.end(s)
	if s == nil || !s.large.Load() || s.turns.small.Load() == 0 {
		return
	}
	select {
	case <-s.turns.tokens:
		w.held = true
		return
	default:
	}
	timer := time.NewTimer(longestTurn)
	defer timer.Stop()
	select {
	case <-s.turns.tokens:
		w.held = true
	case <-timer.C:
	case <-ctx.Done():
	}
}

// end gives the turn back.
func (w *turn) end(s *standing) {
	if w.held {
		s.turns.tokens <- struct{}{}
		w.held = false
	}
}
