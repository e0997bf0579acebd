package exec

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPairTableStaysExactAsItGrows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	table, want := &pairTable{}, map[[2]uint32]uint32{}
	for round := range 40 {
		span := uint32(1) << (round / 3)
		lefts, rights := make([]uint32, 200), make([]uint32, 200)
		for i := range lefts {
			lefts[i], rights[i] = rng.Uint32N(span), rng.Uint32N(span*uint32(1+round%3))
		}
		ids := append([]uint32(nil), lefts...)
		table.combine(ids, rights)
		for i, id := range ids {
			pair := [2]uint32{lefts[i], rights[i]}
			if _, seen := want[pair]; !seen {
				want[pair] = uint32(len(want))
			}
			require.Equal(t, want[pair], id, "round %d", round)
		}
	}
	require.NotNil(t, table.table, "the hash table was never reached")
	require.Equal(t, len(want), table.count())
}

// TestPairTableKeepsEarlierLeftsWhenRightsWiden has a batch of small lefts bring the first large right.
func TestPairTableKeepsEarlierLeftsWhenRightsWiden(t *testing.T) {
	t.Parallel()
	table := &pairTable{}
	for _, step := range [][3]uint32{{20, 0, 0}, {1, 100, 1}, {20, 0, 0}, {20, 100, 2}, {1, 100, 1}} {
		ids := []uint32{step[0]}
		table.combine(ids, []uint32{step[1]})
		require.Equal(t, step[2], ids[0])
	}
}
