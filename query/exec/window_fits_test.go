package exec_test

import (
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestWindowsFitWhateverTheMemory: a window that can spill is computed with any memory from what its largest partition takes, also with what is
// just enough for all rows to stay.
func TestWindowsFitWhateverTheMemory(t *testing.T) {
	t.Parallel()
	tab := newTable(newRand(t, 61), 4_000)
	s := scan(tab)
	root := windowOver(s, []plan.Expr{col(s, "user")}, []plan.SortKey{asc(col(s, "id"))}, []plan.WindowCall{
		windowFn("row_number"), aggregated(plan.Frame{Start: plan.FrameBound{Kind: plan.UnboundedPreceding}, End: plan.FrameBound{Kind: plan.CurrentRow}},
			"sum", col(s, "id")),
	})
	var want []string
	stayed, spilled := false, false
	for memory := int64(200 << 10); memory <= 3<<20; memory += memory / 8 {
		src := &source{tables: map[string]*table{"t": tab}, rng: newRand(t, 62)}
		e := exec.New(src, nil, exec.Options{Workers: 2, BatchRows: 300, MemoryBytes: memory, Spill: spillSpace(t)})
		got, stats, err := answer(e, root)
		require.NoError(t, err, "with %d bytes", memory)
		sort.Strings(got)
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, "with %d bytes", memory)
		stayed, spilled = stayed || stats.SpilledBytes == 0, spilled || stats.SpilledBytes > 0
	}
	require.True(t, stayed && spilled, "both ways have been gone")
}
