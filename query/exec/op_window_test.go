package exec_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowCase is a window over a random table with every call that its order lets have one answer only.
type windowCase struct {
	rng *rand.Rand
	in  plan.Node
}

// windowFn is a window function's overload by name and argument types.
func windowFn(name string, args ...plan.Expr) plan.WindowCall {
	return plan.WindowCall{Fn: overload(name, false, args), Args: args, Frame: plan.WholePartition}
}

func framed(c plan.WindowCall, f plan.Frame) plan.WindowCall {
	c.Frame = f
	return c
}

func aggregated(f plan.Frame, name string, args ...plan.Expr) plan.WindowCall {
	a := agg(name, args...)
	return plan.WindowCall{Fn: a.Fn, Args: a.Args, Frame: f}
}

// partition picks some keys, of which one may be computed.
func (c windowCase) partition() []plan.Expr {
	all := []plan.Expr{col(c.in, "region"), col(c.in, "ok"), call("%", col(c.in, "user"), lit(4)), col(c.in, "took"), col(c.in, "amount")}
	c.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:c.rng.IntN(3)]
}

func (c windowCase) key(name string) plan.SortKey {
	return plan.SortKey{Expr: col(c.in, name), Descending: c.rng.IntN(2) == 0, NullsFirst: c.rng.IntN(2) == 0}
}

// total is an order without peers, loose one in which rows can be equal, by one key.
func (c windowCase) total() []plan.SortKey {
	names := []string{"ts", "region", "user", "amount", "ok", "took"}
	var out []plan.SortKey
	for range c.rng.IntN(3) {
		out = append(out, c.key(names[c.rng.IntN(len(names))]))
	}
	return append(out, c.key("id"))
}

func (c windowCase) loose() []plan.SortKey {
	return []plan.SortKey{c.key([]string{"region", "user", "amount", "ts"}[c.rng.IntN(4)])}
}

// frame makes a frame whose start is not after its end.
func (c windowCase) frame(unit plan.FrameUnit, order []plan.SortKey) plan.Frame {
	for {
		f := plan.Frame{Unit: unit, Start: c.bound(unit, order), End: c.bound(unit, order), Exclude: plan.FrameExclusion(c.rng.IntN(4))}
		if f.Start.Kind <= f.End.Kind && f.Start.Kind != plan.UnboundedFollowing && f.End.Kind != plan.UnboundedPreceding {
			return f
		}
	}
}

func (c windowCase) bound(unit plan.FrameUnit, order []plan.SortKey) plan.FrameBound {
	b := plan.FrameBound{Kind: plan.BoundKind(c.rng.IntN(5))}
	if b.Kind != plan.Preceding && b.Kind != plan.Following {
		return b
	}
	if unit != plan.FrameRange {
		b.Offset = lit(c.rng.IntN(6)).(*plan.Literal)
		return b
	}
	if len(order) == 1 {
		spans := []arrow.MonthDayNanoInterval{{Nanoseconds: 3e9}, {Nanoseconds: 20e9}, {Months: 1}, {}, {Days: 1}}
		offsets := map[event.Kind]plan.Expr{
			event.BigInt: lit(c.rng.IntN(10)), event.Double: lit(float64(c.rng.IntN(1000)) / 4), event.TimestampTZ: lit(spans[c.rng.IntN(len(spans))]),
		}
		if offset, ok := offsets[order[0].Expr.Type().Kind]; ok {
			b.Offset = offset.(*plan.Literal)
			return b
		}
	}
	b.Kind = plan.CurrentRow
	return b
}

// ofTotal are calls that may depend on the order of all rows.
func (c windowCase) ofTotal(order []plan.SortKey) []plan.WindowCall {
	id, region, user, amount := col(c.in, "id"), col(c.in, "region"), col(c.in, "user"), col(c.in, "amount")
	near := call("-", call("%", user, lit(4)), lit(1))
	out := []plan.WindowCall{
		windowFn("row_number"), windowFn("ntile", lit(1+c.rng.IntN(5))), windowFn("lag", region), windowFn("lead", region, near),
		windowFn("lag", amount, lit(c.rng.IntN(4)), col(c.in, "amount")), windowFn("lead", id, lit(2), lit(-1)),
	}
	for range 4 {
		unit := plan.FrameUnit(c.rng.IntN(3))
		f := c.frame(unit, order)
		filtered := aggregated(f, "sum", id)
		filtered.Filter = call(">", amount, lit(0.0))
		out = append(out, framed(windowFn("first_value", region), f), framed(windowFn("last_value", amount), f),
			framed(windowFn("nth_value", user, lit(1+c.rng.IntN(3))), f), filtered,
			framed(windowFn("nth_value", region, call("+", call("%", id, lit(3)), lit(1))), f))
		out = append(out, c.aggregates(f)...)
	}
	for i := range out {
		out[i].IgnoreNulls = out[i].Fn.FetchesValue() && c.rng.IntN(2) == 0
	}
	return out
}

// ofLoose are calls whose answer is the same however equal rows lie.
func (c windowCase) ofLoose(order []plan.SortKey) []plan.WindowCall {
	out := []plan.WindowCall{windowFn("rank"), windowFn("dense_rank"), windowFn("percent_rank"), windowFn("cume_dist")}
	for range 4 {
		out = append(out, c.aggregates(c.frame([]plan.FrameUnit{plan.FrameRange, plan.FrameGroups}[c.rng.IntN(2)], order))...)
	}
	return out
}

func (c windowCase) aggregates(f plan.Frame) []plan.WindowCall {
	distinct := func(call plan.WindowCall) plan.WindowCall {
		call.Distinct = true
		return call
	}
	few := distinct(aggregated(f, "sum", call("%", col(c.in, "user"), lit(3))))
	few.Filter = call(">", col(c.in, "amount"), lit(0.0))
	return []plan.WindowCall{
		few, distinct(aggregated(f, "count", col(c.in, "region"))), distinct(aggregated(f, "avg", call("%", col(c.in, "user"), lit(5)))),
		aggregated(f, "count"), aggregated(f, "count", col(c.in, "region")), aggregated(f, "sum", col(c.in, "user")),
		aggregated(f, "avg", col(c.in, "user")), aggregated(f, "sum", col(c.in, "amount")), aggregated(f, "min", col(c.in, "amount")),
		aggregated(f, "max", col(c.in, "region")), aggregated(f, "max", col(c.in, "ts")), aggregated(f, "min", col(c.in, "took")),
		aggregated(f, "max", col(c.in, "ok")),
	}
}

func windowOver(in plan.Node, partition []plan.Expr, order []plan.SortKey, calls []plan.WindowCall) *plan.Window {
	n := &plan.Window{Input: in, Partition: partition, Order: order, Calls: calls}
	for i, c := range calls {
		n.Names = append(n.Names, fmt.Sprintf("%s %d", c.Fn.Name, i))
	}
	return n
}

// TestWindowsAgreeWithTheReference runs random windows, alone, stacked so that one sort serves several, and below other operators.
func TestWindowsAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	for range 16 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := newRand(t, seed)
			rows := newTable(rng, []int{0, 1, 9, 30, 45}[rng.IntN(5)])
			c := windowCase{rng: rng, in: scan(rows)}
			order, keys := c.total(), c.partition()
			total := windowOver(c.in, keys, order, c.ofTotal(order))
			if len(order) > 1 { // RANGE with an offset goes by the only key of an order, ties are none of it
				tied := windowOver(c.in, keys, order, c.ofTotal(order[:1]))
				tied.Ties = len(order) - 1
				requireReference(t, rng, rows, tied)
			}
			same := windowOver(total, keys, order[:rng.IntN(len(order)+1)], []plan.WindowCall{windowFn("rank"), windowFn("cume_dist")})
			roots := []plan.Node{
				total, same,
				project(where(same, call("=", col(same, "rank 0"), lit(1))), col(same, "id"), col(same, "row_number 0")),
				where(windowOver(c.in, []plan.Expr{col(c.in, "region")}, nil, c.aggregates(plan.WholePartition)),
					call("=", col(c.in, "region"), lit("eu"))),
			}
			for range 3 {
				loose := c.loose()
				roots = append(roots, windowOver(c.in, c.partition(), loose, c.ofLoose(loose)))
			}
			for _, root := range roots {
				requireReference(t, rng, rows, root)
			}
		})
	}
}

func requireReference(t *testing.T, rng *rand.Rand, rows *table, root plan.Node) {
	t.Helper()
	var want []string
	for _, r := range (reference{rows}).run(root) {
		want = append(want, renderRow(r, 0))
	}
	sort.Strings(want)
	optimized, err := optimize.Optimize(root)
	require.NoError(t, err)
	for _, n := range []plan.Node{root, optimized} {
		source := &source{tables: map[string]*table{"t": rows}, rng: rng}
		e := exec.New(source, nil, exec.Options{Workers: 1 + rng.IntN(3), BatchRows: 1 + rng.IntN(30), Now: time.Now})
		got, _, err := answer(e, n)
		require.NoError(t, err)
		sort.Strings(got)
		require.Equal(t, want, got, plan.Print(n))
		require.Zero(t, source.open)
	}
}

// TestWindowsOrderByNothingButNULL orders batches by a text of which they have no value at all.
func TestWindowsOrderByNothingButNULL(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 12)
	rows := newTable(rng, 40)
	rows.columns[2] = event.NewNulls(text, rows.rows) // the region
	in := scan(rows)
	for range 20 { // texts are plain or dictionaries as it falls out
		requireReference(t, rng, rows, windowOver(in, nil, []plan.SortKey{asc(col(in, "region")), asc(col(in, "id"))},
			[]plan.WindowCall{windowFn("row_number")}))
	}
}

// TestWindowKeepsItsOrder: the rows of one reader come partition after partition, each in order, which windows above rely on.
func TestWindowKeepsItsOrder(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 5)
	rows := newTable(rng, 200)
	in := scan(rows)
	n := windowOver(in, []plan.Expr{col(in, "region")}, []plan.SortKey{desc(col(in, "ts")), asc(col(in, "id"))}, []plan.WindowCall{windowFn("row_number")})
	e := exec.New(&source{tables: map[string]*table{"t": rows}, rng: rng}, nil, exec.Options{Workers: 1, BatchRows: 7})
	got, _, err := answer(e, project(n, col(n, "row_number 0")))
	require.NoError(t, err)
	for i, row := range got {
		if row != "|1" {
			var before, now int
			_, err := fmt.Sscanf(got[i-1]+row, "|%d|%d", &before, &now)
			require.NoError(t, err)
			require.Equal(t, before+1, now)
		}
	}
}

func TestWindowAsksItsBudget(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 6)
	rows := newTable(rng, 5000)
	in := scan(rows)
	source := &source{tables: map[string]*table{"t": rows}, rng: rng}
	whole := plan.Frame{Unit: plan.FrameRows, Start: plan.FrameBound{Kind: plan.UnboundedPreceding}, End: plan.FrameBound{Kind: plan.CurrentRow}}
	for _, calls := range [][]plan.WindowCall{{windowFn("row_number")}, {aggregated(whole, "sum", col(in, "amount"))}} {
		n := windowOver(in, nil, []plan.SortKey{asc(col(in, "id"))}, calls)
		_, _, err := answer(exec.New(source, nil, exec.Options{MemoryBytes: 100 << 10}), n)
		requireCode(t, err, event.CodeMemoryLimit)
		_, stats, err := answer(exec.New(source, nil, exec.Options{}), n)
		require.NoError(t, err)
		require.Greater(t, stats.PeakMemoryBytes, int64(5000*64))
	}
}

// TestWindowComputesPartByPart: of many partitions only those in work take more memory than their rows, and readers that have no room side by
// side wait for each other.
func TestWindowComputesPartByPart(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 9)
	rows := newTable(rng, 8_000)
	in := scan(rows)
	source := &source{tables: map[string]*table{"t": rows}, rng: rng}
	running := plan.Frame{Unit: plan.FrameRows, Start: plan.FrameBound{Kind: plan.UnboundedPreceding}, End: plan.FrameBound{Kind: plan.CurrentRow}}
	sumBy := func(partition ...plan.Expr) plan.Node {
		n := windowOver(in, partition, []plan.SortKey{asc(col(in, "id"))}, []plan.WindowCall{aggregated(running, "sum", col(in, "user"))})
		return project(n, col(n, "id"), col(n, "sum 0"))
	}
	run := func(n plan.Node, workers int, memory int64) ([]string, int64, error) {
		got, stats, err := answer(exec.New(source, nil, exec.Options{Workers: workers, BatchRows: 64, MemoryBytes: memory}), n)
		sort.Strings(got)
		return got, stats.PeakMemoryBytes, err
	}
	_, together, err := run(sumBy(), 4, 1<<30)
	require.NoError(t, err)
	byID := sumBy(call("%", col(in, "id"), lit(200)))
	want, divided, err := run(byID, 1, 1<<30)
	require.NoError(t, err)
	require.Less(t, divided, together/2)
	for memory, fits := divided/2, false; !fits; memory += divided / 16 {
		got, peak, err := run(byID, 4, memory)
		require.LessOrEqual(t, peak, memory)
		if fits = err == nil; fits {
			require.Equal(t, want, got)
			continue
		}
		requireCode(t, err, event.CodeMemoryLimit)
		require.Less(t, memory, 2*divided)
	}
}

func TestWindowFunctionsRefuseWhatHasNoMeaning(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 7)
	rows := newTable(rng, 10)
	in := scan(rows)
	source := &source{tables: map[string]*table{"t": rows}, rng: rng}
	for _, c := range []plan.WindowCall{windowFn("ntile", lit(0)), windowFn("nth_value", col(in, "id"), lit(0))} {
		_, _, err := answer(exec.New(source, nil, exec.Options{}), windowOver(in, nil, nil, []plan.WindowCall{c}))
		requireCode(t, err, event.CodeInvalidValue)
	}
}

// TestAssignAgreesWithItsDefinition holds windows of fixed size against the buckets that they are made of.
func TestAssignAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 8)
	rows := newTable(rng, 300)
	in := scan(rows)
	ts := col(in, "ts")
	minute, month := int64(60e9), arrow.MonthDayNanoInterval{Months: 1}
	for _, c := range []struct {
		kind       plan.AssignKind
		step, size arrow.MonthDayNanoInterval
		copies     int
	}{
		{plan.Tumble, month, month, 1}, {plan.Tumble, arrow.MonthDayNanoInterval{Nanoseconds: minute}, arrow.MonthDayNanoInterval{Nanoseconds: minute}, 1},
		{plan.Hop, arrow.MonthDayNanoInterval{Nanoseconds: minute}, arrow.MonthDayNanoInterval{Nanoseconds: 5 * minute}, 5},
		{plan.Hop, month, arrow.MonthDayNanoInterval{Months: 3}, 3},
	} {
		n := &plan.Assign{Input: in, Kind: c.kind, Time: ts, Size: lit(c.size).(*plan.Literal), Names: [2]string{"from", "to"}}
		if c.kind != plan.Tumble {
			n.Step = lit(c.step).(*plan.Literal)
		}
		source := &source{tables: map[string]*table{"t": rows}, rng: rng}
		e := exec.New(source, nil, exec.Options{Workers: 2, BatchRows: 13})
		inside := where(n, call(">=", ts, col(n, "from")), call("<", ts, col(n, "to")),
			call("=", col(n, "from"), call("time_bucket", lit(c.step), col(n, "from"))),
			call("=", col(n, "to"), call("+", col(n, "from"), lit(c.size))))
		once := aggregate(inside, []plan.Expr{col(n, "id"), col(n, "from")}, agg("count"))
		perRow := aggregate(once, []plan.Expr{col(once, "id")}, agg("count"), agg("max", col(once, "count(*)")))
		got, _, err := answer(e, aggregate(perRow, []plan.Expr{col(perRow, "count(*)"), col(perRow, "max(count(*))")}, agg("count")))
		require.NoError(t, err)
		require.Equal(t, []string{fmt.Sprintf("|%d|1|300", c.copies)}, got)
	}
}
