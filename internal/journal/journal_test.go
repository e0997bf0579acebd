package journal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// list is a State that remembers the bodies of its records.
type list struct {
	kind  journal.Kind
	items []string
}

func (l *list) Apply(r journal.Record) error {
	if string(r.Body) == "poison" {
		return errors.New("cannot apply")
	}
	l.items = append(l.items, string(r.Body))
	return nil
}

func (l *list) Snapshot() ([]journal.Record, error) {
	var out []journal.Record
	for _, item := range l.items {
		out = append(out, journal.Record{Kind: l.kind, Body: []byte(item)})
	}
	return out, nil
}

// store is a journal with two states.
type store struct {
	*journal.Journal
	streams, segments *list
}

func open(fsys vfs.FS, rotate int64) (*store, error) {
	s := &store{streams: &list{kind: journal.KindStream}, segments: &list{kind: journal.KindSegment}}
	states := map[journal.Kind]journal.State{journal.KindStream: s.streams, journal.KindSegment: s.segments}
	var err error
	s.Journal, err = journal.OpenWith(fsys, "journal", states, journal.Options{RotateBytes: rotate})
	return s, err
}

func mustOpen(t *testing.T, fsys vfs.FS, rotate int64) *store {
	t.Helper()
	s, err := open(fsys, rotate)
	require.NoError(t, err)
	return s
}

// put is one update with a record for each state.
func (s *store) put(item string) error {
	return s.Update(func() ([]journal.Record, error) {
		return []journal.Record{
			{Kind: journal.KindStream, Body: []byte(item)}, {Kind: journal.KindSegment, Body: []byte(item)},
		}, nil
	})
}

func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("item %d", i))
	}
	return out
}

func fill(t *testing.T, s *store, from, to int) {
	t.Helper()
	for _, item := range numbered(to)[from:] {
		require.NoError(t, s.put(item))
	}
}

func names(t *testing.T, fsys vfs.FS) []string {
	t.Helper()
	all, err := fsys.ReadDir("journal")
	require.NoError(t, err)
	return all
}

func TestReopen(t *testing.T) {
	t.Parallel()
	for _, rotate := range []int64{0, 300} {
		fsys := vfs.NewMem()
		s := mustOpen(t, fsys, rotate)
		fill(t, s, 0, 20)
		require.Equal(t, numbered(20), s.streams.items)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.put("late"), journal.ErrClosed)

		s = mustOpen(t, fsys, rotate)
		require.Equal(t, numbered(20), s.streams.items)
		require.Equal(t, numbered(20), s.segments.items)
		fill(t, s, 20, 40)
		require.NoError(t, s.Close())
		s = mustOpen(t, fsys, rotate)
		require.Equal(t, numbered(40), s.segments.items)
		require.NoError(t, s.Close())
	}
}

func TestUpdateWithoutRecordsWritesNothing(t *testing.T) {
	t.Parallel()
	writes := 0
	fsys := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
		if op == vfs.OpWrite || op == vfs.OpSync {
			writes++
		}
		return nil
	})
	s := mustOpen(t, fsys, 0)
	before := writes
	require.NoError(t, s.Update(func() ([]journal.Record, error) { return nil, nil }))
	no := errors.New("no")
	require.Equal(t, no, s.Update(func() ([]journal.Record, error) { return nil, no }))
	err := s.Update(func() ([]journal.Record, error) { return []journal.Record{{Kind: 99}}, nil })
	require.ErrorContains(t, err, "kind 99")
	require.Equal(t, before, writes)
	require.NoError(t, s.put("and it goes on"))
	require.NoError(t, s.Close())
}

func TestUpdatesAreSerial(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, vfs.NewMem(), 200)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				err := s.Update(func() ([]journal.Record, error) {
					next := fmt.Sprintf("item %d", len(s.streams.items)) // safe: nothing is applied meanwhile
					return []journal.Record{{Kind: journal.KindStream, Body: []byte(next)}}, nil
				})
				if err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, numbered(80), s.streams.items)
	require.NoError(t, s.Close())
}

func TestRotationKeepsTwoSnapshotsAndTheRecordsSince(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, fsys, 300)
	fill(t, s, 0, 60)
	var logs, snapshots []string
	for _, name := range names(t, fsys) {
		if strings.HasSuffix(name, ".log") {
			logs = append(logs, strings.TrimSuffix(name, ".log"))
		} else {
			snapshots = append(snapshots, strings.TrimSuffix(name, ".snapshot"))
		}
	}
	require.Len(t, snapshots, 2)
	require.Equal(t, snapshots, logs)
	require.NoError(t, s.Close())
}

func TestDamagedSnapshotLosesNothing(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, fsys, 300)
	fill(t, s, 0, 60)
	require.NoError(t, s.Close())
	newest := newestSnapshot(t, fsys)
	damage(t, fsys, "journal/"+newest, 40)

	s = mustOpen(t, fsys, 300)
	require.Equal(t, numbered(60), s.streams.items)
	require.Contains(t, names(t, fsys), newest+".damaged")
	fill(t, s, 60, 100)
	require.NoError(t, s.Close())
	require.Equal(t, numbered(100), mustOpen(t, fsys, 300).streams.items)
}

func newestSnapshot(t *testing.T, fsys vfs.FS) string {
	t.Helper()
	all := slices.DeleteFunc(names(t, fsys), func(name string) bool { return !strings.HasSuffix(name, ".snapshot") })
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// TestCutSnapshotLosesNothing cuts the newest snapshot off at every byte: also where a frame ends and nothing looks torn.
func TestCutSnapshotLosesNothing(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, mem, 300)
	fill(t, s, 0, 60)
	require.NoError(t, s.Close())
	newest := "journal/" + newestSnapshot(t, mem)
	info, err := mem.Stat(newest)
	require.NoError(t, err)
	for size := range info.Size() {
		fsys := mem.Crash()
		f, err := fsys.OpenAppend(newest)
		require.NoError(t, err)
		require.NoError(t, f.Truncate(size))
		require.NoError(t, f.Close())
		s := mustOpen(t, fsys, 300)
		require.Equal(t, numbered(60), s.streams.items, "cut to %d bytes", size)
		require.NoError(t, s.Close())
	}
}

func TestDamagedRecordsRefuseToOpen(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, mem, 0)
	fill(t, s, 0, 5)
	require.NoError(t, s.Close())
	const log = "journal/00000000000000000000.log"
	info, err := mem.Stat(log)
	require.NoError(t, err)
	for at := range info.Size() {
		fsys := mem.Crash()
		damage(t, fsys, log, at)
		s, err := open(fsys, 0)
		if err == nil {
			require.GreaterOrEqual(t, at, info.Size()-28, "only the closing mark may be lost")
			require.Equal(t, numbered(5), s.streams.items)
			continue
		}
		var e *event.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, event.CodeCorrupt, e.Code)
		require.ErrorContains(t, err, log)
		require.ErrorContains(t, err, "byte")
		require.ErrorContains(t, err, "tidemark doctor")
	}
}

// TestCutLogRefusesToOpen cuts the log of a journal that was closed in order: also where a frame ends and nothing looks torn.
func TestCutLogRefusesToOpen(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, mem, 0)
	fill(t, s, 0, 5)
	require.NoError(t, s.Close())
	const log = "journal/00000000000000000000.log"
	info, err := mem.Stat(log)
	require.NoError(t, err)
	for size := range info.Size() {
		fsys := mem.Crash()
		f, err := fsys.OpenAppend(log)
		require.NoError(t, err)
		require.NoError(t, f.Truncate(size))
		require.NoError(t, f.Close())
		_, err = open(fsys, 0)
		var e *event.Error
		require.ErrorAs(t, err, &e, "cut to %d bytes", size)
		require.Equal(t, event.CodeCorrupt, e.Code)
	}
}

func TestMissingLogRefusesToOpen(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, fsys, 300)
	fill(t, s, 0, 60)
	require.NoError(t, s.Close())
	all := names(t, fsys)
	require.NoError(t, fsys.Remove("journal/"+all[0]))      // the log of the older snapshot
	damage(t, fsys, "journal/"+newestSnapshot(t, fsys), 40) // so that the older is needed
	_, err := open(fsys, 300)
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, event.CodeCorrupt, e.Code)
}

// damage inverts a byte of a durable file.
func damage(t *testing.T, fsys vfs.FS, name string, at int64) {
	t.Helper()
	info, err := fsys.Stat(name)
	require.NoError(t, err)
	f, err := fsys.OpenAppend(name)
	require.NoError(t, err)
	b := make([]byte, info.Size())
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	b[at] ^= 0xff
	require.NoError(t, f.Truncate(0))
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
}

func TestFailedWriteIsForGood(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync} {
		fail := false
		mem := vfs.NewMem()
		s := mustOpen(t, vfs.NewFaulty(mem, func(at vfs.Op, _ string) error {
			if fail && at == op {
				return broken
			}
			return nil
		}), 0)
		fill(t, s, 0, 3)
		fail = true
		require.ErrorIs(t, s.put("lost"), broken)
		fail = false
		require.ErrorIs(t, s.put("refused"), record.ErrFailed)
		require.ErrorIs(t, s.Failed(), broken)
		require.Equal(t, numbered(3), s.streams.items)
		require.NoError(t, s.Close())
		require.Equal(t, numbered(3), mustOpen(t, mem.Crash(), 0).streams.items)
	}
}

func TestFailedApplyStopsUpdates(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, vfs.NewMem(), 0)
	require.ErrorContains(t, s.put("poison"), "cannot apply")
	require.ErrorIs(t, s.put("next"), record.ErrFailed)
}

// TestCrashAnywhere cuts the power before every operation of a run with rotations. Whatever was confirmed by then is there
// afterwards, in order, in both states alike, and at most the update under way in addition.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	type crash struct {
		disk      *vfs.Mem
		confirmed int
	}
	mem := vfs.NewMem()
	var crashes []crash
	confirmed, seed := 0, uint64(0)
	fsys := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		crashes = append(crashes, crash{mem.Crash(), confirmed})
		for range 3 {
			crashes = append(crashes, crash{mem.CrashTorn(rand.New(rand.NewPCG(seed, 1))), confirmed})
			seed++
		}
		return nil
	})
	s := mustOpen(t, fsys, 300)
	for _, item := range numbered(40) {
		require.NoError(t, s.put(item))
		confirmed++
	}
	require.NoError(t, s.Close())
	for i, c := range crashes {
		for round := range 2 { // and once more after the recovery, which must itself have been durable
			s, err := open(c.disk, 300)
			require.NoError(t, err, "crash %d round %d", i, round)
			got := len(s.streams.items)
			require.True(t, got == c.confirmed || got == c.confirmed+1, "crash %d: %d confirmed, %d found", i, c.confirmed, got)
			require.Equal(t, numbered(got), s.streams.items)
			require.Equal(t, s.streams.items, s.segments.items)
			c.confirmed = got
			c.disk = c.disk.Crash()
		}
	}
}

// TestFailAnywhere lets every operation fail once, then restarts.
func TestFailAnywhere(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for at := 0; ; at++ {
		mem := vfs.NewMem()
		left, fired := at, false
		fsys := vfs.NewFaulty(mem, func(vfs.Op, string) error {
			if left--; left == -1 {
				fired = true
				return broken
			}
			return nil
		})
		confirmed := 0
		if s, err := open(fsys, 300); err == nil {
			for _, item := range numbered(40) {
				if s.put(item) != nil {
					break
				}
				confirmed++
			}
			_ = s.Close() // may be what fails
		}
		again := mustOpen(t, mem.Crash(), 300)
		got := len(again.streams.items)
		require.True(t, got == confirmed || got == confirmed+1, "operation %d: %d confirmed, %d found", at, confirmed, got)
		require.Equal(t, numbered(got), again.streams.items)
		if !fired {
			return
		}
	}
}

func TestUnknownKindRefusesToOpen(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, fsys, 0)
	fill(t, s, 0, 1)
	require.NoError(t, s.Close())
	_, err := journal.Open(fsys, "journal", map[journal.Kind]journal.State{journal.KindStream: &list{kind: journal.KindStream}})
	require.ErrorContains(t, err, "kind 2")
}

func TestLeftoversOfACrashAreRemoved(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	require.NoError(t, mustOpen(t, fsys, 0).Close())
	f, err := fsys.Create("journal/00000000000000000007.snapshot.tmp")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, mustOpen(t, fsys, 0).Close())
	_, err = fsys.Stat("journal/00000000000000000007.snapshot.tmp")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestAFullDiskStopsNoUpdates: there may be no space at any operation of a rotation. Updates go on once there is, and none that was confirmed is lost.
func TestAFullDiskStopsNoUpdates(t *testing.T) {
	t.Parallel()
	needSpace := []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpRename, vfs.OpSyncDir}
	for at := 0; ; at++ {
		mem := vfs.NewMem()
		require.NoError(t, mustOpen(t, mem, 300).Close())
		left, full := at, vfs.Op("")
		s, err := open(vfs.NewFaulty(mem, func(op vfs.Op, _ string) error {
			if !slices.Contains(needSpace, op) {
				return nil
			}
			if left--; left == -1 {
				full = op
			}
			if left == -1 || left < 0 && left > -20 && op == vfs.OpCreate { // for some time there is space for updates, but for no file
				return syscall.ENOSPC
			}
			return nil
		}), 300)
		if err != nil {
			continue // a start needs space
		}
		var confirmed []string
		for _, item := range numbered(40) {
			if s.put(item) == nil {
				confirmed = append(confirmed, item)
				require.Equal(t, confirmed, mustOpen(t, mem.Crash(), 300).streams.items, "operation %d", at)
				require.Equal(t, confirmed, mustOpen(t, mem.Killed(), 300).streams.items, "operation %d", at)
			}
		}
		if full != vfs.OpSyncDir { // a failed sync is for good
			require.NoError(t, s.Failed(), "operation %d", at)
			require.GreaterOrEqual(t, len(confirmed), 39)
		}
		if full == "" {
			return
		}
	}
}
