package eventlog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

// TestRequestsComeBackAsTheyWere with every mixture of what is noted of their rows, and no bytes that are fewer or more are taken for one.
func TestRequestsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := &eventlog.Request{
			Chunk: rapid.Uint32().Draw(t, "chunk"), Lines: rapid.Uint32().Draw(t, "lines"), Accepted: rapid.Uint32().Draw(t, "accepted"),
			Last: rapid.Bool().Draw(t, "last"),
		}
		if rapid.Bool().Draw(t, "known") {
			r.Rejected = rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "rejected")
		}
		for _, line := range rapid.SliceOfN(rapid.IntRange(0, eventlog.MaxRows-1), 0, 5).Draw(t, "held") {
			r.Hold(line)
			require.True(t, r.Holds(line))
		}
		encoded := eventlog.AppendRequest(nil, r)
		got, err := eventlog.ParseRequest(encoded)
		require.NoError(t, err)
		require.Equal(t, r, got)
		if r.Rejected != nil && r.Held == nil {
			_, err = eventlog.ParseRequest(encoded[:len(encoded)-1])
			require.Error(t, err)
		}
	})
}
