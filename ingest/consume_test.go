package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
)

// TestConsumeGoesOnFromSegmentsToTheLog trims the log behind the sealed rows and reads everything from the first offset, in calls
// of every size.
func TestConsumeGoesOnFromSegmentsToTheLog(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer func() { s.close(t) }()
	send := func(from, to int) {
		for i := from; i < to; i++ {
			_, err := s.send("s", fmt.Sprintf(`{"ts":%d,"n":%d}`, 1767225600000-i, i))
			require.NoError(t, err)
		}
	}
	send(0, 30)
	stream, err := s.Stream("s")
	require.NoError(t, err)
	for range 2 {
		_, err = stream.Seal(context.Background())
		require.NoError(t, err)
		send(30, 40)
	}
	log := stream.sealing.Logs[0]
	require.Zero(t, log.First())
	for limit := 1; limit <= 60; limit += 7 {
		var got []string
		next, err := stream.Consume(t.Context(), 0, 0, limit, func(r Record) error {
			got = append(got, string(r.Value))
			return nil
		})
		require.NoError(t, err)
		require.Len(t, got, min(limit, 50))
		require.EqualValues(t, len(got), next)
	}
	require.NoError(t, log.Trim(40, time.Now().Add(time.Hour), 0))
	read := func() {
		wanted := 5
		c := &consumer{stream: stream, next: 5, left: 30, ctx: t.Context(), fn: func(r Record) error {
			at := time.UnixMilli(r.Timestamp).UTC().Format("2006-01-02T15:04:05.000000Z")
			require.EqualValues(t, wanted, r.Offset)
			require.JSONEq(t, fmt.Sprintf(`{"ts":%q,"n":%d}`, at, r.Offset), string(r.Value))
			wanted++
			return nil
		}}
		require.NoError(t, c.fromSegments())
		require.EqualValues(t, 35, c.next, "as much as was wanted, from two segments")
	}
	read()

	view := s.store.View("s")
	defer view.Close()
	cut := view.Segments()[0].MinTime + 10_000 // every file has some offsets of both seals
	_, err = s.store.Merge(t.Context(), view, segments.Merge{Inputs: view.Segments(), Cuts: []int64{cut}})
	require.NoError(t, err)
	read()
}
