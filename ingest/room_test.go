package ingest

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

func requireFull(t *testing.T, err error) {
	t.Helper()
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeDiskFull, fault.Code)
	require.NotEmpty(t, fault.Hint)
}

// TestEventsAreTurnedAwayBeforeTheDiskIsFull also lets space come back: the same server then takes events again.
func TestEventsAreTurnedAwayBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	var seconds atomic.Int64 // every look at the clock comes a second later, so that the disk is asked each time
	s := openStore(t, disk, func(o *Options) { o.Now = func() time.Time { return time.Unix(seconds.Add(1), 0) } })
	_, err := s.send("s", `{"n":"kept"}`)
	require.NoError(t, err)
	const total = 10 << 30
	disk.SetFree(total/reservePart, total)
	summary, err := s.send("s", `{"n":"turned away"}`)
	requireFull(t, err)
	require.Zero(t, summary.Accepted)
	_, err = s.send("other", `{"n":"turned away"}`)
	requireFull(t, err)
	require.Len(t, s.catalog.Names(), 1)
	_, err = s.Create(catalog.Stream{Name: "other"})
	requireFull(t, err)
	require.Len(t, s.Failures(), 1)
	require.Len(t, s.contents(t, "s", "n"), 1, "queries go on")

	disk.SetFree(total/2, total)
	_, err = s.send("s", `{"n":"later"}`)
	require.NoError(t, err)
	require.Empty(t, s.Failures())
	s.close(t)
}

func TestReserveSuitsTheDisk(t *testing.T) {
	t.Parallel()
	for total, want := range map[uint64]int64{20 << 20: 10 << 20, 1 << 30: leastReserve, 10 << 30: 10 << 30 / reservePart, 1 << 40: greatestReserve} {
		require.Equal(t, want, reserve(total))
	}
}

func TestSpaceTakenCountsBeforeTheDiskSaysSo(t *testing.T) {
	t.Parallel()
	disk, clock := vfs.NewMem(), time.Unix(0, 0)
	disk.SetFree(10<<20+100*roomFactor, 20<<20)
	r := room{fs: disk, now: func() time.Time { return clock }}
	require.NoError(t, r.take(60))
	disk.SetFree(10<<20+40*roomFactor, 20<<20)
	require.NoError(t, r.take(30), "the rest of what was free is enough")
	requireFull(t, r.take(60))
	disk.SetFree(10<<20+100*roomFactor, 20<<20)
	require.NoError(t, r.take(60), "a refusal asks again")
}

// TestAFullDiskIsToldAsSuch fills the disk in the middle of a write: nothing of it is acknowledged or seen, and a restart goes on.
func TestAFullDiskIsToldAsSuch(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	var full atomic.Bool
	s := openStore(t, vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		if full.Load() && op == vfs.OpWrite {
			return fmt.Errorf("write %s: %w", name, syscall.ENOSPC)
		}
		return nil
	}))
	_, err := s.send("s", `{"n":"kept"}`)
	require.NoError(t, err)
	full.Store(true)
	for range 2 {
		summary, err := s.send("s", `{"n":"lost"}`)
		requireFull(t, err)
		require.Zero(t, summary.Accepted)
	}
	require.Len(t, s.contents(t, "s", "n"), 1)
	full.Store(false)
	require.NoError(t, s.Close())
	require.NoError(t, s.segments.Close())
	require.NoError(t, s.journal.Close())

	s = openStore(t, disk.Crash())
	_, err = s.send("s", `{"n":"later"}`)
	require.NoError(t, err)
	require.Equal(t, map[[2]int64]string{{0, 0}: "kept", {0, 1}: "later"}, s.contents(t, "s", "n"))
	s.close(t)
}
