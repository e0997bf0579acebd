package continuous

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestFirstOfRowsThatGo adds rows to several hundred and takes others away, most often the first ones, with restarts in between: after each step the
// first three in order are what the machine has given in all.
func TestFirstOfRowsThatGo(t *testing.T) {
	t.Parallel()
	scan := trades("trades")
	scan.Fields = scan.Fields[:2]
	n := &plan.Sort{Input: scan, Keys: []plan.SortKey{{Expr: column(scan, 1)}}, Limit: 3}
	p, err := Compile(n, map[string]InputInfo{"trades": {Kind: ViewInput, Key: []event.FieldID{1}}}, Options{MemoryBytes: 1 << 30})
	require.NoError(t, err)
	require.Contains(t, p.String(), "keep the first 3 in order")
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m, there, given := p.Start(), []int64{}, map[int64]int64{}
		for range 200 {
			var keys, weights []int64
			for range rng.IntN(40) {
				if key := rng.Int64N(2000); !slices.Contains(there, key) {
					keys, weights, there = append(keys, key), append(weights, 1), append(there, key)
				}
			}
			slices.Sort(there)
			for range min(len(there), rng.IntN(40)) {
				at := rng.IntN(min(len(there), 1+rng.IntN(len(there))))
				keys, weights = append(keys, there[at]), append(weights, -1)
				there = slices.Delete(there, at, at+1)
			}
			amounts := make([]float64, len(keys))
			for i, key := range keys {
				amounts[i] = float64(key)
			}
			changes, err := m.Step(t.Context(), Step{Inputs: map[string]InputStep{"trades": {Rows: Delta{
				Rows: len(keys), Weights: weights, Columns: []arrow.Array{event.NewInt64s(keys, nil), event.NewFloat64s(amounts, nil)},
			}}}})
			require.NoError(t, err)
			for i := range changes.Rows {
				key := arrow.GetValues[int64](changes.Columns[0].Data(), 1)[i]
				if given[key] += changes.weight(i); given[key] == 0 {
					delete(given, key)
				}
			}
			want := map[int64]int64{}
			for _, key := range there[:min(3, len(there))] {
				want[key] = 1
			}
			require.Equal(t, want, given, "seed %d", seed)
			if rng.IntN(20) == 0 {
				var saved bytes.Buffer
				require.NoError(t, m.Snapshot(&saved))
				m, err = p.Restore(&saved)
				require.NoError(t, err)
			}
		}
	}
}
