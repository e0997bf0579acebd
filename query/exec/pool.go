package exec

import (
	"context"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// leastShare is what every running query is sure of: some batches and small tables.
	leastShare = 4 << 20
	// mostRunning bounds the queries that run at one time; further ones wait.
	mostRunning = 128
	// mostWaiting bounds the queries that wait; further ones are told to come back.
	mostWaiting = 512
	// grantBytes is the step in which queries take memory, so that they rarely meet at the pool's lock.
	grantBytes = 1 << 20
)

// Pool is the memory that all queries share. Every running query is sure of a least share, which is why only so many run at one
// time. Beyond it memory goes to whoever asks, but for the last eighth: that is for queries that hold less than an equal part, so
// that a large query makes room, by spilling, for those that come after. A Pool may be used from any goroutine.
type Pool struct {
	limit int64
	least int64
	most  int // queries at one time

	mu struct {
		sync.Mutex
		free    int64 // not granted to any query
		running int
		waiting []chan struct{} // closed in the order of arrival, as queries end
	}
}

// NewPool makes a pool of limit bytes.
func NewPool(limit int64) *Pool {
	p := &Pool{limit: limit, least: min(leastShare, max(limit/8, 1))}
	p.most = int(min(limit/p.least, mostRunning))
	p.mu.free = limit
	return p
}

// Held is the bytes that are granted to queries now.
func (p *Pool) Held() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit - p.mu.free
}

// Limit is the bytes of the pool.
func (p *Pool) Limit() int64 { return p.limit }

// Running and Waiting count queries.
func (p *Pool) Running() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.running
}

// Waiting is how many queries wait for others to end.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mu.waiting)
}

// admit gives a query its least share. It waits for a query to end where too many run, and fails with too_busy where too many wait.
func (p *Pool) admit(ctx context.Context) error {
	p.mu.Lock()
	if p.mu.running < p.most && p.mu.free >= p.least && len(p.mu.waiting) == 0 {
		p.start()
		p.mu.Unlock()
		return nil
	}
	if len(p.mu.waiting) >= mostWaiting {
		running, waiting := p.mu.running, len(p.mu.waiting)
		p.mu.Unlock()
		return event.Errorf(event.CodeTooBusy, "%d queries run and %d wait", running, waiting).WithHint("send the query again in a moment")
	}
	turn := make(chan struct{})
	p.mu.waiting = append(p.mu.waiting, turn)
	p.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		p.giveUp(turn)
		return ctx.Err()
	}
}

// start counts a query as running. The lock is held.
func (p *Pool) start() {
	p.mu.running++
	p.mu.free -= p.least
}

// giveUp takes a query out of the queue. Its turn may have come in the meantime.
func (p *Pool) giveUp(turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.mu.waiting {
		if w == turn {
			p.mu.waiting = append(p.mu.waiting[:i], p.mu.waiting[i+1:]...)
			return
		}
	}
	p.mu.running--
	p.mu.free += p.least
	p.callNext()
}

// leave takes back all that was granted to a query that has ended.
func (p *Pool) leave(granted int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.running--
	p.mu.free += granted
	p.callNext()
}

// callNext starts queries that wait, as far as there is room. The lock is held.
func (p *Pool) callNext() {
	for len(p.mu.waiting) > 0 && p.mu.running < p.most && p.mu.free >= p.least {
		p.start()
		close(p.mu.waiting[0])
		p.mu.waiting = p.mu.waiting[1:]
	}
}

// grant gives a query that holds so many bytes at least need more, and reports how many; 0 is a refusal.
func (p *Pool) grant(granted, need int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	bytes := min(max(need, grantBytes), p.mu.free)
	if bytes < need {
		return 0
	}
	part := p.limit / int64(max(p.mu.running, 1))
	if granted+need > part && p.mu.running > 1 && p.mu.free-need < p.limit/8 {
		return 0
	}
	p.mu.free -= bytes
	return bytes
}

// giveBack takes bytes back from a query that goes on.
func (p *Pool) giveBack(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.free += bytes
	p.callNext()
}

// crowded reports whether a query that holds so many bytes should make room: more than an equal part, while next to nothing is
// left for others.
func (p *Pool) crowded(granted int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.running > 1 && granted > p.limit/int64(p.mu.running) && p.mu.free < p.limit/16
}
