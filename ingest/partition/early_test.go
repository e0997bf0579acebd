package partition

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const flushInterval = 200 * time.Millisecond

// earlyWriter makes a writer with a flush interval; the event times of its rows are their order.
func earlyWriter(t *testing.T, fs vfs.FS, rotate int64) (*Writer, *tail.Tail) {
	t.Helper()
	log, err := eventlog.Open(fs, "log/s/0", eventlog.Options{RotateBytes: rotate})
	require.NoError(t, err)
	tl := tail.New(1, nil, nil)
	return NewWriter(log, tl, Options{FutureLimit: time.Hour, FlushInterval: flushInterval, Now: time.Now}), tl
}

func early(times ...int64) Rows {
	r := rows(0, times...)
	r.Early = true
	return r
}

func TestEarlyRowsAreSeenAfterTheirSync(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, tl := earlyWriter(t, vfs.NewMem(), 0)
		replies := make(chan Reply, 10)
		done := 0
		r := early(1, 2)
		r.Done = func() { done++ }
		start := time.Now()
		require.NoError(t, w.Append(t.Context(), r, replies))
		reply := <-replies
		require.NoError(t, reply.Err)
		require.Equal(t, Span{First: 0, Last: 1}, reply.Span)
		require.Zero(t, time.Since(start))
		synctest.Wait()
		require.Zero(t, tl.Next(0), "answered, and not seen before the sync")
		require.Zero(t, done)

		wake := tl.Published()
		<-wake
		require.Equal(t, flushInterval, time.Since(start))
		require.EqualValues(t, 2, tl.Next(0))
		synctest.Wait()
		require.Equal(t, 1, done)

		require.NoError(t, w.Append(t.Context(), early(3), replies))
		require.NoError(t, (<-replies).Err)
		require.NoError(t, w.Append(t.Context(), rows(0, 4), replies))
		require.NoError(t, (<-replies).Err)
		require.Equal(t, flushInterval, time.Since(start), "rows that are to be synced take those before them along")
		require.EqualValues(t, 4, tl.Next(0))

		require.NoError(t, w.Append(t.Context(), early(5), replies))
		require.NoError(t, (<-replies).Err)
		require.NoError(t, w.Close())
		require.EqualValues(t, 5, tl.Next(0), "closing syncs what waits")
	})
}

// TestMuchThatWaitsIsSyncedAtOnce bounds the memory of rows whose requests are answered.
func TestMuchThatWaitsIsSyncedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, tl := earlyWriter(t, vfs.NewMem(), 0)
		replies := make(chan Reply, 10)
		start := time.Now()
		for i := range 5 {
			r := early(int64(i))
			r.Raw[0] = make([]byte, 1<<20)
			require.NoError(t, w.Append(t.Context(), r, replies))
			require.NoError(t, (<-replies).Err)
		}
		synctest.Wait()
		require.Zero(t, time.Since(start))
		require.GreaterOrEqual(t, tl.Next(0), event.Offset(4))
		require.NoError(t, w.Close())
	})
}

// TestManyThatWaitAreSyncedAtOnce bounds how long publishing them keeps others from being answered.
func TestManyThatWaitAreSyncedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, tl := earlyWriter(t, vfs.NewMem(), 0)
		replies := make(chan Reply, 1)
		for i := range unsyncedRequests {
			require.Zero(t, tl.Next(0))
			require.NoError(t, w.Append(t.Context(), early(int64(i)), replies))
			require.NoError(t, (<-replies).Err)
		}
		start := time.Now()
		synctest.Wait()
		require.Zero(t, time.Since(start))
		require.EqualValues(t, unsyncedRequests, tl.Next(0))
		require.NoError(t, w.Close())
	})
}

// TestPowerCutTakesAFlushIntervalAtMost cuts the power before every operation on the disk while rows are sent, some of them answered
// early. What is left is the first rows without a hole: all that were answered a flush interval ago, and all that were seen.
func TestPowerCutTakesAFlushIntervalAtMost(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		type cut struct {
			disk       *vfs.Mem
			least, all int // rows that must be there, and that may be
		}
		random, torn := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2)) // torn is under mu
		var mu sync.Mutex
		var cuts []cut
		var tl *tail.Tail
		var answered []time.Time // when each row was, or nothing for those that were synced
		given := 0
		disk := vfs.NewMem()
		note := func() {
			least := 0
			if tl != nil {
				least = int(tl.Next(0))
			}
			for i, at := range answered {
				if time.Since(at) > flushInterval {
					least = max(least, i+1)
				}
			}
			cuts = append(cuts, cut{disk.Crash(), least, given}, cut{disk.CrashTorn(torn), least, given})
		}
		w, tailOfWriter := earlyWriter(t, vfs.NewFaulty(disk, func(vfs.Op, string) error {
			mu.Lock()
			defer mu.Unlock()
			note()
			return nil
		}), 1500)
		tl = tailOfWriter
		replies := make(chan Reply, 1)
		for i := range 60 {
			r := early(int64(i))
			r.Early = random.IntN(5) > 0
			mu.Lock()
			given++
			mu.Unlock()
			require.NoError(t, w.Append(t.Context(), r, replies))
			require.NoError(t, (<-replies).Err)
			synctest.Wait()
			mu.Lock()
			answered = append(answered, time.Now())
			note()
			mu.Unlock()
			<-time.After(time.Duration(random.IntN(150)) * time.Millisecond) // in virtual time
		}
		require.NoError(t, w.Close())
		lost := 0
		for i, c := range cuts {
			log, err := eventlog.Open(c.disk, "log/s/0", eventlog.Options{})
			require.NoError(t, err)
			next := 0
			require.NoError(t, log.Read(0, func(e *eventlog.Entry) error {
				require.EqualValues(t, next, e.First, "cut %d", i)
				require.Equal(t, rows(0, int64(next)).Raw[0], e.Values[0], "cut %d", i)
				next++
				return nil
			}))
			require.GreaterOrEqual(t, next, c.least, "cut %d", i)
			require.LessOrEqual(t, next, c.all, "cut %d", i)
			lost += c.all - next
			require.NoError(t, log.Close())
		}
		require.Positive(t, lost, "the power was cut while rows waited")
	})
}

func TestAFailedSyncStopsEarlyRowsToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := false
		w, tl := earlyWriter(t, vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
			if broken && op == vfs.OpSync {
				return errors.New("broken")
			}
			return nil
		}), 0)
		replies := make(chan Reply, 10)
		require.NoError(t, w.Append(t.Context(), rows(0, 1), replies))
		require.NoError(t, (<-replies).Err)
		broken = true
		done := 0
		r := early(2)
		r.Done = func() { done++ }
		require.NoError(t, w.Append(t.Context(), r, replies))
		require.NoError(t, (<-replies).Err)
		<-time.After(2 * flushInterval)
		synctest.Wait()
		require.ErrorContains(t, w.Failure(), "broken")
		require.Equal(t, 1, done)
		require.Empty(t, replies, "a request is answered once")
		require.EqualValues(t, 1, tl.Next(0), "what could not be synced is never seen")
		require.Error(t, w.Append(t.Context(), early(3), replies))
		require.NoError(t, w.Close())
	})
}
