package exec

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestKeyPairsStayExactAsTheyGrow goes through the array indexed by both numbers into the table of pairs, with NULL before and after.
func TestKeyPairsStayExactAsTheyGrow(t *testing.T) {
	t.Parallel()
	type pair struct {
		left, value int64
		null        bool
	}
	rng := rand.New(rand.NewPCG(5, 6))
	pairs, want, all := newKeyPairs(event.Type{Kind: event.BigInt}), map[pair]uint32{}, []pair(nil)
	for round := range 40 {
		span := int64(1) << (round / 2)
		rows := make([]pair, 300)
		ids, values, valid := make([]uint32, len(rows)), make([]int64, len(rows)), event.NewBitmap(len(rows))
		for i := range rows {
			rows[i] = pair{left: rng.Int64N(span), value: rng.Int64N(2*span) - span, null: round%3 == 1 && i%7 == 0}
			ids[i], values[i] = uint32(rows[i].left), rows[i].value
			if rows[i].null {
				rows[i].value = 0 // what lies under NULL does not count
			} else {
				valid.Set(i)
			}
		}
		pairs.combine(ids, event.NewInt64s(values, valid))
		for i, id := range ids {
			if _, seen := want[rows[i]]; !seen {
				want[rows[i]] = uint32(len(want))
				all = append(all, rows[i])
			}
			require.Equal(t, want[rows[i]], id, "round %d", round)
		}
	}
	require.NotNil(t, pairs.fused, "the pairs were never too many for the array")
	require.Equal(t, len(want), pairs.count())
	lefts, values, err := pairs.split(sequenceOf(pairs.count()))
	require.NoError(t, err)
	for i, p := range all {
		require.EqualValues(t, p.left, lefts[i])
		require.Equal(t, p.null, values.IsNull(i))
		if !p.null {
			require.Equal(t, event.NewInt64s([]int64{p.value}, nil).ValueStr(0), values.ValueStr(i))
		}
	}
}
