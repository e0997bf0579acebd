package exec

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSharesGiveEveryMorselOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		morsels, readers := rapid.IntRange(0, 40).Draw(t, "morsels"), rapid.IntRange(1, 5).Draw(t, "readers")
		s, seen := newShares(morsels, readers), map[int]bool{}
		for len(seen) < morsels {
			// One reader more than planned for.
			if m, ok := s.take(rapid.IntRange(0, readers).Draw(t, "reader")); ok {
				require.False(t, seen[m], "morsel %d twice", m)
				require.Less(t, m, morsels)
				seen[m] = true
			}
		}
		for reader := range readers {
			_, ok := s.take(reader)
			require.False(t, ok)
		}
	})
}

func TestOneReaderTakesMorselsInOrder(t *testing.T) {
	t.Parallel()
	s := newShares(5, 1)
	for want := range 5 {
		got, ok := s.take(0)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}
