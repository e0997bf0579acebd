package exec_test

import (
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

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
	tab := newTable(newRand(t, 41), 9_000)
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
			requireSpilled(t, tab, sorted(s, keys...), 400<<10, true)
			requireSpilled(t, tab, sorted(s, keys...), 150<<10, true) // merges in several passes
			requireSpilled(t, tab, &plan.Sort{Input: s, Keys: keys, Limit: 4_000}, 200<<10, true)
		})
	}
}
