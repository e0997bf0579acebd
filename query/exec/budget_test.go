package exec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBudgetHoldsItsLimit(t *testing.T) {
	t.Parallel()
	b := NewBudget(100)
	share := reservation{budget: b, operator: "SORT"}
	require.NoError(t, share.resize(60))
	require.NoError(t, b.Reserve("GROUP BY", 40))
	require.ErrorContains(t, share.resize(61), "SORT needs 1 B")
	require.NoError(t, share.resize(10))
	require.NoError(t, b.Reserve("GROUP BY", 50))
	share.release()
	require.EqualValues(t, 100, b.Peak())
	require.EqualValues(t, 90, b.held.Load())
}
