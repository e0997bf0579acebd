package api

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestEveryErrorHasACode(t *testing.T) {
	t.Parallel()
	stopped := event.Errorf(event.CodeClosed, "writing has stopped")
	for _, c := range []struct {
		err    error
		code   event.Code
		status int
	}{
		{fmt.Errorf("read: %w", event.Errorf(event.CodeCorrupt, "damaged")), event.CodeCorrupt, http.StatusInternalServerError},
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), event.CodeTimeout, http.StatusGatewayTimeout},
		{context.Canceled, event.CodeCancelled, http.StatusServiceUnavailable},
		{fmt.Errorf("seal: %w", syscall.ENOSPC), event.CodeDiskFull, http.StatusInsufficientStorage},
		{fmt.Errorf("%w: %w", stopped, syscall.EDQUOT), event.CodeDiskFull, http.StatusInsufficientStorage},
		{stopped, event.CodeClosed, http.StatusServiceUnavailable},
		{fmt.Errorf("anything"), event.CodeInternal, http.StatusInternalServerError},
	} {
		p := newProblem(asFault(c.err))
		require.Equal(t, c.code, p.Code)
		require.Equal(t, c.status, p.Status)
		require.NotEmpty(t, p.Detail)
		require.NotContains(t, p.Detail, "\n")
	}
}
