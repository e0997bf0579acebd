package ingest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/partition"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const idleBound = 5 * time.Second

// createIdle makes a stream of partitions that are chosen by column p, with a timeout of 30 seconds. keys has a value for each.
func (s *store) createIdle(t testing.TB, partitions int) (keys []string) {
	t.Helper()
	schema := &event.Schema{Version: 1, NextID: 3, TimeColumn: 2, Columns: []event.Column{
		{ID: 1, Name: "p", Type: event.Type{Kind: event.Text}, Since: 1},
		{ID: 2, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, Since: 1},
	}}
	_, err := s.Create(catalog.Stream{
		Name: "s", Schema: schema, Partitions: partitions, PartitionBy: []string{"p"}, SchemaMode: catalog.Strict,
		Bound: idleBound, IdleTimeout: 30 * time.Second, FutureLimit: time.Hour,
	})
	require.NoError(t, err)
	if partitions > 1 {
		keys = make([]string, partitions)
		router := partition.NewRouter(partitions, []string{"p"})
		for n := 0; slices.Contains(keys, ""); n++ {
			key := strconv.Itoa(n)
			values := array.NewStringBuilder(memory.DefaultAllocator)
			values.Append(key)
			parts, err := router.Split(partition.Rows{
				Schema: schema, Columns: []arrow.Array{values.NewArray(), event.NewTimestamps([]int64{0}, nil)}, Times: []int64{0}, Raw: [][]byte{nil},
			})
			require.NoError(t, err)
			keys[parts[0].Partition] = key
		}
		return keys
	}
	return []string{"0"}
}

// row sends one row with the present as its event time.
func (s *store) row(t testing.TB, key string) time.Time {
	t.Helper()
	now := time.Now().Truncate(time.Microsecond)
	_, err := s.send("s", fmt.Sprintf(`{"p":%q,"ts":%q}`, key, now.UTC().Format(time.RFC3339Nano)))
	require.NoError(t, err)
	return now
}

func (s *store) clock(t testing.TB, p event.Partition) (event.Offset, tail.Clock) {
	t.Helper()
	view, err := s.Tail("s")
	require.NoError(t, err)
	return view.Next.At(p), view.Clocks[p]
}

// pass lets time go by, and what it brings about come to an end.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestASilentPartitionFollowsTheActiveOnes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		keys := s.createIdle(t, 3)
		first := s.row(t, keys[1])
		s.row(t, keys[0])
		s.row(t, keys[2])
		var before time.Time
		for range 28 {
			pass(time.Second)
			before = s.row(t, keys[0])
		}
		s.row(t, keys[2])
		next, clock := s.clock(t, 1)
		require.EqualValues(t, 1, next, "not silent for long enough")
		require.Equal(t, first.Add(-idleBound).UnixMicro(), clock.Watermark)
		slow := before.Add(-idleBound).UnixMicro() // partition 2 stands still from here on, and is active
		for range 20 {
			pass(time.Second)
			s.row(t, keys[0])
		}
		next, clock = s.clock(t, 1)
		require.EqualValues(t, 2, next, "one marker, as the least watermark of the active ones does not rise")
		require.InDelta(t, slow, clock.Watermark, 1e6)
		_, clock2 := s.clock(t, 2)
		require.Equal(t, clock2.Watermark, clock.Watermark)
		for range 20 { // now partition 2 becomes silent too
			pass(time.Second)
			s.row(t, keys[0])
		}
		pass(time.Second)
		_, clock0 := s.clock(t, 0)
		next1, clock1 := s.clock(t, 1)
		_, clock2 = s.clock(t, 2)
		require.Equal(t, clock0.Watermark, clock1.Watermark)
		require.Equal(t, clock0.Watermark, clock2.Watermark)
		require.LessOrEqual(t, next1, event.Offset(2+21), "at most one a second")
		s.close(t)
	})
}

func TestASilentStreamGoesOnWithTheWallClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		s.createIdle(t, 1)
		pass(time.Hour)
		next, clock := s.clock(t, 0)
		require.Zero(t, next, "a stream that never had a row gets no marker")
		require.False(t, clock.HasWatermark)
		last := s.row(t, "0")
		var at []int // seconds after the row at which the watermark rose
		stood := last.Add(-idleBound)
		for second := 1; second <= 300; second++ {
			pass(time.Second)
			if _, clock := s.clock(t, 0); clock.Watermark != stood.UnixMicro() {
				stood = time.UnixMicro(clock.Watermark)
				require.InDelta(t, last.Add(-idleBound).Add(time.Duration(second)*time.Second).UnixMicro(), stood.UnixMicro(), 1e6)
				at = append(at, second)
			}
		}
		require.Len(t, at, 10)
		for i, want := range []int{30, 31, 33, 37, 45, 61, 93, 153, 213, 273} {
			require.InDelta(t, want, at[i], 2, at)
		}
		s.row(t, "0")
		_, clock = s.clock(t, 0)
		require.Greater(t, clock.Watermark, stood.UnixMicro())
		s.close(t)
	})
}

// TestIdleMarkersSurviveRestartAndSeal: whatever was decided stays, the watermark never falls, and rows replayed have the watermarks that
// they had.
func TestIdleMarkersSurviveRestartAndSeal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s := openStore(t, fs)
		keys := s.createIdle(t, 2)
		s.row(t, keys[0])
		pass(2 * time.Minute)
		marked := s.row(t, keys[0])
		s.row(t, keys[1])
		pass(time.Minute)
		s.row(t, keys[1])
		view, err := s.Tail("s")
		require.NoError(t, err)
		watermarks := s.contents(t, "s", "_watermark")
		require.Len(t, watermarks, 4)
		for range 2 {
			s.close(t)
			s = openStore(t, fs)
			again, err := s.Tail("s")
			require.NoError(t, err)
			require.Equal(t, view.Next, again.Next)
			require.Equal(t, view.Clocks, again.Clocks)
			require.Equal(t, watermarks, s.contents(t, "s", "_watermark"))
			stream, err := s.Stream("s")
			require.NoError(t, err)
			_, err = stream.Seal(context.Background()) // the second round starts from the sealed clocks
			require.NoError(t, err)
		}
		pass(29 * time.Second)
		again, err := s.Tail("s")
		require.NoError(t, err)
		require.Equal(t, view.Next, again.Next, "silence counts from the restart")
		pass(time.Hour)
		_, clock := s.clock(t, 0)
		require.Greater(t, clock.Watermark, marked.UnixMicro())
		s.close(t)
	})
}

func TestConsumersSkipIdleMarkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		small := func(o *Options) { o.LogFileBytes = 300 }
		s := openStore(t, fs, small)
		s.createIdle(t, 1)
		for range 5 {
			s.row(t, "0")
			pass(time.Minute)
		}
		stream, err := s.Stream("s")
		require.NoError(t, err)
		_, latest := stream.Bounds(0)
		require.Greater(t, latest, event.Offset(10), "rows and markers")
		var rows []event.Offset
		read := func() (got []event.Offset) {
			next, err := stream.Consume(t.Context(), 0, 0, 1000, func(r Record) error {
				got = append(got, r.Offset)
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, latest, next)
			return got
		}
		rows = read()
		require.Len(t, rows, 5)
		one, err := stream.Consume(t.Context(), 0, rows[0]+1, 1, func(r Record) error {
			require.Equal(t, rows[1], r.Offset)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, rows[1]+1, one)
		_, err = stream.Seal(context.Background())
		require.NoError(t, err)
		require.Positive(t, stream.sealing.Logs[0].First())
		require.Equal(t, rows, read(), "from the segment, and from the log behind it")
		published := stream.Published()
		pass(2 * time.Minute)
		<-published // a follower is woken by a marker
		s.close(t)
	})
}
