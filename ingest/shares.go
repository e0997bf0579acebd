package ingest

import (
	"context"
	"slices"
	"sync"
)

// shares bounds the bytes of all streams that are decoded and not yet acknowledged, and gives them out fairly: no stream has more than half,
// and streams that wait are served in turn, whatever number of requests each has waiting. So one that floods the server, or whose disk is
// slow, does not keep the others from being written.
type shares struct {
	limit int64

	mu struct {
		sync.Mutex
		free int64
		held map[string]int64
		// waiting has a queue for each stream that waits, the one whose turn is next first.
		waiting []*streamQueue
	}
}

// streamQueue is who waits for bytes for one stream, in the order in which they came.
type streamQueue struct {
	stream string
	claims []*shareClaim
}

type shareClaim struct {
	bytes   int64
	granted chan struct{}
}

func newShares(limit int64) *shares {
	s := &shares{limit: limit}
	s.mu.free, s.mu.held = limit, map[string]int64{}
	return s
}

// most is how many bytes one stream may have, and so the most that one claim may be for.
func (s *shares) most() int64 { return max(s.limit/2, 1) }

// TryAcquire takes bytes, at most as many as most says, if nobody has to wait for them.
func (s *shares) TryAcquire(stream string, bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(stream, bytes)
}

// take is TryAcquire under the lock. Streams that wait have no claim that fits, or it would have been granted.
func (s *shares) take(stream string, bytes int64) bool {
	if bytes > s.mu.free || s.mu.held[stream]+bytes > s.most() || s.queue(stream) != nil {
		return false
	}
	s.mu.free -= bytes
	s.mu.held[stream] += bytes
	return true
}

func (s *shares) queue(stream string) *streamQueue {
	for _, q := range s.mu.waiting {
		if q.stream == stream {
			return q
		}
	}
	return nil
}

// Acquire waits for bytes, at most as many as most says.
func (s *shares) Acquire(ctx context.Context, stream string, bytes int64) error {
	s.mu.Lock()
	if s.take(stream, bytes) {
		s.mu.Unlock()
		return nil
	}
	claim := &shareClaim{bytes: bytes, granted: make(chan struct{})}
	q := s.queue(stream)
	if q == nil {
		q = &streamQueue{stream: stream}
		s.mu.waiting = append(s.mu.waiting, q)
	}
	q.claims = append(q.claims, claim)
	s.mu.Unlock()
	select {
	case <-claim.granted:
		return nil
	case <-ctx.Done():
		return s.giveUp(ctx, q, claim)
	}
}

// giveUp takes a claim back. It may have been granted at the same moment.
func (s *shares) giveUp(ctx context.Context, q *streamQueue, claim *shareClaim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(q.claims, claim)
	if at < 0 {
		return nil
	}
	q.claims = slices.Delete(q.claims, at, at+1)
	s.grant() // a smaller claim behind it may fit
	return ctx.Err()
}

// Release gives bytes back.
func (s *shares) Release(stream string, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.free += bytes
	if s.mu.held[stream] -= bytes; s.mu.held[stream] == 0 {
		delete(s.mu.held, stream)
	}
	s.grant()
}

// grant serves those who wait: one claim of each stream in turn, as long as any fits. A claim that does not fit into what is free is not
// passed over for another stream's smaller ones, or large chunks would wait for ever; one that is over its stream's share is.
func (s *shares) grant() {
	for again := true; again; {
		again = false
		for _, q := range slices.Clone(s.mu.waiting) {
			if len(q.claims) == 0 {
				s.mu.waiting = slices.DeleteFunc(s.mu.waiting, func(w *streamQueue) bool { return w == q })
				continue
			}
			claim := q.claims[0]
			if s.mu.held[q.stream]+claim.bytes > s.most() {
				continue
			}
			if claim.bytes > s.mu.free {
				return
			}
			s.mu.free -= claim.bytes
			s.mu.held[q.stream] += claim.bytes
			q.claims = q.claims[1:]
			close(claim.granted)
			s.rotate(q)
			again = true
		}
	}
}

// rotate puts a stream that was served behind the others.
func (s *shares) rotate(q *streamQueue) {
	s.mu.waiting = slices.DeleteFunc(s.mu.waiting, func(w *streamQueue) bool { return w == q })
	if len(q.claims) > 0 {
		s.mu.waiting = append(s.mu.waiting, q)
	}
}

// Adjust makes what a stream has for something more or less, at once: what is there already cannot wait. Where that is more than there was left, those who
// wait do so for longer.
func (s *shares) Adjust(stream string, from, to int64) {
	if to <= from {
		s.Release(stream, from-to)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.free -= to - from
	s.mu.held[stream] += to - from
}

// leastReading is the least that bodies may hold together while they are read: half of it, which is what one stream gets, must be enough for a few
// chunks and what they are decoded to.
const leastReading = 16 << 20

// Hold makes the memory that a body for a stream has while it is read more or less. One that has more than a stream may have counts as that much, so that it
// can be read where it is the only one. Nobody waits for memory, as who waits would hold what has come already.
func (e *Engine) Hold(stream string, from, to int64) error {
	most := e.reading.most()
	from, to = min(from, most), min(to, most)
	switch {
	case to < from:
		e.reading.Release(stream, from-to)
	case to > from && !e.reading.TryAcquire(stream, to-from):
		return errBusy("too many bodies of events are being read")
	}
	return nil
}

// Reading is how many bytes Hold has given.
func (e *Engine) Reading() int64 { return e.reading.all() }

// Pending is how many bytes of events wait to be on disk.
func (e *Engine) Pending() int64 { return e.pending.all() }

// all is what all streams hold.
func (s *shares) all() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit - s.mu.free
}
