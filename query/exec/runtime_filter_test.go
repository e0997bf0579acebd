package exec_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// countingMorsel counts how often the column of amounts is read, which no join here needs before it knows the pairs.
type countingMorsel struct {
	query.Morsel
	reads *atomic.Int64
}

func (m countingMorsel) Read(ctx context.Context, wanted []bool, memory *event.Buffers) ([]arrow.Array, int64, error) {
	const amount = 4
	if wanted[amount] {
		m.reads.Add(1)
	}
	return m.Morsel.Read(ctx, wanted, memory)
}

// TestJoinLeavesOutRowsBelow joins all rows with the few that a condition keeps: by time, whose bounds exclude whole morsels, and by
// number, which is looked at row by row. The other columns are read of the morsels with a pair only.
func TestJoinLeavesOutRowsBelow(t *testing.T) {
	t.Parallel()
	const rows = 3000
	for _, key := range []string{"ts", "id"} {
		for _, kind := range []plan.JoinKind{plan.InnerJoin, plan.MarkJoin} {
			rng := newRand(t, 7)
			tab := newTable(rng, rows)
			s := scan(tab)
			few := where(s, call(">=", col(s, "id"), lit(100)), call("<", col(s, "id"), lit(103)))
			other := *col(s, key).(*plan.ColumnRef)
			other.Index += len(s.Columns())
			var root plan.Node = &plan.Join{Left: s, Right: few, Kind: kind, On: []plan.Expr{call("=", col(s, key), &other)}, Mark: "mark"}
			if kind == plan.MarkJoin {
				root = where(root, &plan.ColumnRef{Index: len(s.Columns()), Name: "mark", Typ: boolean})
			}
			var morsels, reads atomic.Int64
			src := &source{tables: map[string]*table{"t": tab}, rng: rng, wrap: func(m query.Morsel) query.Morsel {
				morsels.Add(1)
				return countingMorsel{m, &reads}
			}}
			root = aggregate(root, nil, agg("count"), agg("sum", col(s, "amount")))
			engine := exec.New(src, nil, exec.Options{BatchRows: 100})
			result, err := engine.Run(t.Context(), root)
			require.NoError(t, err)
			batch, err := result.Next()
			require.NoError(t, err)
			require.Equal(t, "3", batch.Columns[0].ValueStr(0))
			require.NoError(t, result.Close())
			stats := result.Stats()
			require.EqualValues(t, rows-3, stats.RowsNarrowed, "%s, %s", key, kind)
			require.LessOrEqual(t, reads.Load(), int64(2), "the pairs lie in two morsels at most")
			require.Greater(t, morsels.Load(), int64(4), "the table has to be in pieces")
		}
	}
}
