package compact

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a store in memory with one stream, "taps", of a time and a number.
type world struct {
	t        *testing.T
	fs       *vfs.Mem
	broken   atomic.Bool
	journal  *journal.Journal
	store    *segments.Store
	stream   *catalog.Stream
	next     event.Offset
	now      time.Time
	elapsed  time.Duration
	observed []Result
}

var errBroken = errors.New("input/output error")

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fs: vfs.NewMem(), now: day}
	m := manifest.New()
	faulty := vfs.NewFaulty(w.fs, func(op vfs.Op, _ string) error {
		if w.broken.Load() && op == vfs.OpCreate {
			return errBroken
		}
		return nil
	})
	var err error
	w.journal, err = journal.Open(faulty, "journal", map[journal.Kind]journal.State{journal.KindSegment: m})
	require.NoError(t, err)
	w.store, err = segments.Open(faulty, w.journal, m, segments.Options{RowGroupRows: 500, PageRows: 50})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(w.store.Close(), w.journal.Close())) })
	w.stream = &catalog.Stream{Name: "taps", Partitions: 1, Schema: &event.Schema{Version: 1, TimeColumn: 1, NextID: 3, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true, Since: 1},
		{ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
	}}}
	return w
}

func (w *world) options() Options {
	return Options{
		Share: 1, Now: func() time.Time { return w.now }, Elapsed: func() time.Duration { return w.elapsed }, Logger: slog.New(slog.DiscardHandler),
		Stream:  func(string) (*catalog.Stream, bool) { return w.stream, true },
		Observe: func(r Result) { w.observed = append(w.observed, r) },
	}
}

// seal adds a segment of rows of one time.
func (w *world) seal(at time.Time, rows int) {
	w.t.Helper()
	times, numbers := make([]int64, rows), make([]int64, rows)
	for i := range times {
		times[i], numbers[i] = at.UnixMicro(), int64(w.next)+int64(i)
	}
	zeros, ts := make([]int64, rows), event.NewTimestamps(times, nil)
	batch, err := event.NewBatch(w.stream.Schema, 0, []arrow.Array{
		ts, event.NewInt64s(numbers, nil), event.NewInt64s(zeros, nil), event.NewInt64s(numbers, nil), ts,
		event.NewNulls(event.Type{Kind: event.TimestampTZ}, rows),
	})
	require.NoError(w.t, err)
	w.next += event.Offset(rows)
	_, err = w.store.Add(context.Background(), w.stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{w.next}})
	require.NoError(w.t, err)
}

// numbers reads the column n of all rows.
func (w *world) numbers() []int64 {
	w.t.Helper()
	view := w.store.View("taps")
	defer func() { require.NoError(w.t, view.Close()) }()
	morsels, _, err := view.Scan(context.Background(), segments.ScanRequest{Schema: w.stream.Schema, Columns: []event.FieldID{2}})
	require.NoError(w.t, err)
	var out []int64
	for _, m := range morsels {
		columns, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(w.t, err)
		out = append(out, arrow.GetValues[int64](columns[0].Data(), 1)...)
	}
	slices.Sort(out)
	return out
}

func (w *world) files(dir string) []string {
	w.t.Helper()
	names, err := w.fs.ReadDir(dir)
	require.NoError(w.t, err)
	return names
}

func TestCompactorKeepsFilesFewAndRowsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := New(w.store, w.options())
		var want []int64
		for minute := range 60 {
			w.seal(day.Add(time.Duration(minute)*time.Minute), 20)
			for range 20 {
				want = append(want, int64(len(want)))
			}
			if minute%7 == 0 {
				c.Wake()
				synctest.Wait()
				require.Equal(t, want, w.numbers())
			}
		}
		<-time.After(lookEvery) // of the test's own clock
		synctest.Wait()
		require.Zero(t, c.Backlog())
		require.LessOrEqual(t, len(w.store.View("taps").Segments()), 9)
		require.Len(t, w.files("segments/taps"), len(w.store.View("taps").Segments()))
		require.Equal(t, want, w.numbers())
		require.NoError(t, c.Close())
		for _, r := range w.observed {
			require.NoError(t, r.Err)
			require.Equal(t, Merged, r.Action)
		}
	})
}

func TestFailedMergesAreTriedAgainLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := New(w.store, w.options())
	defer func() { require.NoError(t, c.Close()) }()
	for i := range 4 {
		w.seal(day.Add(time.Duration(i)*time.Minute), 10)
	}
	w.broken.Store(true)
	waits := []time.Duration{}
	for range 11 {
		before := len(w.observed)
		c.Look(context.Background())
		require.Len(t, w.observed, before+1)
		require.ErrorIs(t, w.observed[before].Err, errBroken)
		wait := c.retries["taps"].until.Sub(w.now)
		waits = append(waits, wait)
		w.now = w.now.Add(wait - 1)
		c.Look(context.Background())
		require.Len(t, w.observed, before+1, "it is left alone meanwhile")
		w.now = w.now.Add(1)
	}
	require.Equal(t, []time.Duration{firstRetry, 2 * firstRetry, lastRetry}, []time.Duration{waits[0], waits[1], waits[10]})
	require.Equal(t, 4, c.Backlog())
	w.broken.Store(false)
	c.Look(context.Background())
	require.NoError(t, w.observed[len(w.observed)-1].Err)
	require.Len(t, w.store.View("taps").Segments(), 1)
	require.Len(t, w.numbers(), 40)
	require.Zero(t, c.Backlog())
}

func TestDamagedSegmentsAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := New(w.store, w.options())
	defer func() { require.NoError(t, c.Close()) }()
	for i := range 5 {
		w.seal(day.Add(time.Duration(i)*time.Minute), 10)
	}
	require.NoError(t, w.fs.Remove("segments/taps/000000000002.parquet"))
	c.Look(context.Background())
	require.Error(t, w.observed[0].Err)
	w.now = w.now.Add(firstRetry)
	c.Look(context.Background())
	require.NoError(t, w.observed[1].Err)
	require.Len(t, w.store.View("taps").Segments(), 2)
	require.Len(t, w.store.Damage(), 1)
}

func TestOldSegmentsAreArchivedWhereThatPays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	options := w.options()
	options.Policy.ArchiveAfter = 24 * time.Hour
	c := New(w.store, options)
	defer func() { require.NoError(t, c.Close()) }()
	w.seal(day, 5)       // of a few rows nothing can be saved
	w.seal(day, 100_000) // of 100,000 about half
	c.Look(context.Background())
	require.Empty(t, w.observed)
	w.now, w.elapsed = w.now.Add(25*time.Hour), 25*time.Hour
	for range 3 {
		c.Look(context.Background())
		for _, r := range w.observed {
			require.NoError(t, r.Err)
			require.Equal(t, Archived, r.Action)
			require.Less(t, r.Outputs[0].Bytes, r.Inputs[0].Bytes)
		}
	}
	require.LessOrEqual(t, len(w.observed), 1)
	require.Len(t, w.numbers(), 100_005)
}

func TestCloseEndsAMergeUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 4 {
			w.seal(day.Add(time.Duration(i)*time.Minute), 10)
		}
		options := w.options()
		options.Share = 1e-12 // it would take for ever
		c := New(w.store, options)
		c.Wake()
		require.NoError(t, c.Close())
		require.Len(t, w.store.View("taps").Segments(), 4)
		require.Empty(t, w.files("tmp"))
	})
}

// pass lets time go by on both clocks.
func (w *world) pass(d time.Duration) { w.now, w.elapsed = w.now.Add(d), w.elapsed+d }

func TestRetentionDropsSegmentsByTheirNewestEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream.Retention = 10 * time.Hour
	c := New(w.store, w.options())
	defer func() { require.NoError(t, c.Close()) }()
	w.seal(day, 10)
	w.seal(day.Add(5*time.Hour), 20)
	w.pass(10 * time.Hour)
	c.Look(context.Background())
	require.Empty(t, w.observed, "the newest event is not older than the retention yet")
	w.pass(time.Second)
	pinned := w.store.View("taps")
	c.Look(context.Background())
	require.Len(t, w.observed, 1)
	require.Equal(t, Expired, w.observed[0].Action)
	require.Len(t, w.numbers(), 20)
	require.Len(t, w.files("segments/taps"), 1)
	require.Len(t, w.files("trash/dropped"), 1, "a query may still read it")
	require.NoError(t, pinned.Close())
	c.Look(context.Background())
	require.Empty(t, w.files("trash/dropped"))

	w.pass(24 * time.Hour)
	c.Look(context.Background())
	require.Empty(t, w.numbers())
	require.Equal(t, event.Vector{30}, w.store.View("taps").Sealed().Next, "how far the stream is sealed does not depend on what is left")
}

// TestABusyStreamLeavesOthersTheirTurn: as long as segments come to one stream as fast as they are merged, the retention of another goes on.
func TestABusyStreamLeavesOthersTheirTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busy := w.stream
	passing := *busy
	passing.Name, passing.Retention = "zinc", time.Hour // looked at after taps
	w.stream = &passing
	w.seal(day, 10)
	w.stream, w.next = busy, 0
	comes := func() {
		for range fanIn {
			w.seal(day, 10)
		}
	}
	options, merges := w.options(), 0
	options.Stream = func(name string) (*catalog.Stream, bool) {
		if name == passing.Name {
			return &passing, true
		}
		return busy, true
	}
	options.Observe = func(r Result) {
		if r.Action == Merged {
			if merges++; merges < 20 && len(w.store.View(passing.Name).Segments()) > 0 {
				comes()
			}
		}
	}
	comes()
	c := New(w.store, options)
	defer func() { require.NoError(t, c.Close()) }()
	w.pass(2 * time.Hour)
	c.Look(context.Background())
	require.Empty(t, w.store.View(passing.Name).Segments())
	require.Less(t, merges, 4)
	require.Zero(t, c.Backlog(), "what came meanwhile was merged as well")
}

func TestClockJumpStopsRetentionUntilConfirmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream.Retention = 10 * time.Hour
	c := New(w.store, w.options())
	w.seal(day, 10)
	w.pass(time.Hour)
	c.Look(context.Background())
	right := w.now
	w.now = w.now.Add(30 * 24 * time.Hour)
	c.Look(context.Background())
	require.True(t, w.store.RetentionHeld())
	require.Len(t, w.numbers(), 10)
	w.now = right
	c.Look(context.Background())
	require.False(t, w.store.RetentionHeld(), "the clock was set right again")

	w.now = w.now.Add(30 * 24 * time.Hour)
	c.Look(context.Background())
	require.NoError(t, c.Close())
	c = New(w.store, w.options()) // as after a restart
	defer func() { require.NoError(t, c.Close()) }()
	c.Look(context.Background())
	require.True(t, w.store.RetentionHeld(), "a restart does not make the clock right")
	require.Len(t, w.numbers(), 10)
	wasHeld, err := c.ConfirmClock()
	require.NoError(t, err)
	require.True(t, wasHeld)
	c.Look(context.Background())
	require.Empty(t, w.numbers())
	wasHeld, err = c.ConfirmClock()
	require.NoError(t, err)
	require.False(t, wasHeld)
}
