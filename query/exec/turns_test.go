package exec

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLargeQueriesTakeTurnsWhileASmallOneRuns follows the workers of two large queries on a machine of two processors.
func TestLargeQueriesTakeTurnsWhileASmallOneRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2)
		one, other := turns.enter(), turns.enter()
		var a, b turn
		waits := func(w *turn, s *standing) time.Duration {
			began := time.Now()
			w.next(t.Context(), s)
			return time.Since(began)
		}
		require.Zero(t, waits(&a, one), "all are small")
		require.Zero(t, waits(&b, other), "all are small")
		<-time.After(smallQuery)
		synctest.Wait()
		require.Zero(t, waits(&a, one), "all are large")
		require.Zero(t, waits(&b, other), "all are large")

		small := turns.enter()
		require.Zero(t, waits(&a, one), "there is one turn to take")
		require.Equal(t, longestTurn, waits(&b, other), "which is taken: the worker is slowed down, not stopped")
		require.False(t, b.held)
		a.end(one)
		require.Zero(t, waits(&b, other))
		require.True(t, b.held)
		require.Equal(t, longestTurn, waits(&a, one))
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		a.next(cancelled, one)
		require.Zero(t, time.Since(began), "nobody waits for a query that has ended")

		small.leave()
		require.Zero(t, waits(&a, one))
		require.Zero(t, waits(&b, other))
		for _, s := range []*standing{one, other} {
			s.leave()
		}
		require.Zero(t, turns.small.Load())
		require.Len(t, turns.tokens, 1)
	})
}

// TestQueryThatGivesNothingGrowsLarge holds that a query nobody reads from does not keep others waiting.
func TestQueryThatGivesNothingGrowsLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		s := turns.enter()
		require.EqualValues(t, 1, turns.small.Load())
		<-time.After(smallQuery)
		synctest.Wait()
		require.Zero(t, turns.small.Load())
		s.leave()
		require.Zero(t, turns.small.Load())
	})
}
