package ingest

import (
	"errors"
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
	require.EqualValues(t, total/reservePart, s.DiskFree())
	require.Zero(t, s.FailedPartitions())

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

// fillBut takes all space of a disk but some bytes, and gives it back by the function returned.
func fillBut(t *testing.T, disk *vfs.Mem, left uint64) (empty func()) {
	t.Helper()
	free, _, err := disk.FreeBytes()
	require.NoError(t, err)
	f, err := disk.Create("filler")
	require.NoError(t, err)
	_, err = f.Write(make([]byte, free-left))
	require.NoError(t, err)
	return func() {
		require.NoError(t, f.Close())
		require.NoError(t, disk.Remove("filler"))
	}
}

// TestIngestGoesOnWhenAFullDiskHasSpaceAgain lets others fill the disk between two looks at it, so that every write of the log, a new file of
// it and the journal meet its end at every byte. What finds no space is refused and never seen; when there is space the same server goes on.
func TestIngestGoesOnWhenAFullDiskHasSpaceAgain(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	disk.SetCapacity(8 << 20)
	now := time.Unix(1_000_000, 0)
	s := openStore(t, disk, func(o *Options) {
		o.LogFileBytes = 300                    // so that rows hardly find space that was got before
		o.Now = func() time.Time { return now } // so that the disk is not asked again
	})
	_, err := s.send("s", `{"n":"first"}`)
	require.NoError(t, err)
	want, refused := map[[2]int64]string{{0, 0}: "first"}, 0
	send := func(value string) error {
		summary, err := s.send("s", fmt.Sprintf(`{"n":%q}`, value))
		if err == nil {
			want[[2]int64{0, int64(summary.Offsets[0].First)}] = value
		}
		return err
	}
	for left := uint64(0); left < 400; left += 2 {
		empty := fillBut(t, disk, left)
		if err := send(fmt.Sprintf("tight %d", left)); err != nil {
			requireFull(t, err)
			refused++
		}
		if left%50 == 0 {
			if err := s.ensureRejected(fmt.Sprintf("other%d", left)); err != nil {
				requireFullDisk(t, err)
			}
		}
		require.Len(t, s.contents(t, "s", "n"), len(want), "queries go on")
		empty()
		require.NoError(t, send(fmt.Sprintf("later %d", left)), "%d bytes were left", left)
		require.Empty(t, s.Failures())
	}
	require.Greater(t, refused, 25)
	require.Equal(t, want, s.contents(t, "s", "n"))
	left := disk.Crash()
	s.close(t)
	for _, fs := range []*vfs.Mem{disk, left} {
		s := openStore(t, fs)
		require.Equal(t, want, s.contents(t, "s", "n"))
		s.close(t)
	}
}

// requireFullDisk is requireFull for an error that need not be put for people.
func requireFullDisk(t *testing.T, err error) {
	t.Helper()
	var fault *event.Error
	require.True(t, vfs.Full(err) || errors.As(err, &fault) && fault.Code == event.CodeDiskFull, "%v", err)
}

// TestASyncThatMeetsAFullDiskIsForGood: what it was to make durable may be gone from the page cache.
func TestASyncThatMeetsAFullDiskIsForGood(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	var full atomic.Bool
	s := openStore(t, vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		if full.Load() && op == vfs.OpSync {
			return fmt.Errorf("sync %s: %w", name, syscall.ENOSPC)
		}
		return nil
	}))
	_, err := s.send("s", `{"n":"kept"}`)
	require.NoError(t, err)
	full.Store(true)
	_, err = s.send("s", `{"n":"lost"}`)
	requireFull(t, err)
	full.Store(false)
	_, err = s.send("s", `{"n":"lost"}`)
	requireFull(t, err)
	require.Len(t, s.contents(t, "s", "n"), 1)
	require.Len(t, s.Failures(), 1)
	require.EqualValues(t, 1, s.FailedPartitions())
	require.NoError(t, s.Close())
	require.NoError(t, s.segments.Close())
	require.NoError(t, s.journal.Close())

	s = openStore(t, disk.Crash())
	_, err = s.send("s", `{"n":"later"}`)
	require.NoError(t, err)
	require.Equal(t, map[[2]int64]string{{0, 0}: "kept", {0, 1}: "later"}, s.contents(t, "s", "n"))
	s.close(t)
}
