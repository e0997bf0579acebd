package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/query/plan"
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

// TestRetractedDistinctValuesLeaveNoTrace is the same of aggregates of distinct values: what is left is what the aggregate is of one row of each
// value that is there, also where an accumulator has taken another in.
func TestRetractedDistinctValuesLeaveNoTrace(t *testing.T) {
	t.Parallel()
	tried := 0
	for signature := range accumulators {
		f := withNumerics(aggregateBySignature(signature))
		if len(f.Args) != 1 {
			continue
		}
		if _, ok := NewRetractableDistinct(f, f.Args[0]); !ok {
			continue
		}
		tried++
		t.Run(signature, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { distinctValuesLeaveNoTrace(rt, f) })
		})
	}
	require.Greater(t, tried, 8)
}

func distinctValuesLeaveNoTrace(rt *rapid.T, f *plan.Function) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
	rows, groups := rapid.IntRange(1, 40).Draw(rt, "rows"), rapid.IntRange(1, 5).Draw(rt, "groups")
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
	fresh := func() Retractable { a, _ := NewRetractableDistinct(f, f.Args[0]); return a }
	a := fresh()
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
		before, merged := fresh(), fresh()
		switch rng.IntN(3) {
		case 0:
			require.NoError(rt, before.Restore(throughFile(rt, stateOf(rt, a, groupNumbers(groups)))))
			a = before
		case 1:
			operands, in = some(there)
			require.NoError(rt, merged.Update(in, operands, len(there)))
			require.NoError(rt, merged.Merge(a, groupNumbers(groups), groups))
			a = merged
			there = append(there, there...)
		}
	}
	var once []int32
	seen := map[string]bool{}
	for _, row := range there {
		if key := fmt.Sprint(ids[row], args[0].ValueStr(int(row)), args[0].IsNull(int(row))); !seen[key] {
			seen[key], once = true, append(once, row)
		}
	}
	want, _ := NewAccumulator(f)
	operands, in := some(once)
	require.NoError(rt, want.Update(in, operands, len(once)))
	expected, err := want.Result(groups)
	got, gotErr := a.Result(groups)
	require.Equal(rt, err, gotErr)
	if err == nil {
		require.True(rt, array.Equal(expected, Decode(got)), "%s\n%s", expected, got)
	}
}
