package views

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// BenchmarkReplayFrames reads frames again that each put a row in the place of another, as a start does with those since a checkpoint. It reports
// the nanoseconds for a frame and its bytes in the changelog.
func BenchmarkReplayFrames(b *testing.B) {
	const count = 10_000
	schema := &event.Schema{Version: 1, NextID: 3, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, Since: 1}, {ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
	}}
	fs, keep := vfs.NewMem(), func(*Frame) error { return nil }
	log, err := openChangelog(fs, "log", schema, 1, keep)
	require.NoError(b, err)
	for i := range int64(count) {
		f := &Frame{Marks: []Mark{{Name: "clicks", Vector: event.Vector{event.Offset(i)}, Watermarks: []int64{i}}}, Final: continuous.NoWatermark}
		f.Columns, f.Rows, f.Weights = rowsOfPairs([][2]int64{{i, i}, {i + 1, i + 1}}).columns, 2, []int64{-1, 1}
		require.NoError(b, log.append(f))
	}
	size := log.writer.Size()
	require.NoError(b, log.close())
	b.ResetTimer()
	for b.Loop() {
		c := &content{definition: &catalog.View{Schema: schema}, finality: continuous.FinalNever, live: newLiveRows(1, -1)}
		require.NoError(b, c.apply(rowsOfPairs([][2]int64{{0, 0}}), nil, continuous.NoWatermark))
		log, err := openChangelog(fs, "log", schema, 1, func(f *Frame) error {
			return c.apply(rows{columns: f.Columns, count: f.Rows}, f.Weights, f.Final)
		})
		require.NoError(b, err)
		_, err = c.live.publish()
		require.NoError(b, err)
		require.NoError(b, log.close())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/frame")
	b.ReportMetric(float64(size)/count, "B/frame")
}
