// Package compact keeps the segments of every stream few, sorted and no older than the stream wants them: in the background it merges
// small ones, writes old ones anew in a layout that takes less space, drops those that retention has passed, and removes files that
// nothing needs any more.
//
// Nothing that it does changes an answer, retention aside: a merge holds the rows of what it replaces, and the replacement is one record
// of the journal. Plan is the whole of the policy and a pure function. A Compactor runs one goroutine, which Close stops and waits for;
// its methods may be called from any goroutine. It takes a share of one processor; the store bounds the memory that it takes.
package compact

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/internal/clock"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

const (
	// lookEvery is how often all streams are looked at when nobody asks for it.
	lookEvery = 10 * time.Second
	// firstRetry and lastRetry bound how long a stream is left alone after its work has failed, doubling each time.
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
	// behind is how many segments have to wait before merging stops sparing the processor.
	behind = 16 * fanIn
)

// Options of a Compactor. Every field but the observers must be set.
type Options struct {
	Policy Policy
	// Share is the part of one processor that merging may take while it keeps up, above 0 and at most 1.
	Share float64
	// Stream finds a stream's present definition.
	Stream func(name string) (*catalog.Stream, bool)
	// Now is the wall clock, Elapsed a clock that nobody can set.
	Now     func() time.Time
	Elapsed func() time.Duration
	Logger  *slog.Logger
	// Spare, if not nil, tells of a segment that retention has passed that it must stay for now, as something has still to read it.
	Spare func(*manifest.Segment) bool
	// Observe, if not nil, is told of everything that was done or failed.
	Observe func(Result)
	// ObserveLook, if not nil, is told after every look how many segments wait to be merged, and whether retention is stopped.
	ObserveLook func(backlog int, retentionHeld bool)
}

// Result is one thing done.
type Result struct {
	Stream  string
	Action  Action
	Inputs  []*manifest.Segment
	Outputs []*manifest.Segment
	Took    time.Duration
	// Err is why it failed.
	Err error
}

// Action is what a Compactor does.
type Action string

// The actions.
const (
	Merged   Action = "merge"
	Archived Action = "archive"
	Expired  Action = "expire"
)

// Compactor works on the segments of one store.
type Compactor struct {
	store   *segments.Store
	options Options
	cancel  context.CancelFunc
	wake    chan struct{}
	done    chan struct{}

	// looking is held while streams are looked at, by the goroutine or by whoever calls Look.
	looking sync.Mutex
	retries map[string]retry
	clock   clock.Guard
	jumped  bool // since this process began; the store remembers it for the next
	// unprofitable are segments that the archive layout would hardly make smaller.
	unprofitable map[uint64]bool

	mu struct {
		sync.Mutex
		backlog map[string]int
	}
}

// retry says until when a stream is left alone.
type retry struct {
	wait  time.Duration
	until time.Time
}

// New starts a Compactor.
func New(store *segments.Store, options Options) *Compactor {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Compactor{
		store: store, options: options, cancel: cancel, wake: make(chan struct{}, 1), done: make(chan struct{}),
		retries: map[string]retry{}, unprofitable: map[uint64]bool{},
	}
	c.mu.backlog = map[string]int{}
	go c.run(ctx)
	return c
}

// Wake says that there may be something to do. It never blocks.
func (c *Compactor) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Close stops the goroutine and waits for it. A merge under way is given up and leaves nothing behind.
func (c *Compactor) Close() error {
	c.cancel()
	<-c.done
	return nil
}

// Backlog is how many segments wait to be merged.
func (c *Compactor) Backlog() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := 0
	for _, n := range c.mu.backlog {
		total += n
	}
	return total
}

func (c *Compactor) run(ctx context.Context) {
	defer close(c.done)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-ticker.C:
		}
		c.Look(ctx)
	}
}

// Look does all that is due now, and returns when nothing is left or ctx ends. Streams take turns, a merge each, so that one to which segments
// come faster than they are merged does not keep others from their retention. What fails is reported to Observe and to the log, and tried
// again later.
func (c *Compactor) Look(ctx context.Context) {
	c.looking.Lock()
	defer c.looking.Unlock()
	for more := true; more && ctx.Err() == nil; {
		if err := c.watchClock(); err != nil {
			c.options.Logger.Error("retention cannot be stopped or resumed; nothing expires before the next look", "error", err)
			return
		}
		more = c.round(ctx)
		if err := c.store.EmptyTrash(); err != nil {
			c.options.Logger.Warn("trash cannot be emptied; it will be tried again", "error", err)
		}
		if c.options.ObserveLook != nil {
			c.options.ObserveLook(c.Backlog(), c.store.RetentionHeld())
		}
	}
}

// round gives every stream a turn, and reports whether any has used it to merge.
func (c *Compactor) round(ctx context.Context) (more bool) {
	for _, stream := range c.store.Streams() {
		if ctx.Err() != nil {
			return false
		}
		if definition, ok := c.options.Stream(stream); ok && !c.options.Now().Before(c.retries[stream].until) {
			merged, err := c.lookAt(ctx, definition)
			c.settle(ctx, stream, err)
			more = more || merged
		}
	}
	return more
}

// settle notes how work on a stream ended.
func (c *Compactor) settle(ctx context.Context, stream string, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, manifest.ErrConflict) {
		delete(c.retries, stream)
		return
	}
	wait := min(max(2*c.retries[stream].wait, firstRetry), lastRetry)
	c.retries[stream] = retry{wait: wait, until: c.options.Now().Add(wait)}
	c.options.Logger.Error("compaction failed; it will be tried again", "stream", stream, "in", wait, "error", err)
}

// lookAt drops what has expired of one stream and does one merge, if any is due.
func (c *Compactor) lookAt(ctx context.Context, stream *catalog.Stream) (merged bool, err error) {
	if err := c.expire(ctx, stream); err != nil {
		return false, err
	}
	view := c.store.View(stream.Name)
	job, ok := c.next(ctx, view, stream)
	if !ok {
		return false, view.Close()
	}
	if err := errors.Join(c.merge(ctx, view, stream, job), view.Close()); err != nil {
		return false, err
	}
	return true, ctx.Err()
}

// next is the first job that can be done and pays, if there is any.
func (c *Compactor) next(ctx context.Context, view *segments.View, stream *catalog.Stream) (Job, bool) {
	var usable []*manifest.Segment
	for _, s := range view.Segments() {
		if !c.store.IsDamaged(s.ID) {
			usable = append(usable, s)
		}
	}
	jobs := Plan(usable, stream.Retention, c.options.Policy, c.options.Now())
	waiting := 0
	for _, job := range jobs {
		if len(job.Inputs) > 1 {
			waiting += len(job.Inputs)
		}
	}
	c.mu.Lock()
	c.mu.backlog[stream.Name] = waiting
	c.mu.Unlock()
	for _, job := range jobs {
		if len(job.Inputs) > 1 || c.pays(ctx, view, job.Inputs[0]) {
			return job, true
		}
	}
	return Job{}, false
}

// pays reports whether a segment would become smaller in the archive layout. Each is tried once.
func (c *Compactor) pays(ctx context.Context, view *segments.View, segment *manifest.Segment) bool {
	if c.unprofitable[segment.ID] {
		return false
	}
	pays, err := c.store.ArchivePays(ctx, view, segment)
	if err != nil && ctx.Err() == nil {
		c.options.Logger.Warn("a segment's packing cannot be judged", "file", segment.File, "error", err)
	}
	c.unprofitable[segment.ID] = !pays && ctx.Err() == nil
	return pays
}

func (c *Compactor) merge(ctx context.Context, view *segments.View, stream *catalog.Stream, job Job) error {
	started := time.Now()
	pace := &pacer{share: c.options.Share, last: started}
	if c.Backlog() >= behind {
		pace.share = 1
	}
	merged, err := c.store.Merge(ctx, view, segments.Merge{
		Inputs: job.Inputs, Cuts: job.Cuts, SortBy: stream.SortColumns(), Archive: job.Archive, Pause: pace.pause,
	})
	result := Result{Stream: stream.Name, Action: Merged, Inputs: merged.Inputs, Outputs: merged.Outputs, Took: time.Since(started), Err: err}
	if len(job.Inputs) == 1 {
		result.Action = Archived
	}
	c.observe(ctx, result)
	return err
}

func (c *Compactor) observe(ctx context.Context, r Result) {
	if c.options.Observe != nil && ctx.Err() == nil && !errors.Is(r.Err, manifest.ErrConflict) {
		c.options.Observe(r)
	}
}

// pacer makes work take its share of the time.
type pacer struct {
	share float64
	last  time.Time
}

// pause waits as long after a piece of work that the work is its share of both.
func (p *pacer) pause(ctx context.Context) error {
	rest := time.Duration(float64(time.Since(p.last)) * (1/p.share - 1))
	if rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	p.last = time.Now()
	return ctx.Err()
}
