package ingest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestAFloodingStreamLeavesTheOthersTheirShare: a thousand requests of one stream wait, and one of another is served next.
func TestAFloodingStreamLeavesTheOthersTheirShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShares(100)
		for range 5 {
			require.True(t, s.TryAcquire("flood", 10))
		}
		require.False(t, s.TryAcquire("flood", 10), "half is the most")
		require.True(t, s.TryAcquire("other", 50), "the rest is for others")
		order := make(chan string, 2000)
		ctx, cancel := context.WithCancel(t.Context())
		wait := func(stream string) {
			go func() {
				if s.Acquire(ctx, stream, 10) == nil {
					order <- stream
				}
			}()
			synctest.Wait()
		}
		for range 1000 {
			wait("flood")
		}
		wait("third")
		wait("fourth")
		s.Release("other", 50)
		synctest.Wait()
		require.Len(t, order, 2, "flood has its half, and third and fourth what they asked for")
		require.ElementsMatch(t, []string{"third", "fourth"}, []string{<-order, <-order})
		wait("third")
		s.Release("flood", 10)
		s.Release("flood", 10)
		synctest.Wait()
		require.Len(t, order, 3, "third was served with the bytes left; flood goes on as it gives back")
		cancel()
		synctest.Wait()
		require.NotEmpty(t, s.mu.held)
	})
}

func TestSharesAreNeverExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, checkShares)
}

// checkShares lets claims come, be given up and go in a drawn order, and checks the account after each.
func checkShares(t *rapid.T) {
	const limit = 64
	s := newShares(limit)
	type holding struct {
		stream string
		bytes  int64
	}
	var held []holding
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		stream := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "stream")
		bytes := int64(rapid.IntRange(1, limit/2).Draw(t, "bytes"))
		switch {
		case rapid.Bool().Draw(t, "take"):
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // a claim that cannot be granted at once is given up at once
			if s.Acquire(ctx, stream, bytes) == nil {
				held = append(held, holding{stream, bytes})
			}
		case len(held) > 0:
			at := rapid.IntRange(0, len(held)-1).Draw(t, "which")
			s.Release(held[at].stream, held[at].bytes)
			held = append(held[:at], held[at+1:]...)
		}
		total, each := int64(0), map[string]int64{}
		for _, h := range held {
			total += h.bytes
			each[h.stream] += h.bytes
		}
		require.LessOrEqual(t, total, int64(limit))
		require.Equal(t, limit-total, s.mu.free)
		require.Equal(t, each, s.mu.held)
	}
	for _, h := range held {
		s.Release(h.stream, h.bytes)
	}
	require.EqualValues(t, limit, s.mu.free)
	require.Empty(t, s.mu.waiting)
}

// TestTooManyBytesAreToldToComeBack: beyond its share a stream waits for a while, and others are not affected.
func TestTooManyBytesAreToldToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShares(10)
		require.True(t, s.TryAcquire("s", 5))
		ctx, cancel := context.WithTimeout(t.Context(), busyWait)
		defer cancel()
		start := time.Now()
		require.Error(t, s.Acquire(ctx, "s", 1))
		require.Equal(t, busyWait, time.Since(start))
		require.True(t, s.TryAcquire("other", 5))
		var fault *event.Error
		require.ErrorAs(t, errBusy("x"), &fault)
		require.Equal(t, event.CodeTooBusy, fault.Code)
	})
}
