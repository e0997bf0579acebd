package app

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRowsOfAnOpenRequestAreSeen sends a row, waits until a query sees it, and only then sends the next in the same request.
func TestRowsOfAnOpenRequestAreSeen(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM live (n BIGINT)")
	body, send := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/v1/streams/live/events", body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-ndjson")
	answered := make(chan int, 1)
	go func() {
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- -1
			return
		}
		defer answer.Body.Close()
		answered <- answer.StatusCode
	}()
	stream, err := s.App.ingest.Stream("live")
	require.NoError(t, err)
	for n := range 3 {
		published := stream.Published()
		_, err := io.WriteString(send, "{\"n\":1}\n") // and the request stays open
		require.NoError(t, err)
		<-published
		require.Equal(t, fmt.Sprintf("[%d]\n", n+1), s.query("SELECT count(*) FROM live").text())
	}
	require.NoError(t, send.Close())
	require.Equal(t, http.StatusOK, <-answered)
}
