package tail

import (
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

var schema = &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{
	{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
}}

// batch holds rows whose n is ten times their offset.
func batch(t require.TestingT, p event.Partition, first, rows int) *event.Batch {
	n, partitions, offsets := make([]int64, rows), make([]int64, rows), make([]int64, rows)
	for i := range rows {
		n[i], partitions[i], offsets[i] = int64(first+i)*10, int64(p), int64(first+i)
	}
	times := event.NewTimestamps(make([]int64, rows), nil)
	b, err := event.NewBatch(schema, p, []arrow.Array{
		event.NewInt64s(n, nil), event.NewInt64s(partitions, nil), event.NewInt64s(offsets, nil), times, times,
	})
	require.NoError(t, err)
	return b
}

func offsets(view View, p event.Partition) (out []int64) {
	for _, b := range view.Batches {
		if b.Partition == p {
			out = append(out, b.Offsets()...)
		}
	}
	return out
}

func TestViewsHoldWhatWasPublishedAndNotDropped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		tl := New(2, nil, nil)
		var next, dropped [2]int
		now := time.Unix(1, 0)
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			p := rapid.IntRange(0, 1).Draw(r, "partition")
			if rapid.IntRange(0, 5).Draw(r, "drop") == 0 {
				dropped[p] = rapid.IntRange(dropped[p], next[p]).Draw(r, "to")
				tl.Drop(event.Vector{event.Offset(dropped[0]), event.Offset(dropped[1])}, now)
			} else {
				rows := rapid.IntRange(1, 50).Draw(r, "rows")
				require.NoError(t, tl.Publish(batch(t, event.Partition(p), next[p], rows), Clock{}, now))
				next[p] += rows
			}
			view := tl.View()
			total := 0
			for q := range 2 {
				got := offsets(view, event.Partition(q))
				require.Len(t, got, next[q]-dropped[q])
				for i, o := range got {
					require.EqualValues(t, dropped[q]+i, o)
				}
				require.EqualValues(t, next[q], view.Next.At(event.Partition(q)))
				total += len(got)
			}
			rows, _, oldest := tl.Size()
			require.EqualValues(t, total, rows)
			require.Equal(t, total == 0, oldest.IsZero())
		}
	})
}

func TestSingleRowsAreJoinedIntoFewBatches(t *testing.T) {
	t.Parallel()
	tl := New(1, nil, nil)
	const rows = 10_000
	early := tl.View()
	for i := range rows {
		require.NoError(t, tl.Publish(batch(t, 0, i, 1), Clock{}, time.Unix(1, 0)))
		if i == 100 {
			early = tl.View()
		}
	}
	view := tl.View()
	require.LessOrEqual(t, len(view.Batches), 20)
	require.Len(t, offsets(view, 0), rows)
	require.Len(t, offsets(early, 0), 101, "a view taken earlier is what it was")
}

// TestRowsThatComeByTheHundredAreCopiedOnce looks at how many rows the batches have when they are joined, in which requests of other sizes do not get in the
// way.
func TestRowsThatComeByTheHundredAreCopiedOnce(t *testing.T) {
	t.Parallel()
	tl := New(1, nil, nil)
	var sizes []int
	for next := 0; next < 10_000; next += 100 {
		require.NoError(t, tl.Publish(batch(t, 0, next, 100), Clock{}, time.Unix(1, 0)))
		sizes = sizes[:0]
		for _, b := range tl.View().Batches {
			sizes = append(sizes, b.Rows())
		}
		require.LessOrEqual(t, len(sizes), 4+wideRows/100)
	}
	require.Equal(t, []int{2100, 2100, 2100, 2100}, sizes[:4])
	for i := range 3000 {
		require.NoError(t, tl.Publish(batch(t, 0, 10_000+i, 1), Clock{}, time.Unix(1, 0)))
	}
	require.LessOrEqual(t, len(tl.View().Batches), 40)
	require.Len(t, offsets(tl.View(), 0), 13_000)
}

func TestPublishRefusesAnOffsetTwice(t *testing.T) {
	t.Parallel()
	tl := New(1, event.Vector{5}, nil)
	require.ErrorContains(t, tl.Publish(batch(t, 0, 4, 1), Clock{}, time.Now()), "offset 4 is below 5")
}

// TestReadersNeverSeeAGap has views taken while one goroutine publishes and another drops.
func TestReadersNeverSeeAGap(t *testing.T) {
	t.Parallel()
	tl := New(1, nil, nil)
	const batches = 300
	var wait sync.WaitGroup
	done := make(chan struct{})
	wait.Go(func() {
		defer close(done)
		for i := range batches {
			if err := tl.Publish(batch(t, 0, i*3, 3), Clock{}, time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			if i%10 == 9 {
				tl.Drop(event.Vector{event.Offset(i * 2)}, time.Unix(1, 0))
			}
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		got := offsets(tl.View(), 0)
		for i := 1; i < len(got); i++ {
			if got[i] != got[i-1]+1 {
				t.Fatalf("offset %d follows %d", got[i], got[i-1])
			}
		}
	}
	wait.Wait()
}
