package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestFilterGuardsLaterConjuncts(t *testing.T) {
	t.Parallel()
	conjuncts := []*Program{
		compiled(t, callOf(t, unequalBigint, ref(0, bigintType), literal(t, bigintType, "0"))),
		compiled(t, quotientAbove(t, "1")),
	}
	columns := []arrow.Array{columnOf(t, bigintType, "0", "2", "20", "NULL", "5", "0"), nil}
	kept, err := Filter(&Context{}, conjuncts, columns, 6)
	require.NoError(t, err)
	require.Equal(t, []int32{1, 4}, kept)

	_, err = Filter(&Context{}, conjuncts[1:], columns, 6)
	require.ErrorContains(t, err, "division by zero")

	kept, err = Filter(&Context{}, nil, columns, 3)
	require.NoError(t, err)
	require.Equal(t, []int32{0, 1, 2}, kept)
}

// TestFilterEqualsConjunction compares with AND over all rows, for shares of rows kept on both sides of where Filter gathers.
func TestFilterEqualsConjunction(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 3))
		rows := random.IntN(200)
		columns := make([]arrow.Array, 3)
		conjuncts := make([]*Program, 3)
		for k := range columns {
			values, limit := make([]int64, rows), random.Int64N(100)
			for i := range values {
				values[i] = random.Int64N(100)
			}
			columns[k] = event.NewInt64s(values, nil)
			e := callOf(t, greaterBigint, ref(k, bigintType), literal(t, bigintType, render(t, bigint(limit), bigintType, 1)[0]))
			conjuncts[k] = compiled(t, e)
		}
		var wanted []int32
		for i := range int32(rows) {
			all := true
			for k := range conjuncts {
				row, err := conjuncts[k].evalOn(&Context{}, columns, rows, []int32{i})
				require.NoError(t, err)
				all = all && len(True(row, 1, nil)) == 1
			}
			if all {
				wanted = append(wanted, i)
			}
		}
		kept, err := Filter(&Context{}, conjuncts, columns, rows)
		require.NoError(t, err)
		require.Equal(t, wanted, append([]int32(nil), kept...), "seed %d", seed)
	}
}

func bigint(v int64) Operand { return Operand{Array: event.NewInt64s([]int64{v}, nil), Const: true} }

func TestTrue(t *testing.T) {
	t.Parallel()
	values := columnOf(t, booleanType, "true", "false", "NULL", "true")
	require.Equal(t, []int32{0, 3}, True(Operand{Array: values}, 4, []int32{9, 9, 9}))
	require.Equal(t, []int32{0, 1, 2}, True(Operand{Array: columnOf(t, booleanType, "true"), Const: true}, 3, nil))
	require.Empty(t, True(Operand{Array: columnOf(t, booleanType, "NULL"), Const: true}, 3, nil))
}
