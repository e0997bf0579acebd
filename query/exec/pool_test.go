package exec

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

func admitted(t require.TestingT, p *Pool, limit int64) *Budget {
	require.NoError(t, p.admit(context.Background()))
	return newBudget(limit, p)
}

func TestPoolKeepsRoomForLaterQueries(t *testing.T) {
	t.Parallel()
	const mebi = 1 << 20
	p := NewPool(64 * mebi)
	large := admitted(t, p, 64*mebi)
	require.NoError(t, large.Reserve("GROUP BY", 60*mebi), "alone a query may have all")
	small := admitted(t, p, 64*mebi)
	require.Error(t, large.Reserve("GROUP BY", 4*mebi))
	require.NoError(t, small.Reserve("ORDER BY", p.least), "its least share was kept")
	share := reservation{budget: large, operator: "GROUP BY", held: 60 * mebi}
	require.False(t, share.fits(61*mebi), "the large one is to spill")
	err := small.Reserve("ORDER BY", 8*mebi)
	require.ErrorContains(t, err, "all queries together")
	share.release()
	require.NoError(t, small.Reserve("ORDER BY", 8*mebi))
	require.NoError(t, large.Reserve("GROUP BY", 32*mebi))
	require.ErrorContains(t, large.Reserve("GROUP BY", 20*mebi), "all queries together", "the last eighth is for others")
	large.close()
	large.close()
	small.close()
	require.Zero(t, p.Held())
	require.Zero(t, p.Running())
}

func TestQueriesWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(4 * leastShare)
		running := fillPool(t, p)
		order := make(chan int, 3)
		for i := range 3 {
			go func() {
				b := admitted(t, p, leastShare)
				order <- i
				b.close()
			}()
			synctest.Wait()
		}
		require.Equal(t, 3, p.Waiting())
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- p.admit(ctx) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		running[0].close()
		for i := range 3 {
			require.Equal(t, i, <-order)
		}
		for _, b := range running {
			b.close()
		}
		synctest.Wait()
		require.Zero(t, p.Held())
	})
}

func TestTooManyQueriesAreTurnedAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(leastShare)
		running := fillPool(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for range mostWaiting {
			waiting.Go(func() {
				if err := p.admit(ctx); err == nil {
					t.Error("admitted")
				}
			})
		}
		synctest.Wait()
		var e *event.Error
		require.ErrorAs(t, p.admit(t.Context()), &e)
		require.Equal(t, event.CodeTooBusy, e.Code)
		cancel()
		waiting.Wait()
		for _, b := range running {
			b.close()
		}
		require.Zero(t, p.Held())
	})
}

// fillPool admits as many queries as may run.
func fillPool(t *testing.T, p *Pool) []*Budget {
	t.Helper()
	var running []*Budget
	for range p.most {
		running = append(running, admitted(t, p, leastShare))
	}
	return running
}

// TestPoolAddsUp takes and gives back at random: what is granted is never more than there is, and in the end nothing is.
func TestPoolAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := NewPool(rapid.Int64Range(1<<20, 1<<28).Draw(t, "limit"))
		var budgets []*Budget
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch pick := rapid.IntRange(0, 4).Draw(t, "step"); {
			case pick == 0 && p.Running() < p.most && p.Held()+p.least <= p.limit:
				budgets = append(budgets, admitted(t, p, p.limit))
			case len(budgets) == 0:
			case pick == 1:
				at := rapid.IntRange(0, len(budgets)-1).Draw(t, "closed")
				budgets[at].close()
				budgets = append(budgets[:at], budgets[at+1:]...)
			default:
				b := budgets[rapid.IntRange(0, len(budgets)-1).Draw(t, "budget")]
				bytes := rapid.Int64Range(-b.held.Load(), p.limit).Draw(t, "bytes")
				if bytes < 0 {
					b.Release(-bytes)
				} else if err := b.Reserve("x", bytes); err == nil {
					require.GreaterOrEqual(t, b.granted.Load(), b.held.Load())
				}
			}
			require.LessOrEqual(t, p.Held(), p.limit)
		}
		for _, b := range budgets {
			b.close()
		}
		require.Zero(t, p.Held())
		require.Zero(t, p.Running())
	})
}
