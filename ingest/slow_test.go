package ingest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestASlowDiskTurnsAwayWhatItCannotKeepUpWith holds up the syncs of one stream's log. Its requests are told to come back once as much waits as
// may, the memory for it is bounded, another stream and queries go on, and when the disk has caught up all that was not turned away is there.
func TestASlowDiskTurnsAwayWhatItCannotKeepUpWith(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		release := make(chan struct{})
		s := openStore(t, vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, name string) error {
			if slow.Load() && op == vfs.OpSync && strings.HasPrefix(name, "log/slow/") {
				<-release
			}
			return nil
		}), func(o *Options) { o.PendingBytes = 20_000 })
		_, err := s.send("slow", `{"n":"first"}`)
		require.NoError(t, err)
		slow.Store(true)
		var turned, stored atomic.Int64
		var wait sync.WaitGroup
		row := strings.Repeat("x", 1000)
		for i := range 40 {
			wait.Go(func() {
				_, err := s.send("slow", fmt.Sprintf(`{"n":"%d %s"}`, i, row))
				var fault *event.Error
				switch {
				case err == nil:
					stored.Add(1)
				case errors.As(err, &fault) && fault.Code == event.CodeTooBusy:
					turned.Add(1)
				default:
					t.Errorf("%v", err)
				}
			})
		}
		synctest.Wait() // all are either on their way to the disk or wait for memory
		_, err = s.send("other", `{"n":"is not held up"}`)
		require.NoError(t, err)
		require.Len(t, s.contents(t, "slow", "n"), 1, "nothing is seen before its sync")
		_, err = s.send("slow", fmt.Sprintf(`{"n":"late %s"}`, row)) // it waits for a while, in virtual time
		var fault *event.Error
		require.ErrorAs(t, err, &fault)
		require.Equal(t, event.CodeTooBusy, fault.Code)
		synctest.Wait()
		require.Positive(t, turned.Load())
		require.Zero(t, stored.Load())
		slow.Store(false)
		close(release)
		wait.Wait()
		require.Positive(t, stored.Load())
		require.EqualValues(t, 40, stored.Load()+turned.Load())
		require.Len(t, s.contents(t, "slow", "n"), 1+int(stored.Load()))
		require.Empty(t, s.Failures())
		s.close(t)
	})
}
