package exec

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// NodeStats says what one node of a plan has cost.
type NodeStats struct {
	// Rows and Batches count what the node gave.
	Rows, Batches int64
	// Elapsed is the time spent in the node and those below it, by the worker that was longest at it. A node that was built several
	// times, once for each row of another, has the sum.
	Elapsed time.Duration
	// Builds counts how often the node was built; Workers is how many readers worked side by side.
	Builds, Workers int64
	// PeakMemoryBytes is the most that the node itself held of the query's Budget.
	PeakMemoryBytes int64
	// Scan is what the node itself read of streams, and what it wrote to temporary files.
	Scan Stats
}

// profile collects NodeStats by node. It may be used from any goroutine.
type profile struct {
	mu struct {
		sync.Mutex
		nodes map[plan.Node]*nodeProfile
	}
}

// nodeProfile is a NodeStats that is being counted.
type nodeProfile struct {
	rows, batches, elapsed, builds, workers atomic.Int64
	memory                                  peak
	stats                                   counters
}

func newProfile() *profile {
	p := &profile{}
	p.mu.nodes = map[plan.Node]*nodeProfile{}
	return p
}

// of is a node's counters, made at the first call.
func (p *profile) of(n plan.Node) *nodeProfile {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.mu.nodes[n]
	if known == nil {
		known = &nodeProfile{}
		p.mu.nodes[n] = known
	}
	return known
}

// total adds up what the nodes have read.
func (p *profile) total(into *counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.mu.nodes {
		into.add(&n.stats)
	}
}

// buildProfiled builds a node whose reads and memory are counted by themselves: it runs as a run of its own, which shares all but that
// with the others.
func (r *run) buildProfiled(ctx context.Context, n plan.Node, used []bool) (operator, error) {
	counts := r.profile.of(n)
	counts.builds.Add(1)
	own := *r
	own.stats, own.budget = &counts.stats, r.budget.share(&counts.memory)
	op, err := own.buildNode(ctx, n, used)
	if err != nil {
		return nil, err
	}
	return &profiledOp{operator: op, counts: counts}, nil
}

// profiledOp counts and times what another operator gives.
type profiledOp struct {
	operator
	counts  *nodeProfile
	readers atomic.Int64
	longest atomic.Int64 // of the times that readers have taken so far
}

func (o *profiledOp) useBriefly() { useBriefly(o.operator) }

func (o *profiledOp) open() reader {
	raise(&o.counts.workers, o.readers.Add(1))
	return &profiledReader{op: o, input: o.operator.open()}
}

// profiledReader is one reader of a profiledOp.
type profiledReader struct {
	op    *profiledOp
	input reader
	spent time.Duration
}

func (r *profiledReader) next(ctx context.Context) (*Batch, error) {
	started := time.Now()
	batch, err := r.input.next(ctx)
	r.spent += time.Since(started)
	r.op.took(int64(r.spent))
	if batch != nil {
		r.op.counts.rows.Add(int64(batch.Rows))
		r.op.counts.batches.Add(1)
	}
	return batch, err
}

func (r *profiledReader) close() { r.input.close() }

// took notes what a reader has taken altogether; what that adds to the longest is added to the node's time.
func (o *profiledOp) took(spent int64) {
	if before := raise(&o.longest, spent); spent > before {
		o.counts.elapsed.Add(spent - before)
	}
}

// raise brings a number up to another and returns what it was.
func raise(number *atomic.Int64, to int64) (before int64) {
	for {
		before = number.Load()
		if to <= before || number.CompareAndSwap(before, to) {
			return before
		}
	}
}

// NodeStats says what a node of the plan has cost so far; ok is false where the result is not of Profile, or the node was never built.
func (r *Result) NodeStats(n plan.Node) (stats NodeStats, ok bool) {
	if r.run.profile == nil {
		return NodeStats{}, false
	}
	counts := r.run.profile.of(n)
	if counts.builds.Load() == 0 {
		return NodeStats{}, false
	}
	return NodeStats{
		Rows: counts.rows.Load(), Batches: counts.batches.Load(), Elapsed: time.Duration(counts.elapsed.Load()),
		Builds: counts.builds.Load(), Workers: counts.workers.Load(),
		PeakMemoryBytes: counts.memory.bytes.Load(), Scan: counts.stats.sum(),
	}, true
}
