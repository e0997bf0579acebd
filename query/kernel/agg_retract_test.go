package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRetractLeavesNoTrace holds every retractable accumulator to this: after rows have come and some of them gone, in any order and
// through a snapshot, its results are those of an accumulator that only ever saw the rest.
func TestRetractLeavesNoTrace(t *testing.T) {
	t.Parallel()
	tried := 0
	for signature := range accumulators {
		f := withNumerics(aggregateBySignature(signature))
		if _, ok := NewRetractable(f); !ok {
			continue
		}
		tried++
		t.Run(signature, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
				rows, groups := rapid.IntRange(1, 60).Draw(rt, "rows"), rapid.IntRange(1, 5).Draw(rt, "groups")
				args := aggregateArguments(rng, f, rows)
				ids := make([]uint32, rows)
				for i := range ids {
					ids[i] = rng.Uint32N(uint32(groups))
				}
				some := func(rows []int32) ([]Operand, Groups) {
					of := make([]uint32, len(rows))
					for i, row := range rows {
						of[i] = ids[row]
					}
					return operandsOf(args, func(c arrow.Array) arrow.Array { return Take(c, rows) }), Groups{IDs: of, Count: groups}
				}
				a, _ := NewRetractable(f)
				var there []int32
				for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
					came := make([]int32, rng.IntN(40))
					for i := range came {
						came[i] = rng.Int32N(int32(rows))
					}
					operands, in := some(came)
					require.NoError(rt, a.Update(in, operands, len(came)))
					there = append(there, came...)
					rng.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
					gone := there[:rng.IntN(len(there)+1)]
					operands, in = some(gone)
					require.NoError(rt, a.Retract(in, operands, len(gone)))
					there = there[len(gone):]
					if rng.IntN(3) == 0 {
						restored, _ := NewRetractable(f)
						require.NoError(rt, restored.Restore(throughFile(rt, stateOf(rt, a, groupNumbers(groups)))))
						a = restored
					}
				}
				want, _ := NewAccumulator(f)
				operands, in := some(there)
				require.NoError(rt, want.Update(in, operands, len(there)))
				expected, err := want.Result(groups)
				got, gotErr := a.Result(groups)
				require.Equal(rt, err, gotErr)
				if err == nil {
					require.True(rt, array.Equal(expected, Decode(got)), "%s\n%s", expected, got)
				}
			})
		})
	}
	require.Greater(t, tried, 20)
}
