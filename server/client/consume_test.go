package client

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestConsumeBreaksOff within a record: the error is that of the connection, or of the context that ended it, and not of the half of a record.
func TestConsumeBreaksOff(t *testing.T) {
	t.Parallel()
	for _, cancels := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Start-Offset", "7")
			_, _ = io.WriteString(w, `{"offset":7,"value":{}}`+"\n"+`{"offset":8,`)
			w.(http.Flusher).Flush()
			if cancels {
				<-r.Context().Done()
			}
			panic(http.ErrAbortHandler)
		})
		seen := 0
		next, err := c.Consume(ctx, "s", 0, 7, 0, func(Record) error {
			if seen++; cancels {
				cancel()
			}
			return nil
		})
		require.Error(t, err)
		require.Equal(t, cancels, IsCancelled(err), "%v", err)
		require.ErrorContains(t, err, map[bool]string{false: "unexpected EOF", true: "canceled"}[cancels])
		require.Equal(t, event.Offset(8), next)
		require.Equal(t, 1, seen)
	}
}
