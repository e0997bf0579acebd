package exec_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// spillSpace is an empty place for temporary files, which must be empty again at the end.
func spillSpace(t *testing.T) *spill.Space {
	t.Helper()
	space, err := spill.Open(vfs.NewMem(), "tmp/queries", 1<<30)
	require.NoError(t, err)
	t.Cleanup(func() { require.Zero(t, space.Used(), "a temporary file was left") })
	return space
}

// requireSpilled asks a question with so little memory that it has to spill, by one worker and by several, and holds the answers to
// those with memory enough.
func requireSpilled(t *testing.T, tab *table, root plan.Node, memory int64, ordered bool) {
	t.Helper()
	rng := newRand(t, 40)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	for _, workers := range []int{1, 2, 3} {
		want, stats, err := answer(exec.New(src, nil, exec.Options{Workers: workers}), root)
		require.NoError(t, err)
		require.Zero(t, stats.SpilledBytes)
		for _, rows := range []int{70, 700} {
			options := exec.Options{Workers: workers, BatchRows: rows, MemoryBytes: memory, Spill: spillSpace(t)}
			got, stats, err := answer(exec.New(src, nil, options), root)
			require.NoError(t, err, "%d workers, batches of %d", workers, rows)
			require.Positive(t, stats.SpilledBytes)
			require.LessOrEqual(t, stats.PeakMemoryBytes, memory)
			if !ordered {
				sort.Strings(want)
				sort.Strings(got)
			}
			require.Equal(t, want, got, "%d workers, batches of %d", workers, rows)
		}
	}
	require.Zero(t, src.open)
}

func TestSortsSpill(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 41), 5_000)
	s := scan(tab)
	id := col(s, "id")
	for name, keys := range map[string][]plan.SortKey{
		"integers":   {desc(id)},
		"text":       {asc(col(s, "region")), desc(id)},
		"NULLs":      {{Expr: col(s, "amount"), NullsFirst: true}, asc(id)},
		"NULLs last": {desc(col(s, "amount")), asc(id)},
		"few values": {desc(col(s, "ok")), asc(col(s, "took")), asc(id)},
		"computed":   {asc(call("+", id, lit(1))), asc(lit("x"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSpilled(t, tab, sorted(s, keys...), 250<<10, true)
			requireSpilled(t, tab, sorted(s, keys...), 90<<10, true) // merges in several passes
			requireSpilled(t, tab, &plan.Sort{Input: s, Keys: keys, Limit: 2_500}, 130<<10, true)
		})
	}
}

// spilledAggregates are calls of each kind of state: fixed, growing, and those that keep rows.
func spilledAggregates(s *plan.Scan) []plan.Aggregation {
	id, ts, region := col(s, "id"), col(s, "ts"), col(s, "region")
	user, amount, took := col(s, "user"), col(s, "amount"), col(s, "took")
	distinct, filtered, last := agg("count", user), agg("max", region), agg("last", took)
	distinct.Distinct = true
	filtered.Filter = call(">", amount, lit(0.0))
	last.Order = []plan.SortKey{asc(ts), asc(id)}
	ordered := agg("string_agg", region, lit(","))
	ordered.Order = []plan.SortKey{desc(region), asc(id)}
	return []plan.Aggregation{
		agg("count"), agg("sum", id), agg("avg", id), agg("min", region), agg("max", took), agg("min", ts), agg("bool_and", col(s, "ok")),
		agg("approx_count_distinct", id), agg("mode", region), agg("percentile_disc", lit(0.5), id), agg("approx_top_k", region, lit(2)),
		distinct, filtered, last, ordered,
	}
}

func TestGroupsSpill(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 42), 2_500)
	s := scan(tab)
	id, user, region := col(s, "id"), col(s, "user"), col(s, "region")
	calls := spilledAggregates(s)
	sets := aggregate(s, []plan.Expr{user, region, id}, agg("count"), agg("sum", id))
	sets.Sets = [][]int{{0, 1}, {2}, {}}
	distinct := []plan.Aggregation{agg("count", id), agg("sum", id), agg("avg", id)}
	for i := range distinct {
		distinct[i].Distinct = true
	}
	several := []plan.Aggregation{agg("count", region), agg("count", id), agg("sum", id), agg("avg", col(s, "took")), agg("count"), agg("max", col(s, "ts"))}
	for i := range several[:4] {
		several[i].Distinct = true
	}
	several[4].Filter = call(">", col(s, "amount"), lit(0.0))
	for name, c := range map[string]struct {
		memory int64
		root   plan.Node
	}{
		"several":       {150 << 10, aggregate(s, nil, several...)},
		"distinct":      {100 << 10, aggregate(s, nil, distinct...)},
		"distinct of":   {150 << 10, aggregate(s, []plan.Expr{region}, distinct...)},
		"integers":      {400 << 10, aggregate(s, []plan.Expr{user}, calls...)},
		"text":          {500 << 10, aggregate(s, []plan.Expr{region, user}, calls...)},
		"many groups":   {100 << 10, aggregate(s, []plan.Expr{id}, agg("count"), agg("max", region))},
		"no aggregates": {150 << 10, aggregate(s, []plan.Expr{col(s, "took"), col(s, "amount"), id})},
		"sets":          {200 << 10, sets},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSpilled(t, tab, c.root, c.memory, false)
		})
	}
}

func TestJoinsSpill(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 43), 5_000)
	s := scan(tab)
	right := where(s, call(">", col(s, "id"), lit(700)))
	equal := func(name string) plan.Expr {
		other := *col(s, name).(*plan.ColumnRef)
		other.Index += len(s.Columns())
		return call("=", col(s, name), &other)
	}
	keyed := func(kind plan.JoinKind) *plan.Join {
		return &plan.Join{Left: s, Right: right, Kind: kind, On: []plan.Expr{equal("id"), equal("ok")}}
	}
	mark := func(test plan.Expr, on ...plan.Expr) *plan.Join {
		return &plan.Join{Left: s, Right: right, Kind: plan.MarkJoin, On: on, Test: test, Mark: "mark"}
	}
	for name, root := range map[string]plan.Node{
		"inner": keyed(plan.InnerJoin), "left": keyed(plan.LeftJoin), "right": keyed(plan.RightJoin), "full": keyed(plan.FullJoin),
		"single": keyed(plan.SingleJoin), "exists": mark(nil, equal("id")), "in": mark(equal("id")), "in with NULL": mark(equal("user")),
		"in of some": mark(equal("id"), equal("user")), "above": mark(call(">", col(s, "amount"), lit(0.0)), equal("id")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSpilled(t, tab, root, 400<<10, false)
		})
	}
}

func TestWindowsAndDistinctSpill(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 44), 5_000)
	s := scan(tab)
	id, user, amount := col(s, "id"), col(s, "user"), col(s, "amount")
	running := plan.Frame{Unit: plan.FrameRows, Start: plan.FrameBound{Kind: plan.UnboundedPreceding}, End: plan.FrameBound{Kind: plan.CurrentRow}}
	calls := []plan.WindowCall{windowFn("row_number"), windowFn("dense_rank"), aggregated(running, "max", amount)}
	below := windowOver(s, []plan.Expr{user, col(s, "ok")}, []plan.SortKey{asc(amount), asc(id)}, calls)
	above := windowOver(below, []plan.Expr{user, col(s, "ok")}, []plan.SortKey{asc(amount)}, []plan.WindowCall{windowFn("rank")})
	for name, root := range map[string]plan.Node{
		"window": below, "arranged": above,
		"distinct on": &plan.FirstRows{Input: s, By: []plan.Expr{user, col(s, "region")}, Keys: []plan.SortKey{desc(amount), asc(id)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireSpilled(t, tab, root, 900<<10, false)
		})
	}
}

func TestAsofJoinsSpill(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 45), 5_000)
	s := scan(tab)
	id, user, region := col(s, "id"), col(s, "user"), col(s, "region")
	right := sorted(where(s, call(">", col(s, "amount"), lit(0.0))), asc(id))
	for name, c := range map[string]struct {
		kind plan.JoinKind
		keys []plan.Expr
	}{
		"inner": {plan.InnerJoin, []plan.Expr{user}}, "left": {plan.LeftJoin, []plan.Expr{user}}, "two keys": {plan.LeftJoin, []plan.Expr{region, user}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := &plan.AsofJoin{Left: s, Right: right, Kind: c.kind, LeftKeys: c.keys, RightKeys: c.keys, LeftAt: id, RightAt: id, Op: ">"}
			requireSpilled(t, tab, root, 700<<10, false)
			requireSpilled(t, tab, root, 300<<10, false) // parts are divided further
		})
	}
}

// TestWindowsSpillInStretches holds windows of every kind that can be computed so, over partitions of all sizes, to their answers in memory. How
// much memory they need depends on how far their frames reach.
func TestWindowsSpillInStretches(t *testing.T) {
	t.Parallel()
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := newRand(t, seed)
			tab := newTable(rng, 3_000)
			c := windowCase{rng: rng, in: scan(tab)}
			order, loose := c.total(), c.loose()
			spilled := 0
			for i, n := range []*plan.Window{
				windowOver(c.in, nil, order, c.ofTotal(order)), windowOver(c.in, c.partition(), order, c.ofTotal(order)),
				windowOver(c.in, nil, loose, c.ofLoose(loose)), windowOver(c.in, c.partition(), loose, c.ofLoose(loose)),
				windowOver(c.in, nil, nil, c.aggregates(plan.WholePartition)),
			} {
				calls := exec.InStretches(n)
				rng.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
				calls = calls[:min(len(calls), 8)]
				if i < 2 { // of an order without peers
					calls = append(calls, windowFn("row_number"), windowFn("dense_rank"))
				}
				if requireStretches(t, rng, tab, windowOver(c.in, n.Partition, n.Order, calls)) {
					spilled++
				}
			}
			require.Greater(t, spilled, 2)
		})
	}
}

// requireStretches gives a window more and more memory until it is answered, and reports whether it had to spill then.
func requireStretches(t *testing.T, rng *rand.Rand, tab *table, root plan.Node) bool {
	t.Helper()
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	want, _, err := answer(exec.New(src, nil, exec.Options{}), root)
	require.NoError(t, err)
	sort.Strings(want)
	for memory := int64(300 << 10); ; memory *= 2 {
		options := exec.Options{Workers: 1 + rng.IntN(3), BatchRows: 50 + rng.IntN(400), MemoryBytes: memory, Spill: spillSpace(t)}
		got, stats, err := answer(exec.New(src, nil, options), root)
		if err != nil {
			requireCode(t, err, event.CodeMemoryLimit)
			continue
		}
		require.LessOrEqual(t, stats.PeakMemoryBytes, memory)
		sort.Strings(got)
		require.Equal(t, want, got, plan.Print(root))
		return stats.SpilledBytes > 0
	}
}
