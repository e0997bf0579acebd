package partition

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{
	{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
}}

func rows(arrival int64, times ...int64) Rows {
	out := Rows{Schema: schema, Columns: []arrow.Array{event.NewInt64s(times, nil)}, Times: times, Arrival: arrival}
	for _, t := range times {
		out.Raw = append(out.Raw, fmt.Appendf(nil, `{"n":%d}`, t))
	}
	return out
}

func newWriter(t *testing.T, fs vfs.FS) (*Writer, *tail.Tail) {
	t.Helper()
	log, err := eventlog.Open(fs, "log/s/0", eventlog.Options{})
	require.NoError(t, err)
	tl := tail.New(1, nil, nil)
	return NewWriter(log, tl, Options{Bound: 5 * time.Microsecond, FutureLimit: time.Millisecond, Now: time.Now}), tl
}

// TestOneSyncAnswersAllThatWaited holds a sync open while requests queue up: the next sync covers all of them.
func TestOneSyncAnswersAllThatWaited(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 100), make(chan struct{})
	var mu sync.Mutex
	syncs, watching := 0, false
	w, _ := newWriter(t, vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
		mu.Lock()
		count := op == vfs.OpSync && watching
		if count {
			syncs++
		}
		mu.Unlock()
		if count {
			entered <- struct{}{}
			<-release
		}
		return nil
	}))
	replies := make(chan Reply, 50)
	require.NoError(t, w.Append(t.Context(), rows(0, 1), replies)) // makes the log's first file
	require.NoError(t, (<-replies).Err)
	mu.Lock()
	watching = true
	mu.Unlock()
	require.NoError(t, w.Append(t.Context(), rows(0, 1), replies))
	<-entered
	for range 40 {
		require.NoError(t, w.Append(t.Context(), rows(0, 1), replies))
	}
	close(release)
	for i := range 41 {
		reply := <-replies
		require.NoError(t, reply.Err)
		require.EqualValues(t, i+1, reply.Span.First)
	}
	require.Equal(t, 2, syncs)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
}

func TestNothingIsSeenBeforeItsSync(t *testing.T) {
	t.Parallel()
	var tl *tail.Tail
	var seen []int64
	fs := vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
		if op == vfs.OpSync && tl != nil {
			held, _, _ := tl.Size()
			seen = append(seen, held)
		}
		return nil
	})
	w, tailOfWriter := newWriter(t, fs)
	tl = tailOfWriter
	replies := make(chan Reply, 1)
	for i := range 3 {
		require.NoError(t, w.Append(t.Context(), rows(0, int64(i)), replies))
		require.NoError(t, (<-replies).Err)
		held, _, _ := tl.Size()
		require.EqualValues(t, i+1, held, "what is answered is seen")
	}
	require.Equal(t, []int64{0, 1, 2}, seen[len(seen)-3:])
	require.NoError(t, w.Close())
}

func TestAppendIsRefusedAfterClose(t *testing.T) {
	t.Parallel()
	w, _ := newWriter(t, vfs.NewMem())
	require.NoError(t, w.Close())
	require.ErrorContains(t, w.Append(context.Background(), rows(0, 1), make(chan Reply, 1)), "stopping")
}

func TestWatermarkIsOfTheRowsBefore(t *testing.T) {
	t.Parallel()
	s := stamper{bound: 5 * time.Microsecond, futureLimit: time.Millisecond}
	batch, err := s.batch(rows(1000, 100, 90, 120, 5000, 130), 7)
	require.NoError(t, err)
	require.Equal(t, []string{"NULL", "95", "95", "115", "115"}, watermarks(batch), "5000 is beyond the future limit and moves nothing")
	require.Equal(t, tail.Clock{MaxEventTime: 130, Valid: true, Watermark: 125, HasWatermark: true}, s.clock)
	require.Equal(t, []int64{7, 8, 9, 10, 11}, batch.Offsets())
}

// TestStampsDoNotDependOnHowRowsAreGrouped stamps the same rows in any grouping, and by replay.
func TestStampsDoNotDependOnHowRowsAreGrouped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 3000), 1, 40).Draw(r, "times")
		whole := stamper{bound: 5 * time.Microsecond, futureLimit: time.Millisecond}
		batch, err := whole.batch(rows(500, times...), 0)
		require.NoError(t, err)
		want := watermarks(batch)

		cut := stamper{bound: 5 * time.Microsecond, futureLimit: time.Millisecond}
		replayer := NewReplayer(Options{Bound: 5 * time.Microsecond, FutureLimit: time.Millisecond})
		var got, replayed []string
		for at := 0; at < len(times); {
			n := rapid.IntRange(1, len(times)-at).Draw(r, "rows")
			part := rows(500, times[at:at+n]...)
			meta := cut.meta(part)
			b, err := cut.batch(part, event.Offset(at))
			require.NoError(t, err)
			got = append(got, watermarks(b)...)
			b, err = replayer.Batch(part, meta, event.Offset(at))
			require.NoError(t, err)
			replayed = append(replayed, watermarks(b)...)
			at += n
		}
		require.Equal(t, want, got)
		require.Equal(t, want, replayed)
		require.Equal(t, whole.clock, replayer.Clock())
	})
}

// TestStampsOfManyRows compares the hidden columns of batches that make them when they are asked for with those of the same rows in batches that have them.
func TestStampsOfManyRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		lazy := stamper{bound: 5 * time.Microsecond, futureLimit: time.Millisecond}
		eager := stamper{bound: 5 * time.Microsecond, futureLimit: time.Millisecond}
		for range rapid.IntRange(1, 3).Draw(r, "batches") {
			first := event.Offset(rapid.Int64Range(0, 1<<40).Draw(r, "first"))
			arrival := rapid.Int64Range(0, 2000).Draw(r, "arrival")
			cycle := rapid.SliceOfN(rapid.Int64Range(0, 4000), 1, 20).Draw(r, "times") // many are beyond the future limit
			times := make([]int64, stampedRows+rapid.IntRange(0, 40).Draw(r, "more"))
			for i := range times {
				times[i] = cycle[i%len(cycle)] + int64(i/len(cycle))
			}
			whole, err := lazy.batch(rows(arrival, times...), first)
			require.NoError(t, err)
			half := stampedRows / 2
			var parts []*event.Batch
			for at := 0; at < len(times); at += half {
				part, err := eager.batch(rows(arrival, times[at:min(at+half, len(times))]...), first+event.Offset(at))
				require.NoError(t, err)
				parts = append(parts, part)
			}
			joined, err := event.Concat(parts)
			require.NoError(t, err)

			require.Equal(t, eager.clock, lazy.clock)
			require.Equal(t, []event.Offset{joined.First, joined.Last}, []event.Offset{whole.First, whole.Last})
			bytes := whole.Bytes()
			for i, values := range joined.Record.Columns() {
				require.True(t, array.Equal(values, whole.Record.Column(i)), "column %d", i)
			}
			require.Equal(t, bytes, whole.Bytes())
			require.Equal(t, joined.Bytes(), bytes, "they count before they are made")
			at := rapid.IntRange(1, len(times)-1).Draw(r, "from")
			require.Equal(t, joined.Offsets()[at:], whole.From(first+event.Offset(at)).Offsets())
		}
	})
}

func watermarks(b *event.Batch) []string {
	column := b.Record.Column(len(b.Schema.Columns) + 3).(*array.Timestamp)
	out := make([]string, column.Len())
	for i := range out {
		out[i] = "NULL"
		if column.IsValid(i) {
			out[i] = fmt.Sprint(int64(column.Value(i)))
		}
	}
	return out
}
