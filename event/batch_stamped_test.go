package event_test

import (
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestStepsAreTheColumns that they stand for, in batches that have those already and in batches that do not.
func TestStepsAreTheColumns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		schema, n := &event.Schema{Version: 1}, rapid.IntRange(1, 5).Draw(t, "rows")
		first, arrival := rapid.Int64Range(0, 9).Draw(t, "first"), rapid.Int64Range(0, 9).Draw(t, "arrival")
		partitions, marks := event.NewInt64s(make([]int64, n), nil), event.NewTimestamps(make([]int64, n), nil)
		stamped := event.NewStamped(schema, 0, nil, event.Stamps{
			Partitions: partitions, First: event.Offset(first), Arrival: arrival, Watermarks: func() arrow.Array { return marks },
		})
		offsets, arrivals := int64s(stamped, event.FieldOffset), int64s(stamped, event.FieldIngestedAt)
		for i := range n {
			require.Equal(t, []int64{first + int64(i), arrival}, []int64{offsets[i], arrivals[i]})
		}
		require.Equal(t, marks, stamped.Record.Column(3))
		require.Equal(t, marks, stamped.Record.Columns()[3])

		offsets, arrivals = slices.Clone(offsets), slices.Clone(arrivals)
		if rapid.Bool().Draw(t, "uneven") {
			offsets[n-1], arrivals[n-1] = offsets[n-1]+1, arrivals[n-1]+1
		}
		plain, err := event.NewBatch(schema, 0, []arrow.Array{partitions, event.NewInt64s(offsets, nil), event.NewTimestamps(arrivals, nil), marks})
		require.NoError(t, err)
		for _, b := range []*event.Batch{stamped, plain} {
			for _, id := range []event.FieldID{event.FieldPartition, event.FieldOffset, event.FieldIngestedAt, event.FieldWatermark} {
				from, step, ok := b.Steps(id)
				if id == event.FieldPartition || id == event.FieldWatermark {
					require.False(t, ok)
					continue
				}
				want := int64s(b, id)
				even := make([]int64, n)
				for i := range even {
					even[i] = from + int64(i)*step
				}
				if ok {
					require.Equal(t, want, even)
				} else {
					require.True(t, b == plain && n > 1 && want[n-1] != want[0]+int64(n-1)*map[event.FieldID]int64{event.FieldOffset: 1}[id])
				}
			}
		}
	})
}

// int64s are the values of a hidden column of a batch without others.
func int64s(b *event.Batch, id event.FieldID) []int64 {
	at := slices.IndexFunc(event.Hidden, func(c event.Column) bool { return c.ID == id })
	return arrow.GetValues[int64](b.Record.Column(at).Data(), 1)
}
