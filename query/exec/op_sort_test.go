package exec_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestTopIsTheStartOfTheSort takes limits on both sides of the number of rows at which a top-n throws rows away, with first
// keys in ascending, descending and random order, with and without NULLs.
func TestTopIsTheStartOfTheSort(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 21)
	tab := newTable(rng, 12_000)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	s := scan(tab)
	id := col(s, "id")
	for name, keys := range map[string][]plan.SortKey{
		"ascending":    {asc(id)},
		"descending":   {desc(id)},
		"doubles":      {desc(col(s, "amount")), asc(id)},
		"nulls last":   {asc(col(s, "amount")), desc(id)},
		"few values":   {{Expr: col(s, "ok"), NullsFirst: true}, desc(id)},
		"text":         {desc(col(s, "region")), asc(id)},
		"no prefix":    {asc(col(s, "took")), desc(col(s, "amount")), asc(id)},
		"constant key": {asc(lit("x")), desc(id)},
	} {
		want, _, err := answer(exec.New(src, nil, exec.Options{Workers: 2}), &plan.Limit{Input: sorted(s, keys...), Count: 1_100})
		require.NoError(t, err)
		require.Len(t, want, 1_100)
		for _, limit := range []int{0, 1, 700, 1_100} {
			for _, workers := range []int{1, 2} {
				top := &plan.Sort{Input: s, Keys: keys, Limit: int64(limit)}
				got, _, err := answer(exec.New(src, nil, exec.Options{Workers: workers, BatchRows: 900}), top)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(want[:limit]), fmt.Sprint(got), "%s limit %d", name, limit)
			}
		}
	}
}

func TestTopNeedsNoMoreMemoryForMoreRows(t *testing.T) {
	t.Parallel()
	rng := newRand(t, 22)
	tab := newTable(rng, 30_000)
	src := &source{tables: map[string]*table{"t": tab}, rng: rng}
	s := scan(tab)
	top := &plan.Sort{Input: s, Keys: []plan.SortKey{desc(col(s, "ts"))}, Limit: 10}
	_, stats, err := answer(exec.New(src, nil, exec.Options{Workers: 2, BatchRows: 1000}), top)
	require.NoError(t, err)
	whole := int64(tab.rows) * 2 * 60
	require.Less(t, stats.PeakMemoryBytes, whole/2)
}
