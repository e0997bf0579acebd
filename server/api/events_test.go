package api

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/partition"
)

func TestPlainAnswersAreTheJSONOfOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Int64Min(0)
		span := rapid.Custom(func(t *rapid.T) partition.Span {
			return partition.Span{
				Partition: event.Partition(rapid.IntRange(0, 255).Draw(t, "partition")),
				First:     event.Offset(number.Draw(t, "first")), Last: event.Offset(number.Draw(t, "last")),
			}
		})
		answer := newIngestAnswer(ingest.Summary{
			Stream: rapid.StringMatching(`[a-z_][a-z0-9_.]{0,10}`).Draw(t, "stream"), Accepted: number.Draw(t, "accepted"),
			Rejected: number.Draw(t, "rejected"), Duplicates: number.Draw(t, "duplicates"), Offsets: rapid.SliceOfN(span, 0, 3).Draw(t, "offsets"),
		})
		want, err := json.Marshal(answer)
		require.NoError(t, err)
		require.Equal(t, string(want)+"\n", string(answer.appendPlain(nil)))
	})
}
