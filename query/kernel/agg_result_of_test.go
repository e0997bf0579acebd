package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
)

// TestResultsOfSomeGroups asks accumulators for some of their groups, some of which had no rows, and again after more rows: the answers are
// those rows of the result of all.
func TestResultsOfSomeGroups(t *testing.T) {
	t.Parallel()
	const groups, rows = 9, 40
	tried := 0
	for signature := range accumulators {
		f := withNumerics(aggregateBySignature(signature))
		a, _ := NewAccumulator(f)
		some, ok := a.(ResultsOf)
		if !ok {
			continue
		}
		tried++
		rng := rand.New(rand.NewPCG(7, uint64(tried)))
		for range 3 {
			ids := make([]uint32, rows)
			for i := range ids {
				ids[i] = rng.Uint32N(groups - 3)
			}
			args := operandsOf(aggregateArguments(rng, f, rows), Decode)
			require.NoError(t, a.Update(Groups{IDs: ids, Count: groups - 3}, args, rows), signature)
			asked := []uint32{7, 2, 0, 5, 2}
			got, err := some.ResultOf(asked)
			require.NoError(t, err, signature)
			whole, err := a.Result(groups)
			require.NoError(t, err, signature)
			want := Take(Decode(whole), []int32{7, 2, 0, 5, 2})
			require.True(t, array.Equal(want, Decode(got)), "%s: %s, not %s", signature, got, want)
		}
	}
	require.Greater(t, tried, 20)
}
