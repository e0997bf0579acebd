package exec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/racing"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer runs a plan to its end.
func answer(e *exec.Engine, root plan.Node) ([]string, exec.Stats, error) {
	result, err := e.Run(context.Background(), root)
	if err != nil {
		return nil, exec.Stats{}, err
	}
	var rows []string
	for {
		batch, err := result.Next()
		if errors.Is(err, io.EOF) {
			stats := result.Stats()
			return rows, stats, result.Close()
		}
		if err != nil {
			return nil, exec.Stats{}, errors.Join(err, result.Close())
		}
		for i := range batch.Rows {
			rows = append(rows, renderRow(batch.Columns, i))
		}
	}
}

// question is a plan with what its answer promises about order.
type question struct {
	name    string
	root    plan.Node
	ordered bool
}

// questions are plans over a random table that use every operator, alone and stacked.
func questions(t *table) []question {
	s := scan(t)
	id, ts, region, user := col(s, "id"), col(s, "ts"), col(s, "region"), col(s, "user")
	amount, ok, took := col(s, "amount"), col(s, "ok"), col(s, "took")
	bucket := call("time_bucket", lit(arrow.MonthDayNanoInterval{Nanoseconds: 60e9}), ts)
	positive := call(">", amount, lit(0.0))
	everything := []plan.Aggregation{
		agg("count"), agg("count", region), agg("count", took), agg("sum", user), agg("avg", user), agg("min", user), agg("max", user),
		agg("min", region), agg("max", region), agg("min", amount), agg("max", amount), agg("min", ts), agg("max", ts),
		agg("min", ok), agg("max", ok), agg("max", took),
	}
	filtered := agg("count", region)
	filtered.Filter = positive
	filteredAll := agg("count")
	filteredAll.Filter = call("<", amount, lit(-1e9))
	byRegion := aggregate(s, []plan.Expr{region}, agg("count"), agg("max", id))
	byUser := aggregate(where(s, call("is_not_null", user)), []plan.Expr{user}, agg("count"), agg("sum", id))
	byBucket := aggregate(s, []plan.Expr{bucket, region}, agg("count"), agg("max", id))
	all := []question{
		{name: "scan", root: s},
		{name: "filter", root: where(s, positive, call("<>", amount, lit(2.0)), call(">", call("/", lit(1.0), amount), lit(0.01)))},
		{name: "filter like", root: where(s, call("like", region, lit("a longer%")))},
		{name: "nothing", root: where(s, call("<", id, lit(-1)))},
		{name: "project", root: project(where(s, ok), call("+", id, lit(1)), call("||", region, lit("!")), lit("same"))},
		{name: "global", root: aggregate(s, nil, everything...)},
		{name: "global over nothing", root: aggregate(where(s, call("<", id, lit(-1))), nil, everything...)},
		{name: "by statistics", root: aggregate(s, nil,
			agg("count"), agg("count", region), agg("min", ts), agg("max", id), agg("min", user), agg("max", user))},
		{name: "by statistics of some", root: aggregate(where(s, call(">=", ts, thirdTime(t))), nil,
			agg("count"), agg("count", user), agg("min", id), agg("max", ts))},
		{name: "by statistics of none", root: aggregate(where(s, call("<", id, lit(-1))), nil, agg("count"), agg("min", ts), agg("max", user))},
		{name: "group over nothing", root: aggregate(where(s, call("<", id, lit(-1))), []plan.Expr{region}, agg("count"))},
		{name: "by text", root: aggregate(s, []plan.Expr{region}, append(everything, filtered, filteredAll)...)},
		{name: "by bigint", root: aggregate(s, []plan.Expr{user}, everything...)},
		{name: "by double", root: aggregate(s, []plan.Expr{amount}, agg("count"))},
		{name: "by boolean", root: aggregate(s, []plan.Expr{ok}, filtered, agg("count"))},
		{name: "by interval", root: aggregate(s, []plan.Expr{took}, agg("count"))},
		{name: "by bucket and text", root: aggregate(s, []plan.Expr{bucket, region}, agg("count"), agg("max", id))},
		{name: "by four", root: aggregate(s, []plan.Expr{ok, region, user, bucket}, agg("count"), agg("sum", id))},
		{name: "by constant", root: aggregate(s, []plan.Expr{lit("x")}, agg("count"), agg("max", lit(3)), agg("sum", lit(2)))},
		{name: "aggregate twice", root: aggregate(byUser,
			[]plan.Expr{col(byUser, "count(*)")}, agg("count"), agg("sum", &plan.Cast{Input: col(byUser, "sum(id)"), To: bigint}))},
		{name: "having", root: where(byRegion, call(">", col(byRegion, "max(id)"), lit(20)))},
		{name: "order", root: sorted(s, asc(region), desc(amount), asc(id)), ordered: true},
		{name: "order by time", root: sorted(s, desc(ts), asc(id)), ordered: true},
		{name: "order by the rest", root: sorted(s, plan.SortKey{Expr: took, NullsFirst: true}, asc(ok), desc(user), asc(id)), ordered: true},
		{name: "top", root: &plan.Limit{Input: sorted(s, desc(amount), asc(id)), Count: 7, Offset: 3}, ordered: true},
		{name: "top through projection", root: &plan.Limit{
			Input: project(sorted(s, asc(region), desc(id)), id, region), Count: 40,
		}, ordered: true},
		{name: "top groups", root: &plan.Limit{
			Input: sorted(byRegion, desc(col(byRegion, "count(*)")), asc(col(byRegion, "region"))), Count: 3,
		}, ordered: true},
		{name: "latest buckets", root: &plan.Limit{
			Input: sorted(byBucket, desc(col(byBucket, bucket.String())), asc(col(byBucket, "region"))), Count: 3, Offset: 2,
		}, ordered: true},
		{name: "latest buckets of some", root: &plan.Limit{Input: sorted(
			where(byBucket, call(">", col(byBucket, "count(*)"), lit(1))), desc(col(byBucket, bucket.String())), asc(col(byBucket, "region"))), Count: 4,
		}, ordered: true},
		{name: "newest of each text", root: &plan.FirstRows{Input: s, By: []plan.Expr{region}, Keys: []plan.SortKey{desc(ts), desc(id)}}},
		{name: "newest of each number", root: &plan.FirstRows{Input: s, By: []plan.Expr{user}, Keys: []plan.SortKey{asc(user), desc(ts), asc(id)}}},
		{name: "oldest of each of some", root: &plan.FirstRows{
			Input: where(s, positive), By: []plan.Expr{region}, Keys: []plan.SortKey{asc(ts), asc(id)},
		}},
		{name: "newest of each pair", root: &plan.FirstRows{Input: s, By: []plan.Expr{region, ok}, Keys: []plan.SortKey{desc(ts), asc(id)}}},
		{name: "newest through a projection", root: newestProjected(s)},
		{name: "offset", root: &plan.Limit{Input: sorted(s, asc(id)), Count: -1, Offset: 5}, ordered: true},
		{name: "count of a part", root: aggregate(&plan.Limit{Input: s, Count: 10, Offset: 2}, nil, agg("count"))},
		{name: "no rows wanted", root: &plan.Limit{Input: sorted(s, asc(id)), Count: 0}},
		{name: "filter over sort", root: where(project(sorted(s, asc(id)), id, amount),
			call(">", &plan.ColumnRef{Index: 1, Typ: double}, lit(10.0)))},
	}
	return all
}

// newestProjected keeps the newest row of each region, which stands elsewhere than in the scan.
func newestProjected(s *plan.Scan) plan.Node {
	p := project(s, col(s, "region"), col(s, "id"), col(s, "ts"))
	at := func(i int) plan.Expr {
		c := p.Columns()[i]
		return &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}
	}
	return &plan.FirstRows{Input: p, By: []plan.Expr{at(0)}, Keys: []plan.SortKey{desc(at(2)), asc(at(1))}}
}

// thirdTime is the time of a row at a third of a table, which divides its morsels.
func thirdTime(t *table) plan.Expr {
	if t.rows == 0 {
		return &plan.Literal{Value: event.NewTimestamps([]int64{0}, nil), Typ: timestamptz}
	}
	at := int64(t.rows / 3)
	return &plan.Literal{Value: array.NewSlice(t.columns[1], at, at+1), Typ: timestamptz}
}

// TestAnswers asks every question in many ways: however many workers, however the rows are cut into batches and morsels, with and
// without the optimizer, the answer is the one that the reference computes row by row. Under the race detector tables are smaller.
func TestAnswers(t *testing.T) {
	t.Parallel()
	rows := []int{0, 1, 50, 300, 700, 1500}
	if racing.Less() {
		rows = []int{0, 1, 50, 120, 200, 300}
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := newRand(t, seed)
			tab := newTable(rng, rows[seed])
			for _, q := range questions(tab) {
				want := canonical(reference{tab}.run(q.root), q.ordered)
				for range 4 {
					askOnce(t, rng, tab, q, want)
				}
			}
		})
	}
}

func canonical(rows []row, ordered bool) []string {
	var out []string
	for _, r := range rows {
		out = append(out, renderRow(r, 0))
	}
	if !ordered {
		sort.Strings(out)
	}
	return out
}

func askOnce(t *testing.T, rng *rand.Rand, tab *table, q question, want []string) {
	t.Helper()
	options := exec.Options{
		Workers:   []int{1, 2, 4}[rng.IntN(3)],
		BatchRows: []int{1, 2, 7, 64, 1000, 64 << 10}[rng.IntN(6)],
	}
	root, optimized := q.root, rng.IntN(2) == 0
	if optimized {
		var err error
		root, err = optimize.Optimize(root)
		require.NoError(t, err)
		require.Equal(t, q.root.Columns(), root.Columns(), q.name)
	}
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	if rng.IntN(3) == 0 {
		options.MemoryBytes, options.Spill = 4<<10, spillSpace(t)
	}
	divides := rng.IntN(2) == 0
	engine := func() *exec.Engine {
		e := exec.New(src, nil, options)
		if divides {
			e.DivideAll()
			e.TryPairsUpTo(0)
			e.AnswerAloneUpTo(0)
		}
		return e
	}
	got, _, err := answer(engine(), root)
	for e := (*event.Error)(nil); options.Spill != nil && errors.As(err, &e) && e.Code == event.CodeMemoryLimit; {
		require.Zero(t, src.open, "a snapshot was left open")
		options.MemoryBytes *= 2 // until there is just enough, which is where most is spilled
		got, _, err = answer(engine(), root)
	}
	require.NoError(t, err, "%s %+v", q.name, options)
	if !q.ordered {
		sort.Strings(got)
	}
	require.Equal(t, want, got, "%s: %+v optimized=%v divides=%v\n%s", q.name, options, optimized, divides, plan.Print(root))
	require.Zero(t, src.open, "a snapshot was left open")
}

func TestOneWorkerIsDeterministic(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 7)
	tab := newTable(rng, 500)
	for _, q := range questions(tab) {
		var first []string
		for i := range 3 {
			src := &source{tables: map[string]*table{"t": tab}, rng: rand.New(rand.NewPCG(1, 1))}
			got, _, err := answer(exec.New(src, nil, exec.Options{Workers: 1, BatchRows: 64}), q.root)
			require.NoError(t, err)
			if i == 0 {
				first = got
			}
			require.Equal(t, first, got, q.name)
		}
	}
}

func TestStatsCountWhatWasRead(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 8)
	tab := newTable(rng, 1000)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	s := scan(tab)
	root := aggregate(where(s, call("<", col(s, "id"), lit(10))), []plan.Expr{col(s, "user")}, agg("count"))
	_, stats, err := answer(exec.New(src, nil, exec.Options{}), root)
	require.NoError(t, err)
	require.EqualValues(t, 1000, stats.RowsScanned)
	require.EqualValues(t, 8000, stats.BytesScanned)
	require.Equal(t, 1, stats.SegmentsScanned)
	require.Equal(t, 2, stats.SegmentsPruned)
	require.Positive(t, stats.PeakMemoryBytes)
}

func TestNowIsFixedAndPrunes(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 9)
	tab := newTable(rng, 100)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	now := time.UnixMicro(1_790_000_000_000_000)
	s := scan(tab)
	recent := call(">=", col(s, "ts"), call("-", call("now"), lit(arrow.MonthDayNanoInterval{Nanoseconds: 3600e9})))
	root, err := optimize.Optimize(where(s, recent))
	require.NoError(t, err)
	got, _, err := answer(exec.New(src, nil, exec.Options{Now: func() time.Time { return now }}), root)
	require.NoError(t, err)
	require.Len(t, got, 100)
	require.Len(t, src.requests, 1)
	require.Len(t, src.requests[0].Ranges, 1)
	require.Equal(t, now.Add(-time.Hour).UnixMicro(), timeOf(src.requests[0].Ranges[0].Low))
}
