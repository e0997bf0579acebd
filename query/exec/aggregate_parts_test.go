package exec_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestGroupsInParts holds what several workers merge part by part to what one finds alone, for keys and states of all kinds that come in parts, with
// several readers above and with one.
func TestGroupsInParts(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 51), 4_000)
	s := scan(tab)
	id, user, region, amount := col(s, "id"), col(s, "user"), col(s, "region"), col(s, "amount")
	name := call("||", region, &plan.Cast{Input: user, To: text}) // many texts, and NULLs
	filtered := agg("sum", user)
	filtered.Filter = call(">", amount, lit(0.0))
	calls := []plan.Aggregation{
		agg("count"), filtered, agg("avg", id), agg("min", amount), agg("max", col(s, "ts")), agg("bool_or", col(s, "ok")),
		agg("sum", id), agg("sum", amount), agg("min", col(s, "took")),
	}
	distinct := agg("count", user)
	distinct.Distinct = true
	for what, keys := range map[string][]plan.Expr{
		"integer": {user}, "text": {name}, "few texts": {region}, "double": {amount}, "text and integer": {name, user},
		"three": {region, amount, user}, "interval": {col(s, "took"), id},
	} {
		grouped := aggregate(s, keys, calls...)
		count := col(grouped, grouped.Names[len(keys)])
		for shape, root := range map[string]plan.Node{
			"sorted":  sorted(grouped, asc(count)),
			"again":   aggregate(grouped, []plan.Expr{count}, agg("count")),
			"alone":   grouped,
			"counted": aggregate(s, keys, distinct),
		} {
			t.Run(what+" "+shape, func(t *testing.T) {
				t.Parallel()
				source := func() *source {
					return &source{tables: map[string]*table{"t": tab}, rng: rand.New(rand.NewPCG(3, 5))}
				}
				want, _, err := answer(exec.New(source(), nil, exec.Options{Workers: 1}), root)
				require.NoError(t, err)
				sort.Strings(want)
				for _, options := range []exec.Options{{Workers: 2}, {Workers: 3, BatchRows: 50}, {Workers: 2, Spill: spillSpace(t)}} {
					e := exec.New(source(), nil, options)
					e.DivideAll()
					got, _, err := answer(e, root)
					require.NoError(t, err)
					sort.Strings(got)
					require.Equal(t, want, got, fmt.Sprintf("%+v", options))
				}
			})
		}
	}
}

// TestPartsHaveSeveralReaders: what is above works side by side as well.
func TestPartsHaveSeveralReaders(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 52), 2_000)
	s := scan(tab)
	grouped := aggregate(s, []plan.Expr{col(s, "id")}, agg("count"))
	listed := agg("string_agg", col(s, "region"), lit(","))
	for want, root := range map[int64]plan.Node{3: grouped, 1: aggregate(s, []plan.Expr{col(s, "id")}, listed)} {
		e := exec.New(&source{tables: map[string]*table{"t": tab}, rng: newRand(t, 53)}, nil, exec.Options{Workers: 3})
		e.DivideAll()
		result, err := e.Profile(t.Context(), root)
		require.NoError(t, err)
		require.NoError(t, drainResult(result))
		stats, _ := result.NodeStats(root)
		require.Equal(t, want, stats.Workers)
		require.EqualValues(t, 2_000, stats.Rows)
		require.NoError(t, result.Close())
	}
}
