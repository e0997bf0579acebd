package exec_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestRangeJoins compares joins by ranges with the same joins that try all pairs: every kind, comparisons of every type that has an order,
// alone, two or more at once, beside equalities and other conditions.
func TestRangeJoins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		tab := newTable(rng, rapid.SampledFrom([]int{0, 1, 2, 17, 70, 150}).Draw(t, "rows"))
		join := drawRangeJoin(t, tab)
		src := &source{tables: map[string]*table{"t": tab}, rng: rng}
		ask := func(tryUpTo int, options exec.Options) []string {
			e := exec.New(src, nil, options)
			e.TryPairsUpTo(tryUpTo)
			rows, _, err := answer(e, join)
			require.NoError(t, err)
			sort.Strings(rows)
			return rows
		}
		options := exec.Options{
			Workers: rapid.IntRange(1, 4).Draw(t, "workers"), BatchRows: rapid.SampledFrom([]int{1, 3, 64, 4096}).Draw(t, "batch"),
		}
		require.Equal(t, ask(math.MaxInt, exec.Options{}), ask(0, options), plan.Print(join))
	})
}

// TestRangeJoinFailsForPairsOnly asks joins whose ranges cannot be computed for all rows: they fail where a pair asks for one, and
// only there.
func TestRangeJoinFailsForPairsOnly(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 5)
	tab := newTable(rng, 40)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	s := scan(tab)
	id, other := col(s, "id"), moved(col(s, "id"), len(s.Columns()))
	beyond := func(e plan.Expr) plan.Expr { return call("+", e, lit(math.MaxInt64-20)) } // of the rows from 21 on
	for name, e := range map[string]plan.Expr{
		"left": call("<", beyond(id), other), "right": call("<", id, beyond(other)), "both": call(">=", beyond(id), beyond(other)),
	} {
		ask := func(conditions ...plan.Expr) ([]string, error) {
			engine := exec.New(src, nil, exec.Options{BatchRows: 16})
			engine.TryPairsUpTo(0)
			rows, _, err := answer(engine, &plan.Join{Left: s, Right: s, Kind: plan.InnerJoin, On: conditions})
			return rows, err
		}
		_, err := ask(e)
		requireCode(t, err, event.CodeInvalidValue)
		small := []plan.Expr{call("=", call("<", id, lit(20)), call("<", other, lit(20))), call("<", id, lit(20)), e}
		rows, err := ask(small...)
		require.NoError(t, err, name)
		require.Len(t, rows, map[string]int{"left": 0, "right": 400, "both": 210}[name], name)
	}
}

// TestRangeJoinAsksTheBudget has no room to index the build side, which cannot be divided without an equality.
func TestRangeJoinAsksTheBudget(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 6)
	tab := newTable(rng, 2000)
	s := scan(tab)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	join := &plan.Join{Left: s, Right: s, Kind: plan.InnerJoin, On: []plan.Expr{call("<", col(s, "id"), moved(col(s, "id"), len(s.Columns())))}}
	_, _, err := answer(exec.New(src, nil, exec.Options{MemoryBytes: 128 << 10, Spill: spillSpace(t)}), join)
	require.Contains(t, requireCode(t, err, event.CodeMemoryLimit).Detail, "JOIN needs")
}

// TestRangeJoinStops runs out of time amid pairs of which the other condition keeps none.
func TestRangeJoinStops(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	s := scan(tab)
	id, other := col(s, "id"), moved(col(s, "id"), len(s.Columns()))
	never := call("<", call("+", id, other), lit(0))
	join := &plan.Join{Left: s, Right: &plan.Repeat{Input: s, Times: lit(1 << 14)}, Kind: plan.InnerJoin, On: []plan.Expr{call("<=", id, other), never}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	result, err := exec.New(src, nil, exec.Options{}).Run(ctx, join)
	require.NoError(t, err)
	requireCode(t, drainResult(result), event.CodeTimeout)
	require.NoError(t, result.Close())
}

// TestApplyStops runs out of time within a query that runs for one row after another, and within one for many rows at once.
func TestApplyStops(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	s := scan(tab)
	outer := &plan.OuterRef{Name: "id", Typ: bigint}
	many := where(&plan.Repeat{Input: s, Times: lit(1 << 14)}, call("<", call("+", col(s, "id"), outer), lit(0)))
	apply := &plan.Apply{Left: s, Right: project(aggregate(many, nil, agg("count")), lit(1)), Kind: plan.SingleJoin, Args: []plan.Expr{col(s, "id")}}
	atOnce, err := optimize.Optimize(apply)
	require.NoError(t, err)
	require.Contains(t, plan.Print(atOnce), "at_once=#-1")
	for _, root := range []plan.Node{apply, atOnce} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		result, err := exec.New(src, nil, exec.Options{}).Run(ctx, root)
		require.NoError(t, err)
		requireCode(t, drainResult(result), event.CodeTimeout)
		require.NoError(t, result.Close())
		cancel()
	}
}

// drawRangeJoin makes a join of the rows before one id with those from another on.
func drawRangeJoin(t *rapid.T, tab *table) *plan.Join {
	s := scan(tab)
	width := len(s.Columns())
	before, from := rapid.IntRange(0, tab.rows).Draw(t, "before"), rapid.IntRange(0, tab.rows).Draw(t, "from")
	out := &plan.Join{
		Left: where(s, call("<", col(s, "id"), lit(before))), Right: where(s, call(">=", col(s, "id"), lit(from))), Mark: "mark",
		Kind: rapid.SampledFrom([]plan.JoinKind{plan.InnerJoin, plan.LeftJoin, plan.RightJoin, plan.FullJoin, plan.MarkJoin}).Draw(t, "kind"),
	}
	for range rapid.IntRange(1, 4).Draw(t, "ranges") {
		out.On = append(out.On, drawRange(t, s))
	}
	if rapid.IntRange(0, 2).Draw(t, "equality") == 0 {
		out.On = append(out.On, call("=", col(s, "region"), moved(col(s, "region"), width)))
	}
	if rapid.IntRange(0, 3).Draw(t, "other") == 0 {
		out.On = append(out.On, call("<>", col(s, "user"), moved(col(s, "user"), width)))
	}
	if out.Kind == plan.MarkJoin && rapid.Bool().Draw(t, "test") {
		out.Test = drawRange(t, s)
	}
	out.On = rapid.Permutation(out.On).Draw(t, "order")
	return out
}

// drawRange compares a value of both sides by order.
func drawRange(t *rapid.T, s *plan.Scan) plan.Expr {
	user, amount := col(s, "user"), col(s, "amount")
	of := func(input plan.Expr, to event.Type) plan.Expr { return &plan.Cast{Input: input, To: to} }
	number := func(scale int32) plan.Expr {
		return of(user, event.Type{Kind: event.Numeric, Precision: 12, Scale: scale})
	}
	alike := rapid.SampledFrom([][]plan.Expr{
		{col(s, "id"), user, call("+", user, lit(3)), call("-", user, lit(2))},
		{col(s, "ts")}, {col(s, "region")}, {amount, call("+", amount, lit(40.0)), of(user, double)}, {col(s, "ok")}, {col(s, "took")},
		{number(0), number(3)}, {of(user, event.Type{Kind: event.SmallInt})}, {of(user, event.Type{Kind: event.Integer})},
		{of(amount, event.Type{Kind: event.Real})}, {of(col(s, "ts"), event.Type{Kind: event.Date})},
		{of(col(s, "region"), event.Type{Kind: event.Bytea})},
		{call("+", user, &plan.Literal{Value: event.NewNulls(bigint, 1), Typ: bigint}), col(s, "id")},
	}).Draw(t, "type")
	a := rapid.SampledFrom(alike).Draw(t, "left")
	b := moved(rapid.SampledFrom(alike).Draw(t, "right"), len(s.Columns()))
	if rapid.Bool().Draw(t, "turned") {
		a, b = b, a
	}
	return compared(rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "op"), a, b)
}

// compared is a comparison of two values of a kind.
func compared(op string, a, b plan.Expr) plan.Expr {
	for _, f := range plan.Functions[op] {
		if f.Args[0].Kind == a.Type().Kind && f.Args[1].Kind == b.Type().Kind {
			return &plan.Call{Fn: plan.Concrete(f, []event.Type{a.Type(), b.Type()}), Args: []plan.Expr{a, b}}
		}
	}
	panic("no " + op + " of " + a.Type().String())
}

// moved is an expression over the columns of a join's right side.
func moved(e plan.Expr, by int) plan.Expr {
	switch e := e.(type) {
	case *plan.ColumnRef:
		return &plan.ColumnRef{Index: e.Index + by, Name: e.Name, Typ: e.Typ}
	case *plan.Cast:
		return &plan.Cast{Input: moved(e.Input, by), To: e.To}
	case *plan.Call:
		args := make([]plan.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = moved(a, by)
		}
		return &plan.Call{Fn: e.Fn, Args: args}
	default:
		return e
	}
}
