// Package exec runs plans over snapshots of streams and streams the answers as batches of columns.
//
// A plan becomes a tree of operators. Each operator hands out readers, one for each goroutine that pulls from it: a scan can
// feed several workers side by side, while operators that decide something in one place (a merged aggregate, an order, a
// limit) have a single reader. A batch is never changed once a reader has returned it. Whatever grows with the input reports
// to the query's Budget. Beyond it, sorts, groups, joins and windows spill to the engine's Space and the query goes on; what
// cannot spill fails with memory_limit.
//
// An Engine may be used from any goroutine; a Result belongs to one. Every goroutine that a Result starts has ended when
// Close returns. The package knows nothing of SQL text, logs or files. It answers any plan, optimized or not, alike.
package exec

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

const (
	defaultMemoryBytes = 1 << 30
	// defaultBatchRows keeps a few columns of a batch inside the second-level cache while a batch's fixed costs stay below
	// a nanosecond per row.
	defaultBatchRows = 32 << 10
)

// Options tune an Engine; the zero value of each field means its default.
type Options struct {
	// Workers is how many goroutines scan for one query; 0 means GOMAXPROCS. With one worker the order of rows is the same
	// at every run.
	Workers int
	// MemoryBytes bounds what one query may hold in groups, sort buffers and written-out values; 0 means 1 GiB.
	MemoryBytes int64
	// Pool is the memory that all queries share; nil means that they share none.
	Pool *Pool
	// Spill is where queries keep what they cannot hold in memory; nil means that they fail instead.
	Spill *spill.Space
	// BatchRows bounds the rows of a batch; 0 means 32,768.
	BatchRows int
	// Now is read once for each query; nil means time.Now.
	Now func() time.Time
	// Rewrite is the optimizer, asked once more for a plan in which rows that were read first are constants; nil leaves plans as they are.
	Rewrite func(plan.Node) (plan.Node, error)
}

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = defaultMemoryBytes
	}
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Engine runs plans. Between queries it holds no state.
type Engine struct {
	source  query.Source
	sink    query.Sink
	options Options
	turns   *turns
	// These are the constants, but in tests.
	spreadFrom, spreadShare, rangeGroup, fewValues int
	looked                                         func() // nil but in tests
}

// New makes an engine that reads from source and writes what INSERT produces to sink, which may be nil where no plan inserts.
func New(source query.Source, sink query.Sink, options Options) *Engine {
	return &Engine{
		source: source, sink: sink, options: options.withDefaults(), turns: newTurns(runtime.GOMAXPROCS(0)),
		spreadFrom: spreadFrom, spreadShare: spreadShare, rangeGroup: rangeGroup, fewValues: fewValues,
	}
}

// run is what all operators of one running query share.
type run struct {
	engine   *Engine
	snapshot query.Snapshot // nil where the plan reads no stream
	kernel   *kernel.Context
	budget   *Budget
	standing *standing // nil before the query has been let in
	files    *spillFiles
	stats    *counters
	profile  *profile // nil where nobody asked what each node costs
	// settled are the calls that the scan being built may answer from statistics; nil for none.
	settled []*knownCall
	// works are the rows that the steps of recursive queries are computed over, by the queries' numbers.
	works map[int]*workTable
	// root is the plan that is run, which has the values of early as constants.
	root  plan.Node
	early []EarlyRow
}

// Run opens one snapshot for all streams of the plan and starts answering. Cancelling ctx stops the work between two
// batches. The caller reads the Result to its end or not, and closes it.
func (e *Engine) Run(ctx context.Context, root plan.Node) (*Result, error) {
	return e.start(ctx, root, nil)
}

// Profile is Run with a Result that has NodeStats: counting them costs two looks at the clock for each batch and node.
func (e *Engine) Profile(ctx context.Context, root plan.Node) (*Result, error) {
	return e.start(ctx, root, newProfile())
}

func (e *Engine) start(ctx context.Context, root plan.Node, profile *profile) (*Result, error) {
	r := &run{
		engine:  e,
		kernel:  &kernel.Context{Now: e.options.Now().UnixMicro(), Memo: &kernel.Memo{}, Random: &kernel.Random{}},
		files:   &spillFiles{},
		stats:   &counters{},
		profile: profile,
	}
	ctx, cancel := context.WithCancel(ctx)
	r.kernel.Done, r.kernel.Looked = ctx.Done(), e.looked
	op, err := r.start(ctx, root)
	if err != nil {
		err = stopped(ctx, err)
		cancel()
		return nil, errors.Join(err, r.end())
	}
	return &Result{ctx: ctx, cancel: cancel, run: r, columns: root.Columns(), input: gather(op)}, nil
}

// start takes what the query needs of the engine, in the order of which end is the reverse, and builds the operators.
func (r *run) start(ctx context.Context, root plan.Node) (op operator, err error) {
	if r.budget, err = r.engine.admit(ctx); err != nil {
		return nil, err
	}
	r.standing = r.engine.turns.enter()
	if err := r.pin(ctx, plan.Streams(root)); err != nil {
		return nil, err
	}
	if r.root, err = r.readEarly(ctx, root); err != nil {
		return nil, err
	}
	err = guard(func() (err error) {
		op, err = r.build(ctx, r.root, all(plan.Width(root)))
		return err
	})
	return op, err
}

// admit waits for the query's turn and gives it a budget.
func (e *Engine) admit(ctx context.Context) (*Budget, error) {
	if e.options.Pool == nil {
		return NewBudget(e.options.MemoryBytes), nil
	}
	if err := e.options.Pool.admit(ctx); err != nil {
		return nil, err
	}
	return newBudget(e.options.MemoryBytes, e.options.Pool), nil
}

// end gives back what start took, as far as it came.
func (r *run) end() error {
	err := errors.Join(r.files.close(), r.unpin())
	if r.standing != nil {
		r.standing.leave()
	}
	if r.budget != nil {
		r.budget.close()
	}
	return err
}

func (r *run) pin(ctx context.Context, streams []string) error {
	if len(streams) == 0 {
		return nil
	}
	snapshot, err := r.engine.source.Open(ctx, streams)
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	r.snapshot = snapshot
	return nil
}

func (r *run) unpin() error {
	if r.snapshot == nil {
		return nil
	}
	if err := r.snapshot.Close(); err != nil {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}

// stopped turns the failure of work that ctx has ended into an error that says so, and passes other failures on.
func stopped(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil || (!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	if errors.Is(ended, context.DeadlineExceeded) {
		return &event.Error{Code: event.CodeTimeout, Detail: "the query ran out of time", Cause: err}
	}
	return &event.Error{Code: event.CodeCancelled, Detail: "the query was cancelled", Cause: err}
}
