package partition

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAMarkerIsVoidOnceRowsAreBeforeIt: it was decided for a silent partition.
func TestAMarkerIsVoidOnceRowsAreBeforeIt(t *testing.T) {
	t.Parallel()
	w, tl := newWriter(t, vfs.NewMem())
	replies := make(chan Reply, 10)
	require.NoError(t, w.Append(t.Context(), rows(0, 100), replies))
	require.NoError(t, (<-replies).Err)
	w.Idle(0, 5000) // void: the partition stands at 1
	w.Idle(1, 2000)
	require.NoError(t, w.Append(t.Context(), rows(0, 101), replies))
	reply := <-replies
	require.NoError(t, reply.Err)
	require.EqualValues(t, 2, reply.Span.First, "the marker has offset 1")
	w.Idle(2, 9000) // void
	require.NoError(t, w.Append(t.Context(), rows(0, 102), replies))
	require.NoError(t, (<-replies).Err)
	view := tl.View()
	require.EqualValues(t, 4, view.Next.At(0))
	require.EqualValues(t, 2000, view.Clocks[0].Watermark)
	require.EqualValues(t, 102, view.Clocks[0].MaxEventTime)
	require.NoError(t, w.Close())
	w.Idle(4, 9000) // closed: left out
}
