package ingest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestRejectedRowsAreBoundedAndCharged sends many of the shortest bad rows there are, behind one that is good: what is noted of them is a part of what
// all would take, the memory for rows under way knows of it, and it is given back.
func TestRejectedRowsAreBoundedAndCharged(t *testing.T) {
	t.Parallel()
	const bad = 300_000
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	for _, first := range []string{"{\"n\":1}\n", ""} { // without a good row there is no stream beside which they are kept
		name := "s" + strings.Repeat("x", len(first))
		in, err := s.Begin(name, BodyOptions{RequestID: "request"})
		require.NoError(t, err)
		chunks := NewChunks(strings.NewReader(first+strings.Repeat("x\n", bad)), nil)
		most := 0
		for {
			chunk, err := chunks.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.NoError(t, in.Feed(t.Context(), chunk))
			held := cap(in.rejected)
			for _, p := range in.aside {
				held += cap(p.lines)
			}
			most = max(most, held)
			require.GreaterOrEqual(t, in.heldRejected, int64(held))
		}
		summary, err := in.Finish(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, bad, summary.Rejected)
		require.Less(t, most, 16<<20)
		require.Equal(t, s.pending.limit, s.pending.mu.free, "memory is given back")
	}
}
