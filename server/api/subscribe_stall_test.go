package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// endlessFeed always has another change.
type endlessFeed struct{ given, closed int }

func (f *endlessFeed) Next(context.Context, time.Duration) (Change, error) {
	f.given++
	offsets, text := []int32{0, 1000}, []byte(strings.Repeat("x", 1000))
	return Change{
		Kind: FeedBatch, Columns: []plan.Column{{Name: "v", Type: event.Type{Kind: event.Text}}}, Visible: 1, Ops: []string{"insert"},
		Values: []arrow.Array{event.NewStrings(offsets, text, nil)}, Token: fmt.Sprint(f.given),
	}, nil
}

func (f *endlessFeed) Start() Change  { return Change{} }
func (f *endlessFeed) Progress() bool { return false }
func (f *endlessFeed) Close()         { f.closed++ }

// TestSubscriberWhoDoesNotReadIsDisconnected lets a subscriber read a few events and then no more: half a minute later the connection is
// ended and the feed let go, which was asked for no more than the connection holds. What the subscriber still reads then ends in the middle,
// so that it cannot take the end for one of the answer, and it has the last id to go on with.
func TestSubscriberWhoDoesNotReadIsDisconnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listener := pipeListener{make(chan net.Conn, 1)}
		client, connection := net.Pipe()
		listener.connections <- connection
		feed, stopping := &endlessFeed{}, make(chan struct{})
		api := &Server{Stopping: stopping, Feeds: func(context.Context, FeedRequest) (Feed, error) { return feed, nil }}
		done := make(chan error, 1)
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			done <- api.subscribe(w, r, FeedRequest{SQL: "SELECT 1"})
		})}
		go func() { _ = server.Serve(listener) }()
		_, err := fmt.Fprint(client, "GET /v1/subscribe HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReaderSize(client, 16), nil)
		require.NoError(t, err)
		lines := bufio.NewScanner(answer.Body)
		id := ""
		for id != "id: 5" {
			require.True(t, lines.Scan())
			if strings.HasPrefix(lines.Text(), "id: ") {
				id = lines.Text()
			}
		}
		started := time.Now()
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
		require.Equal(t, stallTime, time.Since(started))
		require.Equal(t, 1, feed.closed)
		require.LessOrEqual(t, feed.given, 20)
		_, err = io.Copy(io.Discard, answer.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		_ = answer.Body.Close() // it repeats the error
		require.NoError(t, server.Close())
	})
}
