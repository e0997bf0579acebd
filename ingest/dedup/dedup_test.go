package dedup

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// entry is a keyed entry of one partition.
func entry(key string, chunk uint32, first event.Offset, rows int, arrival time.Time) *eventlog.Entry {
	return &eventlog.Entry{
		First: first, Times: make([]int64, rows), Values: make([][]byte, rows), Bytes: 100,
		Meta: eventlog.Meta{Arrival: arrival.UnixMicro(), Request: &eventlog.Request{
			Key: keyOf(key), Chunk: chunk, Hash: [16]byte{byte(chunk), 1}, Lines: uint32(rows), Accepted: uint32(rows),
		}},
	}
}

func options(requests *Budget) Options {
	return Options{Requests: requests, Rows: NewBudget(1 << 20), Within: time.Hour}
}

func keyOf(key string) (out eventlog.RequestKey) {
	copy(out[:], key)
	return out
}

func TestRequestsAreRememberedForADay(t *testing.T) {
	t.Parallel()
	budget := NewBudget(1 << 20)
	s := New(options(budget))
	s.Apply(0, entry("a", 0, 0, 3, start), nil, nil)
	s.Apply(0, entry("a", 1, 3, 2, start.Add(time.Hour)), nil, nil)
	s.Apply(0, entry("b", 0, 5, 1, start.Add(23*time.Hour)), nil, nil)
	known := s.Request(keyOf("a"), start.Add(23*time.Hour))
	require.Len(t, known, 2, "from both hours")
	require.Equal(t, []Part{{First: 3, Rows: 2}}, known[1].Parts)
	require.Len(t, s.Request(keyOf("a"), start.Add(Keep)), 2)
	require.Len(t, s.Request(keyOf("a"), start.Add(Keep+time.Hour)), 1)
	require.Empty(t, s.Request(keyOf("a"), start.Add(Keep+2*time.Hour)))
	used := budget.Used()
	s.Apply(0, entry("c", 0, 6, 1, start.Add(Keep+2*time.Hour)), nil, nil)
	require.Less(t, budget.Used(), used+entryHeader, "what is old takes no memory")
	require.NotEmpty(t, s.Request(keyOf("b"), start.Add(Keep+2*time.Hour)))
	require.Zero(t, budget.Forgotten())
	s.Close()
	require.Zero(t, budget.Used())
}

func TestAnEntryIsAppliedOnce(t *testing.T) {
	t.Parallel()
	s := New(options(NewBudget(1 << 20)))
	for range 3 {
		s.Apply(2, entry("a", 0, 0, 3, start), nil, nil)
	}
	require.Len(t, s.Request(keyOf("a"), start)[0].Parts, 1)
	require.EqualValues(t, 3, s.Next(2))
	require.Zero(t, s.Next(7))
}

// TestMemoryIsBounded: the oldest hours go first, and are counted.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	budget := NewBudget(limit)
	s := New(options(budget))
	now := start
	for i := range 10_000 {
		now = now.Add(5 * time.Second)
		s.Apply(0, entry(fmt.Sprint(i), 0, event.Offset(i), 1, now), nil, nil)
		require.LessOrEqual(t, budget.Used(), int64(limit))
	}
	require.Positive(t, budget.Forgotten())
	require.NotEmpty(t, s.Request(keyOf("9999"), now))
	require.Empty(t, s.Request(keyOf("0"), now))
}

// TestSnapshotsKeepTheState: whatever was applied before the snapshot and after it, the state is the same as without one.
func TestSnapshotsKeepTheState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		budget := NewBudget(1 << 20)
		fs, s, now := vfs.NewMem(), New(options(budget)), start
		next := [3]event.Offset{}
		var log []*eventlog.Entry
		var places []event.Partition
		for range rapid.IntRange(0, 40).Draw(t, "entries") {
			p := event.Partition(rapid.IntRange(0, 2).Draw(t, "partition"))
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
			e := entry(fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "key")), uint32(len(log)), next[p], rapid.IntRange(1, 9).Draw(t, "rows"), now)
			for line := range rapid.IntRange(0, 20).Draw(t, "held") {
				e.Meta.Request.Hold(line)
			}
			next[p] = e.End()
			log, places = append(log, e), append(places, p)
		}
		at := rapid.IntRange(0, len(log)).Draw(t, "snapshot after")
		for i, e := range log {
			if i == at {
				_, err := s.Save(fs, "s")
				require.NoError(t, err)
			}
			s.Apply(places[i], e, nil, nil)
		}
		other := NewBudget(1 << 20)
		back, damaged, err := Load(fs.Crash(), "s", options(other))
		require.NoError(t, err)
		require.False(t, damaged)
		for i, e := range log { // those that the snapshot covers are passed over
			back.Apply(places[i], e, nil, nil)
		}
		for key := range 6 {
			require.Equal(t, s.Request(keyOf(fmt.Sprint(key)), now), back.Request(keyOf(fmt.Sprint(key)), now))
		}
		back.Close()
		require.Zero(t, other.Used())
	})
}

// TestDamagedSnapshotIsSetAside flips every byte.
func TestDamagedSnapshotIsSetAside(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := New(options(NewBudget(1 << 20)))
	s.Apply(0, entry("a", 0, 0, 3, start), nil, nil)
	_, err := s.Save(mem, "s")
	require.NoError(t, err)
	name := snapshotPath("s")
	info, err := mem.Stat(name)
	require.NoError(t, err)
	for at := range info.Size() {
		fs := mem.Crash()
		flip(t, fs, name, at)
		budget := NewBudget(1 << 20)
		back, damaged, err := Load(fs, "s", options(budget))
		require.NoError(t, err, at)
		require.True(t, damaged, at)
		require.Zero(t, back.Next(0))
		require.Zero(t, budget.Used())
		_, err = fs.Stat(name + damagedSuffix)
		require.NoError(t, err)
		require.NoError(t, Remove(fs, "s"))
		names, err := fs.ReadDir(Dir)
		require.NoError(t, err)
		require.Empty(t, names)
	}
}

func flip(t *testing.T, fs vfs.FS, name string, at int64) {
	t.Helper()
	info, err := fs.Stat(name)
	require.NoError(t, err)
	f, err := fs.OpenAppend(name)
	require.NoError(t, err)
	b := make([]byte, info.Size())
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	b[at] ^= 0x55
	require.NoError(t, f.Truncate(0))
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
}
