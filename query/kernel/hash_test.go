package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestHashesGoByValue: however a column is laid out, equal values have equal hashes, and different ones rarely.
func TestHashesGoByValue(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 9))
	for kind, values := range samples {
		typ := concrete(event.Type{Kind: kind})
		column := columnOf(t, typ, append([]string{"NULL"}, values.tame...)...)
		rows := column.Len()
		want, err := Hashes([]arrow.Array{column, column}, []event.Type{typ, typ}, rows)
		require.NoError(t, err)
		sliced := toSlice(t, random, column)
		got, err := Hashes([]arrow.Array{sliced, column}, []event.Type{typ, typ}, rows)
		require.NoError(t, err)
		require.Equal(t, want, got, typ)
		seen := map[uint64]bool{}
		for _, h := range want {
			seen[h] = true
		}
		require.Greater(t, len(seen), rows/2, typ)
	}
	zeros, err := Hashes([]arrow.Array{event.NewFloat64s([]float64{0, -1 * 0.0}, nil)}, []event.Type{{Kind: event.Double}}, 2)
	require.NoError(t, err)
	require.Equal(t, zeros[0], zeros[1])
}
