package exec_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// longWork is a plan that goes over all of its rows at once after the last has been read.
type longWork struct {
	root plan.Node
	// inMemory and onDisk are how many rows of the input there are at most for each look at the context, not counting those between batches:
	// with memory for all rows, and with some bytes of it. Work for which one is 0 is not tried that way.
	inMemory, onDisk int
	memory           int64
}

func longWorks(tab *table) map[string]longWork {
	s := scan(tab)
	id, user, amount, region := col(s, "id"), col(s, "user"), col(s, "amount"), col(s, "region")
	ordered, distinct := agg("string_agg", region, lit(",")), agg("count", id)
	ordered.Order, distinct.Distinct = []plan.SortKey{asc(amount)}, true
	running := plan.Frame{Unit: plan.FrameRows, Start: plan.FrameBound{Kind: plan.UnboundedPreceding}, End: plan.FrameBound{Kind: plan.CurrentRow}}
	other := *id.(*plan.ColumnRef)
	other.Index += len(s.Columns())
	keyed := &plan.Join{Left: s, Right: where(s, call(">", id, lit(7))), Kind: plan.InnerJoin, On: []plan.Expr{call("=", id, &other)}}
	return map[string]longWork{
		"sort":         {sorted(s, asc(amount), asc(id)), 30_000, 2_000, 8 << 20},
		"groups":       {aggregate(s, []plan.Expr{id, user}, agg("count")), 4_000, 3_000, 8 << 20},
		"ordered call": {aggregate(s, nil, ordered), 20_000, 0, 0},
		"distinct":     {aggregate(s, nil, distinct, agg("sum", id)), 30_000, 0, 0},
		"join":         {aggregate(keyed, nil, agg("count")), 14_000, 3_000, 8 << 20},
		"window":       {windowOver(s, []plan.Expr{region}, []plan.SortKey{asc(amount)}, []plan.WindowCall{windowFn("rank")}), 40_000, 0, 0},
		"running max": {
			windowOver(s, nil, []plan.SortKey{desc(id)}, []plan.WindowCall{aggregated(running, "max", amount)}), 30_000, 0, 0,
		},
		"distinct on": {&plan.FirstRows{Input: s, By: []plan.Expr{id}, Keys: []plan.SortKey{desc(amount)}}, 0, 10_000, 8 << 20},
	}
}

// TestLongWorkLooksAtTheContext counts looks over many rows, and ends the work at some of them: it then goes on to no further one.
func TestLongWorkLooksAtTheContext(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	tab := newTable(newRand(t, 50), rows)
	for name, work := range longWorks(tab) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if work.inMemory > 0 {
				requireLooks(t, tab, work.root, 1<<30, work.inMemory)
			}
			if work.onDisk > 0 {
				requireLooks(t, tab, work.root, work.memory, work.onDisk)
			}
		})
	}
}

// TestMergingGroupsLooksAtTheContext has workers find the same groups, all but one of which are then looked up again.
func TestMergingGroupsLooksAtTheContext(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 52), 200_000)
	s := scan(tab)
	filtered := agg("count")
	filtered.Filter = col(s, "ok") // keeps workers from dividing rows
	src := &source{tables: map[string]*table{"t": tab}, rng: newRand(t, 53)}
	for _, workers := range []int{1, 3} {
		e := exec.New(src, nil, exec.Options{Workers: workers})
		var looks atomic.Int64
		e.Looked(func() { looks.Add(1) })
		_, _, err := answer(e, aggregate(s, []plan.Expr{col(s, "id")}, filtered))
		require.NoError(t, err)
		if workers > 1 {
			require.GreaterOrEqual(t, looks.Load(), int64(6))
		}
	}
}

func requireLooks(t *testing.T, tab *table, root plan.Node, memory int64, rows int) {
	t.Helper()
	space, err := spill.Open(vfs.NewMem(), "tmp/queries", 1<<30)
	require.NoError(t, err)
	ask := func(last int64) (looks int64, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		src := &source{tables: map[string]*table{"t": tab}, rng: newRand(t, 51)}
		e := exec.New(src, nil, exec.Options{Workers: 1, MemoryBytes: memory, Spill: space})
		var count atomic.Int64
		e.Looked(func() {
			if count.Add(1) == last {
				cancel()
			}
		})
		result, err := e.Run(ctx, root)
		require.NoError(t, err)
		err = drainResult(result)
		require.NoError(t, result.Close())
		require.Zero(t, space.Used())
		return count.Load(), err
	}
	looks, err := ask(-1)
	require.NoError(t, err)
	require.GreaterOrEqual(t, looks, int64(tab.rows/rows), "with %d bytes of memory", memory)
	for last := int64(1); last <= looks; last += 1 + looks/3 {
		seen, err := ask(last)
		requireCode(t, err, event.CodeCancelled)
		require.Equal(t, last, seen)
	}
}
